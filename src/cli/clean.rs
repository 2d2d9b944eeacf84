//! What may be shown of a stored or typed text: nothing that a terminal obeys, no line of its own,
//! no password. Pure.

/// Control characters of stored names must not reach a terminal, nor those that make it write
/// backwards.
pub fn clean(text: &str) -> String {
    without_passwords(text)
        .chars()
        .map(|c| {
            if unprintable(c) && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// The same for what stands on one line: a name with a line break in it would write a line of its
/// own, a hint for example.
pub fn clean_line(text: &str) -> String {
    clean(text).replace('\n', "\u{fffd}")
}

/// The same for a message of several lines, an excerpt of a policy for example: none of the later
/// ones begins as ours do.
pub fn clean_message(text: &str) -> String {
    let mut lines = text.lines().map(clean);
    let first = lines.next().unwrap_or_default();
    lines.fold(first, |text, line| {
        if line.is_empty() || line.starts_with(|c: char| c == ' ' || c.is_ascii_digit()) {
            format!("{text}\n{line}")
        } else {
            format!("{text}\n  {line}")
        }
    })
}

/// `scheme://user:…@host`: the password of a URL that someone typed, or that an answer repeats. The
/// word itself, in a hint, is none.
pub fn without_passwords(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        shown.push_str(head);
        // Nobody escapes a password that he pastes; in a database's URL only the last `@` can end
        // it. Elsewhere one may be part of a key.
        let database = head.ends_with("postgres://") || head.ends_with("postgresql://");
        let ends = |c: char| {
            c.is_whitespace() || (if database { "\"'<>`" } else { "/\"'<>`?#" }).contains(c)
        };
        let end = tail.find(ends).unwrap_or(tail.len());
        match tail[..end]
            .rfind('@')
            .and_then(|host| Some((tail[..host].find(':')?, host)))
        {
            Some((colon, host)) if !tail[colon + 1..host].eq_ignore_ascii_case("password") => {
                shown.push_str(&tail[..=colon]);
                shown.push('…');
                rest = &tail[host..];
            }
            _ => rest = tail,
        }
    }
    shown + rest
}

fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// JSON leaves some of them as they are; inside its strings, and they stand nowhere else, they can
/// be spelled.
pub fn escaped(json: &str) -> String {
    let json = &without_passwords(json);
    if !json.chars().any(unprintable) {
        return json.to_owned();
    }
    json.chars()
        .map(|c| {
            if unprintable(c) {
                format!("\\u{:04x}", u32::from(c))
            } else {
                c.to_string()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_a_terminal_would_obey_is_spelled_or_replaced() {
        let evil = "a\u{1b}[31m\u{9b}2J\u{202e}b\r\nc";
        assert_eq!(clean(evil), "a\u{fffd}[31m\u{fffd}2J\u{fffd}b\u{fffd}\nc");
        let json = escaped(&json!({"name": evil}).to_string());
        assert!(!json.chars().any(unprintable), "{json}");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["name"], evil);
    }

    #[test]
    fn a_password_in_a_url_is_left_out() {
        assert_eq!(
            without_passwords("postgres://u:pa/ss#w?@h/d, then"),
            "postgres://u:…@h/d, then"
        );
        assert_eq!(
            without_passwords("'postgres://a:b@c@h/d' and https://u:p@x"),
            "'postgres://a:…@h/d' and https://u:…@x"
        );
        let kept = "postgres://user:password@host:5432/database s3://b/a:b@c https://h:80/a@b \
         postgres://u@h";
        assert_eq!(without_passwords(kept), kept);
    }
}
