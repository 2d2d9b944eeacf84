//! Text to [`Policy`], with the place of what is wrong.

use super::types::Policy;
use crate::model::short;

/// A policy larger than this is not a policy.
pub const MAX_BYTES: usize = 256 << 10;

/// Characters of a line that are shown; a place behind them is pointed at from their end.
const MAX_SHOWN: usize = 160;

/// Why a policy could not be read. `Display` gives file, line and a caret under the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render())]
pub struct ParseError {
    pub file: String,
    /// One-based line and column.
    pub position: Option<(usize, usize)>,
    pub message: String,
    pub line_text: Option<String>,
}

impl ParseError {
    fn render(&self) -> String {
        match (self.position, &self.line_text) {
            (Some((line, column)), Some(text)) => {
                let number = line.to_string();
                let pad = " ".repeat(number.len());
                format!(
                    "{}\n{pad}--> {}:{line}:{column}\n{pad} |\n{number} | {text}\n{pad} | {}^",
                    self.message,
                    self.file,
                    " ".repeat(column.saturating_sub(1).min(MAX_SHOWN))
                )
            }
            _ => format!("{} (in {})", self.message, self.file),
        }
    }

    pub(super) fn at(
        file: &str,
        text: &str,
        position: Option<(usize, usize)>,
        message: String,
    ) -> Self {
        let line_text = position
            .and_then(|(line, _)| text.lines().nth(line.saturating_sub(1)))
            .map(clip);
        Self {
            file: file.into(),
            // A place without a line (an empty file) would be no help.
            position: position.filter(|_| line_text.is_some()),
            message: short(&without_keys(&message)),
            line_text,
        }
    }
}

/// A line of the file as it may be shown: no control characters, no endless lines, no secrets that
/// someone put there.
fn clip(line: &str) -> String {
    let line: String = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_SHOWN)
        .collect();
    without_keys(&without_userinfo(&without_secret(&line)))
}

/// Long random words are keys that someone pasted where they do not belong: 30 or more letters of
/// both cases and digits, or 40 and
/// more hexadecimal digits. Names that long are hidden with them.
fn without_keys(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || "/+=_-".contains(c);
    let random = |word: &str| {
        let has = |test: fn(&char) -> bool| word.chars().any(|c| test(&c));
        let mixed = has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_digit);
        (word.len() >= 30 && mixed)
            || (word.len() >= 40 && word.chars().all(|c| c.is_ascii_hexdigit()))
    };
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        let end = rest[start..]
            .find(|c| !part(c))
            .map_or(rest.len(), |n| start + n);
        shown.push_str(&rest[..start]);
        shown.push_str(if random(&rest[start..end]) {
            "…"
        } else {
            &rest[start..end]
        });
        rest = &rest[end..];
    }
    shown + rest
}

/// `secret_access_key: …`: what stands behind a key whose name speaks of a secret.
fn without_secret(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let first = [
        "secret",
        "password",
        "passwd",
        "token",
        "access_key",
        "private_key",
    ]
    .iter()
    .filter_map(|w| lower.find(w))
    .min();
    match first.and_then(|at| line[at..].find([':', '=']).map(|colon| at + colon + 1)) {
        Some(value) if !line[value..].trim().is_empty() => format!("{} …", &line[..value]),
        _ => line.to_owned(),
    }
}

/// `https://…@host`: a user and a password in a URL.
fn without_userinfo(line: &str) -> String {
    let Some(start) = line.find("://").map(|at| at + 3) else {
        return line.to_owned();
    };
    let authority = line[start..]
        .split(['/', ' ', '"', '\''])
        .next()
        .unwrap_or_default();
    match authority.rfind('@') {
        Some(at) => format!("{}…{}", &line[..start], &line[start + at..]),
        None => line.to_owned(),
    }
}

/// # Errors
/// [`ParseError`]: not UTF-8 YAML, an unknown or missing field, a value of the wrong form.
pub fn parse(file: &str, text: &str) -> Result<Policy, ParseError> {
    if text.len() > MAX_BYTES {
        return Err(ParseError::at(
            file,
            text,
            None,
            format!("the policy is too large; at most {MAX_BYTES} bytes are read"),
        ));
    }
    serde_saphyr::from_str::<Policy>(text).map_err(|e| {
        let position = e
            .location()
            .map(|l| (l.line() as usize, l.column() as usize))
            .filter(|(line, _)| *line > 0);
        let message = first_line(&e.without_snippet().to_string());
        ParseError::at(file, text, position, message)
    })
}

/// The parser's message without its own position and picture: ours are drawn the same way for every
/// error.
fn first_line(message: &str) -> String {
    let line = message
        .lines()
        .map(str::trim)
        .find(|l| !l.is_empty())
        .unwrap_or("not a policy");
    let line = line.strip_prefix("error: ").unwrap_or(line);
    // Advice for those who call the parser, not for those who write policies.
    let line = line
        .split(", set DuplicateKeyPolicy")
        .next()
        .unwrap_or(line);
    let line = match line.rsplit_once(" at line ") {
        Some((head, _)) => head,
        None => line,
    };
    match line.strip_prefix("line ").and_then(|l| l.split_once(": ")) {
        Some((_, tail)) => tail.to_owned(),
        None => line.to_owned(),
    }
}

/// The JSON Schema of a policy file (draft 2020-12).
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Policy).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_line_is_not_shown() {
        assert_eq!(
            clip("  secret_access_key: wJalr/K7\t"),
            "  secret_access_key: …"
        );
        assert_eq!(
            clip("credentials: {AWS_SECRET: x, b: y}"),
            "credentials: {AWS_SECRET: …"
        );
        assert_eq!(
            clip("    s3: https://user:hunter2@s3.example.com/x"),
            "    s3: https://…@s3.example.com/x"
        );
        assert_eq!(
            clip("    s3: https://s3.example.com/a@b"),
            "    s3: https://s3.example.com/a@b"
        );
        assert_eq!(clip("  name: shop"), "  name: shop");
        assert_eq!(
            clip("  name: K005abcdefABCDEF0123456789abcde"),
            "  name: …",
            "31 letters"
        );
        assert_eq!(
            clip(&format!("  name: {}", "0a".repeat(32))),
            "  name: …",
            "hexadecimal"
        );
        assert_eq!(
            clip("  name: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY, b"),
            "  name: …, b"
        );
        let arn = "    kms_key: \
         arn:aws:kms:eu-central-1:222222222222:key/0b1c2d3e-1111-2222-3333-444455556666";
        assert_eq!(clip(arn), arn);
    }

    #[test]
    fn a_name_that_never_ends_is_not_repeated_whole() {
        let error = parse("p.yaml", &format!("{}: 1\n", "ä b".repeat(300))).unwrap_err();
        assert!(error.message.starts_with("unknown field `ä b"), "{error}");
        assert!(
            error.message.contains(" … ")
                && error.message.ends_with("probe")
                && error.message.chars().count() < 610,
            "{error}"
        );
        assert_eq!(short("unknown field `x`"), "unknown field `x`");
        let far = parse(
            "p.yaml",
            &format!("{{version: 1, {}nope: 1}}", " ".repeat(9_000)),
        )
        .unwrap_err();
        assert!(
            far.position.is_some_and(|(_, column)| column > 9_000) && far.to_string().len() < 1_000,
            "{far}"
        );
    }

    #[test]
    fn an_endless_policy_is_not_read() {
        let error = parse("p.yaml", &"#".repeat(MAX_BYTES + 1)).unwrap_err();
        assert!(
            error.to_string().contains("at most 262144 bytes are read"),
            "{error}"
        );
    }
}
