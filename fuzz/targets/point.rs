//! A document beside or below a point.
#![no_main]

#[path = "../../tests/it/fuzz/entries.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    entries::any_document(bytes);
});
