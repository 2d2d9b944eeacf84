//! A list or manifest, compressed or not.
#![no_main]

#[path = "../../tests/it/fuzz/entries.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    entries::list(bytes);
});
