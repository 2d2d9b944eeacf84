//! A command line that clap refuses, or answers itself.

use super::clean;
use super::hints::Typed;
use super::render::show;
use crate::report::{Exit, Fail};
use std::ffi::OsString;
use std::io::Write;

/// What clap says, in JSON where that was asked for.
pub fn misunderstood(e: &clap::Error, typed: &Typed, json: bool) -> u8 {
    let told = e.to_string();
    if e.use_stderr() && json {
        let first = told.lines().next().unwrap_or_default();
        let fail = Fail::usage(first.trim_start_matches("error: "));
        return show(Err(fail), typed, true);
    }
    // What was typed in the wrong place can be a URL with a password.
    let safe = clean::without_passwords(&told);
    drop(if safe == told {
        e.print()
    } else {
        std::io::stderr().lock().write_all(safe.as_bytes())
    });
    let exit = if e.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    };
    exit.code()
}

pub fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().any(|a| a == "--json")
}
