//! Keeps other sites' pages, in a browser on the same machine, away from a registry.
//!
//! A page can send requests to loopback, and with a name of its own that resolves to loopback (DNS
//! rebinding) it can read the answers too. So the page and the admin endpoint are there for hosts
//! that no other site can have, and nobody is served who comes from another origin.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// Which hosts a registry goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guard {
    /// It listens on more than loopback.
    pub(super) open: bool,
}

impl Guard {
    /// That no other site's page sent this.
    pub(super) fn origin(headers: &HeaderMap) -> Result<(), String> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let own = headers.get(header::HOST).is_some_and(|host| {
            let origin = origin.as_bytes();
            origin.strip_prefix(b"http://".as_slice()) == Some(host.as_bytes())
        });
        if own {
            Ok(())
        } else {
            Err("requests from the pages of other sites are refused".to_owned())
        }
    }

    /// That the registry goes by the host that the request names, and [`Guard::origin`].
    pub(super) fn host_and_origin(self, headers: &HeaderMap) -> Result<(), String> {
        let host =
            headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if !self.goes_by(name(host)) {
            let names = if self.open {
                "an address, `localhost` or a name without dots"
            } else {
                "`localhost` or an address of loopback"
            };
            return Err(format!("the registry is to be addressed by {names}"));
        }
        Self::origin(headers)
    }

    fn goes_by(self, name: &str) -> bool {
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

const fn single_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The host without its port, and without the brackets of an IPv6 address.
fn name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').map_or("", |(name, _)| name);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(open: bool, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        Guard { open }.host_and_origin(&headers).is_ok()
    }

    #[test]
    fn only_hosts_that_no_site_can_have_are_served() {
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8123", "127.9.9.9", "[::1]:8123"] {
            assert!(passes(false, host, None), "{host}");
            assert!(passes(true, host, None), "{host}");
        }
        for host in ["10.0.0.7:8123", "[fe80::1]:80", "registry:8123"] {
            assert!(!passes(false, host, None), "{host}");
            assert!(passes(true, host, None), "{host}");
        }
        for host in
            ["", ":80", "evil.example", "localhost.evil.example:80", "127.0.0.1.nip.io", "[::1"]
        {
            assert!(!passes(false, host, None) && !passes(true, host, None), "{host}");
        }
    }

    #[test]
    fn other_origins_are_not() {
        assert!(passes(false, "localhost:8123", Some("http://localhost:8123")));
        for origin in
            ["null", "http://evil.example", "http://localhost:1", "https://localhost:8123"]
        {
            assert!(!passes(false, "localhost:8123", Some(origin)), "{origin}");
        }
    }
}
