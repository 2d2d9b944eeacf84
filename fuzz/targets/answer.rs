//! What a service answers to each question whose answer is XML.
#![no_main]

#[path = "../../tests/it/fuzz/answers.rs"]
mod answers;
#[path = "../../tests/it/fuzz/entries.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod entries;

use std::sync::LazyLock;

static SERVICE: LazyLock<answers::Service> = LazyLock::new(answers::Service::start);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    SERVICE.answers(200, bytes);
});
