//! A policy, as an operator writes it.
#![no_main]

#[path = "../../tests/it/fuzz/entries.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    entries::policy(bytes);
});
