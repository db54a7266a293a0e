//! Keeps the pages of other sites, in a browser on the same machine, away from a registry.
//!
//! In: the head of a request. Out: a refusal, if a page of another site may have sent it. A page can
//! send requests to loopback, and with a name of its own that resolves to loopback (DNS rebinding) it
//! can read the answers too. So a registry on loopback answers to names that no other site can have,
//! and nobody is served who comes from another origin.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};

/// The hosts that a registry answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guard {
    /// It listens on more than loopback.
    pub(super) open: bool,
}

/// The reason for which a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: String,
}

impl Refusal {
    fn bad(reason: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason: reason.to_owned() }
    }

    fn forbidden(reason: String) -> Self {
        Self { status: StatusCode::FORBIDDEN, reason }
    }
}

impl Guard {
    /// Checks a request to the page or to the admin endpoint.
    pub(super) fn page(self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = host(headers)?;
        self.named(uri, host)?;
        same_origin(headers, host)
    }

    /// Checks a call of the API. A registry that is open may have any name in its network: a browser
    /// sends an origin with every call, and AWS clients never do.
    pub(super) fn api(self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = host(headers)?;
        if !self.open || headers.contains_key(header::ORIGIN) {
            self.named(uri, host)?;
        }
        same_origin(headers, host)
    }

    fn named(self, uri: &Uri, host: &str) -> Result<(), Refusal> {
        // A request line with a host in it overrides the header.
        let names = [Some(host), uri.authority().map(Authority::as_str)];
        for name in names.into_iter().flatten() {
            let Some(name) = name_of(name) else {
                return Err(Refusal::bad("the Host header is not a host with an optional port"));
            };
            if !self.answers_to(name) {
                let names = if self.open {
                    "an address, `localhost` or a name without dots"
                } else {
                    "`localhost` or a loopback address"
                };
                return Err(Refusal::forbidden(format!("address the registry by {names}")));
            }
        }
        Ok(())
    }

    fn answers_to(self, name: &str) -> bool {
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        match name.parse::<IpAddr>() {
            Ok(address) => self.open || address.is_loopback(),
            // No site has a name without dots; containers have.
            Err(_) => self.open && !name.is_empty() && name.bytes().all(single_label),
        }
    }
}

/// Returns the one Host header.
fn host(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => {
            host.to_str().map_err(|_| Refusal::bad("the Host header is not ASCII text"))
        }
        (None, _) => Err(Refusal::bad("the request has no Host header")),
        (Some(_), Some(_)) => Err(Refusal::bad("the request has more than one Host header")),
    }
}

fn same_origin(headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
    let own = |origin: &[u8]| origin.strip_prefix(b"http://") == Some(host.as_bytes());
    if headers.get_all(header::ORIGIN).iter().all(|origin| own(origin.as_bytes())) {
        Ok(())
    } else {
        Err(Refusal::forbidden("requests from the pages of other sites are refused".to_owned()))
    }
}

const fn single_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Returns the host without its port, and without the brackets of an IPv6 address.
fn name_of(host: &str) -> Option<&str> {
    let (name, rest) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = rest.strip_prefix(':').unwrap_or(rest);
    let is_port =
        port.bytes().all(|byte| byte.is_ascii_digit()) && (rest.is_empty() || port != rest);
    is_port.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(hosts: &[&str], origins: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        for origin in origins {
            headers.append(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    fn passes(open: bool, host: &str, origins: &[&str]) -> [bool; 2] {
        let (uri, headers) = (Uri::from_static("/"), headers(&[host], origins));
        let guard = Guard { open };
        [guard.page(&uri, &headers).is_ok(), guard.api(&uri, &headers).is_ok()]
    }

    #[test]
    fn on_loopback_only_hosts_that_no_site_can_have_are_served() {
        for host in
            ["localhost", "LOCALHOST:80", "127.0.0.1:8123", "127.9.9.9", "[::1]:8123", "[::1]"]
        {
            assert_eq!(passes(false, host, &[]), [true; 2], "{host}");
            assert_eq!(passes(true, host, &[]), [true; 2], "{host}");
        }
        for host in ["10.0.0.7:8123", "[fe80::1]:80", "registry:8123"] {
            assert_eq!(passes(false, host, &[]), [false; 2], "{host}");
            assert_eq!(passes(true, host, &[]), [true; 2], "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example:80",
            "127.0.0.1.nip.io",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "localhost:",
            "127.0.0.1:80@evil.example",
            "2130706433",
            "127.1",
        ] {
            assert_eq!(passes(false, host, &[]), [host == "localhost:"; 2], "{host}");
        }
        // Within a network a registry may have a name with dots, for clients that are no browser.
        assert_eq!(passes(true, "registry.internal:80", &[]), [false, true]);
        let own = ["http://registry.internal:80"];
        assert_eq!(passes(true, "registry.internal:80", &own), [false; 2]);
    }

    #[test]
    fn other_origins_are_not() {
        for open in [false, true] {
            let own = ["http://localhost:8123"];
            assert_eq!(passes(open, "localhost:8123", &own), [true; 2]);
            for origin in
                ["null", "http://evil.example", "http://localhost:1", "https://localhost:8123", ""]
            {
                assert_eq!(passes(open, "localhost:8123", &[origin]), [false; 2], "{origin}");
                assert_eq!(passes(open, "localhost:8123", &[own[0], origin]), [false; 2]);
            }
        }
    }

    #[test]
    fn exactly_one_host_is_named_and_the_request_line_names_no_other() {
        let statuses = |uri: &str, hosts: &[&str]| {
            let (uri, headers) = (uri.parse().unwrap(), headers(hosts, &[]));
            let guard = Guard { open: false };
            [guard.page(&uri, &headers), guard.api(&uri, &headers)]
                .map(|result| result.map_or_else(|refusal| refusal.status.as_u16(), |()| 200))
        };
        assert_eq!(statuses("/", &[]), [400; 2]);
        assert_eq!(statuses("/", &["localhost", "localhost"]), [400; 2]);
        assert_eq!(statuses("/", &["localhost", "evil.example"]), [400; 2]);
        assert_eq!(statuses("http://localhost:80/", &["localhost"]), [200; 2]);
        assert_eq!(statuses("http://evil.example/", &["localhost"]), [403; 2]);
        assert_eq!(statuses("http://localhost/", &["evil.example"]), [403; 2]);
    }
}
