//! One token after the other, as bytes: everything that SQL means by itself is ASCII.

/// Where the token that begins at `at` ends; always further on. What never ends, ends with the
/// text.
pub(super) fn token_end(text: &[u8], at: usize) -> usize {
    let byte = |n: usize| text.get(at + n).copied().unwrap_or(0);
    match (byte(0), byte(1)) {
        (b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, _) => {
            at + text[at..].iter().take_while(|b| space(**b)).count()
        }
        (b'-', b'-') => comment_end(text, at),
        (b'/', b'*') => block_end(text, at),
        (b'\'', _) => string_end(text, at + 1, false),
        (b'"', _) => closed(text, at + 1, b'"'),
        (b'e' | b'E', b'\'') => string_end(text, at + 2, true),
        (b'b' | b'B' | b'x' | b'X' | b'n' | b'N', b'\'') => string_end(text, at + 2, false),
        (b'u' | b'U', b'&') if byte(2) == b'\'' => string_end(text, at + 3, false),
        (b'u' | b'U', b'&') if byte(2) == b'"' => closed(text, at + 3, b'"'),
        (b'$', _) => dollar_end(text, at),
        (b, _) if word_start(b) => word_end(text, at),
        // A number takes the letters behind it: `1e5` is no word `e5`.
        (b, _) if b.is_ascii_digit() => word_end(text, at),
        _ => at + 1,
    }
}

/// White space or a comment.
pub(super) fn blank(token: &str) -> bool {
    let bytes = token.as_bytes();
    bytes.first().is_none_or(|b| space(*b)) || bytes.starts_with(b"--") || bytes.starts_with(b"/*")
}

/// Behind the line break that ends the line of `at`.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    let found = text[at..].iter().position(|b| *b == b'\n');
    found.map_or(text.len(), |n| at + n + 1)
}

fn space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn word_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_' || b >= 0x80
}

fn word_end(text: &[u8], at: usize) -> usize {
    let inside = |b: &u8| word_start(*b) || b.is_ascii_digit() || *b == b'$';
    at + text[at..].iter().take_while(|b| inside(b)).count()
}

/// A carriage return ends a comment too, as it does for the server.
fn comment_end(text: &[u8], at: usize) -> usize {
    let found = text[at..].iter().position(|b| matches!(b, b'\n' | b'\r'));
    found.map_or(text.len(), |n| at + n)
}

/// Comments of this kind nest.
fn block_end(text: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0usize);
    while at < text.len() {
        match &text[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Behind the quote that closes; two of them are one inside.
fn closed(text: &[u8], mut at: usize, quote: u8) -> usize {
    while at < text.len() {
        match (text[at] == quote, text.get(at + 1) == Some(&quote)) {
            (true, true) => at += 2,
            (true, false) => return at + 1,
            _ => at += 1,
        }
    }
    at.min(text.len())
}

/// A string; a backslash in an escape string takes the byte behind it. A string that goes on
/// behind a line break goes on in the same way.
fn string_end(text: &[u8], mut at: usize, escapes: bool) -> usize {
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            (b'\\', _) if escapes => at += 2,
            (b'\'', Some(b'\'')) => at += 2,
            (b'\'', _) => match continued(text, at + 1) {
                Some(next) => at = next,
                None => return at + 1,
            },
            _ => at += 1,
        }
    }
    // A backslash at the very end points behind it, and may not split a letter.
    at.min(text.len())
}

/// Behind the quote that opens the next part, where nothing but white space with a line break, and
/// comments to the end of their lines, stand between.
fn continued(text: &[u8], mut at: usize) -> Option<usize> {
    let mut broken = false;
    loop {
        match *text.get(at)? {
            b'\'' if broken => return Some(at + 1),
            b if space(b) => {
                broken |= matches!(b, b'\n' | b'\r');
                at += 1;
            }
            b'-' if text.get(at + 1) == Some(&b'-') => at = comment_end(text, at),
            _ => return None,
        }
    }
}

/// `$$…$$`, `$tag$…$tag$`; a `$` that opens none stands for itself.
fn dollar_end(text: &[u8], at: usize) -> usize {
    let inside = |b: &u8| word_start(*b) || b.is_ascii_digit();
    let length = text[at + 1..].iter().take_while(|b| inside(b)).count();
    let close = at + 1 + length;
    let begins_well = text.get(at + 1).is_some_and(|b| !b.is_ascii_digit());
    if text.get(close) != Some(&b'$') || !begins_well {
        return at + 1;
    }
    let (tag, body) = (&text[at..=close], close + 1);
    let found = text[body..].windows(tag.len()).position(|w| w == tag);
    found.map_or(text.len(), |n| body + n + tag.len())
}
