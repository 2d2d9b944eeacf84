//! An entry of a journal.
#![no_main]

#[path = "../../tests/it/fuzz/entries.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    entries::entry(bytes);
});
