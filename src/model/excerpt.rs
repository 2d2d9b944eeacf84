//! Messages that repeat what somebody else wrote.

/// A parser's message of at most some 600 characters: it repeats names from a file that anybody
/// wrote, and ends with what they should be.
pub fn short(message: &str) -> String {
    const HALF: usize = 300;
    let count = message.chars().count();
    if count <= 2 * HALF {
        return message.to_owned();
    }
    let (head, tail): (String, String) = (
        message.chars().take(HALF).collect(),
        message.chars().skip(count - HALF).collect(),
    );
    format!("{head} … {tail}")
}
