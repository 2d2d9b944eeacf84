//! One segment of a key: a version or a database's name, with what cannot stand there encoded.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::fmt;

/// What cannot stand in one segment of a key as it is.
const SEGMENT: &AsciiSet = &CONTROLS.add(b'/').add(b'\\').add(b'%');

pub(super) fn encoded(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, SEGMENT)
}

pub(super) fn decoded(text: &str) -> Option<String> {
    let plain = percent_decode_str(text).decode_utf8().ok()?.into_owned();
    (encoded(&plain).to_string() == text && !plain.is_empty()).then_some(plain)
}
