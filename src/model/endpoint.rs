//! What an endpoint may be.

use std::net::IpAddr;

/// Host of a URL's authority, without port and brackets.
fn host(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn authority(url: &str) -> &str {
    url.split_once("://")
        .map_or(url, |(_, rest)| rest)
        .split('/')
        .next()
        .unwrap_or_default()
}

/// Whether a host is this machine: `localhost` or an address; a name such as
/// `127.0.0.1.example.com` is somebody else's.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a URL's host is this machine.
pub fn on_loopback(url: &str) -> bool {
    is_loopback(host(authority(url)))
}

/// Whether two endpoints are one: scheme and host are the same in any case, the port of a scheme
/// need not be written, a slash at the end means nothing.
pub fn same_endpoint(a: &str, b: &str) -> bool {
    plain(a) == plain(b)
}

fn plain(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (scheme, authority) = (scheme.to_lowercase(), authority.to_lowercase());
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let host = authority.strip_suffix(usual).unwrap_or(&authority);
    format!("{scheme}://{host}{}", path.trim_end_matches('/'))
}

/// What an endpoint may be: https anywhere, plain http only to loopback; no user or password in it.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn endpoint_allowed(url: &str) -> Result<(), String> {
    let Some((scheme, _)) = url.split_once("://") else {
        return Err("an endpoint is a URL such as https://s3.example.com".into());
    };
    let authority = authority(url);
    if authority.contains('@') {
        return Err("an endpoint must not hold a user or a password".into());
    }
    let host = host(authority);
    match scheme {
        "https" if !host.is_empty() => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => Err(format!(
            "plain http to `{host}`; only loopback may be spoken to without TLS"
        )),
        _ => Err(format!("scheme `{scheme}` is not http or https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_begins_like_a_loopback_address_is_somebody_elses() {
        for url in [
            "http://127.0.0.1:9000",
            "http://localhost/x",
            "http://[::1]:80",
            "http://[::1]",
            "http://127.8.0.1",
        ] {
            assert!(on_loopback(url) && endpoint_allowed(url).is_ok(), "{url}");
        }
        for url in [
            "http://127.example.com",
            "http://127.0.0.1.example.com:80",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://",
        ] {
            assert!(!on_loopback(url) && endpoint_allowed(url).is_err(), "{url}");
        }
    }

    #[test]
    fn one_endpoint_can_be_written_in_several_ways() {
        let one = "https://s3.example.com";
        for other in [
            "https://s3.example.com/",
            "https://S3.Example.com",
            "https://s3.example.com:443",
        ] {
            assert!(same_endpoint(one, other), "{other}");
        }
        for other in [
            "http://s3.example.com",
            "https://s3.example.com:8443",
            "https://s3.example.com/a",
            "https://s3.example.org",
        ] {
            assert!(!same_endpoint(one, other), "{other}");
        }
        assert!(same_endpoint("http://127.0.0.1:80/", "http://127.0.0.1"));
    }

    #[test]
    fn an_endpoint_holds_no_secret_and_has_a_scheme() {
        assert!(endpoint_allowed("https://s3.example.com").is_ok());
        for url in [
            "https://user:secret@s3.example.com",
            "ftp://x",
            "s3.example.com",
            "https://",
        ] {
            assert!(endpoint_allowed(url).is_err(), "{url}");
        }
    }
}
