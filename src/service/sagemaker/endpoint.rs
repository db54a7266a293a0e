//! The endpoint of requests.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// Returns the endpoint that the environment or the profile names for SageMaker.
pub(super) fn endpoint_of(shared: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("SageMaker")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let special = shared.service_config().and_then(|config| config.load_config(key));
    special.or_else(|| shared.endpoint_url().map(str::to_owned)).filter(|url| !url.is_empty())
}

/// Returns whether `url` has a scheme that requests can be sent by, and a host.
pub(super) fn is_url(url: &str) -> bool {
    let uri = url.parse::<hyper::Uri>().ok();
    uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

/// Returns whether the host of `url` is this machine, as every resolver has it.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<hyper::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    let here = |address: std::net::IpAddr| {
        let address = address.to_canonical();
        address.is_loopback() || address.is_unspecified()
    };
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_distinguished_from_other_addresses() {
        for url in [
            "http://127.0.0.1:80",
            "http://localhost/x",
            "https://LOCALHOST.:1",
            "http://registry.localhost:9",
            "http://[::1]:9",
            "http://[::ffff:127.0.0.1]:9",
            "http://0.0.0.0:9",
            "http://user@127.9.9.9",
        ] {
            assert!(is_url(url) && is_loopback(url), "{url}");
        }
        for url in [
            "https://api.sagemaker.eu-west-1.amazonaws.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://mylocalhost",
            "http://192.168.0.1",
        ] {
            assert!(is_url(url) && !is_loopback(url), "{url}");
        }
        for none in ["", "localhost:80", "ftp://localhost", "http://", "http:///x", "http://a b"] {
            assert!(!is_url(none), "{none}");
        }
    }
}
