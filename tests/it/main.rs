//! The one test binary.

mod cli;
mod codes;
mod deploy;
mod format_pages;
mod formats;
mod layering;
mod policies;
mod program;
mod runbooks;
mod source;
