//! Who wrote the text of a schema.

/// As the comment at the head of `pg_dump`'s text says it.
pub(super) fn writers(text: &str) -> Option<(String, String)> {
    let head = text.lines().take(20);
    let after = |what: &str| {
        let mut lines = head.clone().filter_map(|l| l.strip_prefix(what));
        let version = lines.next()?;
        let end = version.find(|c: char| !c.is_ascii_digit());
        Some(version[..end.unwrap_or(version.len())].to_owned())
    };
    Some((
        after("-- Dumped from database version ")?,
        after("-- Dumped by pg_dump version ")?,
    ))
}
