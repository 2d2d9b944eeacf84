//! The vault that was named instead of a policy file.

use super::quoted::quoted;

const FLAGS: [&str; 5] = ["from", "region", "endpoint", "of", "profile"];

pub(super) fn restoring(words: &[String]) -> bool {
    words.iter().any(|w| w == "restore")
}

/// Whether a vault was named to look at.
pub(super) fn named(words: &[String]) -> bool {
    !restoring(words) && given(words).contains(" --from ")
}

/// The flags, as they were typed.
pub(super) fn given(words: &[String]) -> String {
    let mut words = words.iter();
    let mut text = String::new();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--") else {
            continue;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        if FLAGS.contains(&name)
            && let Some(value) = value.or_else(|| words.next().cloned())
        {
            text.push_str(&format!(" --{name} {}", quoted(&value)));
        }
    }
    text
}
