//! Who may speak to the control endpoint: programs of this machine, no page in a browser.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

/// # Errors
/// Why the request is refused.
pub fn local(headers: &HeaderMap) -> Result<(), &'static str> {
    // A name that somebody pointed to 127.0.0.1 would let a page of theirs in.
    if !headers
        .get(HOST)
        .and_then(|h| h.to_str().ok())
        .is_some_and(loopback)
    {
        return Err("the Host header does not name this machine; use http://127.0.0.1:PORT");
    }
    if headers.contains_key(ORIGIN) {
        return Err("browsers are refused: the request has an Origin");
    }
    Ok(())
}

fn loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name == "localhost"
        || name == "[::1]"
        || name
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&'static str, &str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(k, v)| {
                (
                    http::HeaderName::from_static(k),
                    v.parse().expect("a value"),
                )
            })
            .collect();
        local(&headers).is_ok()
    }

    #[test]
    fn only_loopback_names_and_no_browsers() {
        assert!(
            [
                "127.0.0.1:8000",
                "127.0.0.1",
                "localhost:1",
                "[::1]:9",
                "127.9.9.9:1"
            ]
            .iter()
            .all(|h| asked(&[("host", h)]))
        );
        let strange = [
            "evil.example",
            "127.0.0.1.evil.example:80",
            "localhost.evil",
            "10.0.0.1:80",
            "",
            "localhost:80:evil",
        ];
        assert!(!strange.iter().any(|h| asked(&[("host", h)])));
        assert!(
            !asked(&[]) && !asked(&[("host", "localhost:1"), ("origin", "http://localhost:1")])
        );
    }
}
