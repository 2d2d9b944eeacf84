//! The one test binary.

mod cli;
mod format_pages;
mod formats;
mod layering;
mod policies;
mod program;
mod source;
