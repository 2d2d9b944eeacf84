//! `*` matches anything, slashes too.

pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_anything_and_nothing_else_does() {
        assert!(matches("runs/*/backup-*", "runs/shop/backup-1/0"));
        assert!(matches("*", ""));
        assert!(matches("a*a", "aa") && !matches("a*a", "a"));
        assert!(matches("vault.json", "vault.json") && !matches("vault.json", "vault.json2"));
        assert!(!matches("points/*/point.json", "points/x/copies/point"));
    }
}
