//! The one test binary.

mod format_pages;
mod formats;
mod layering;
mod source;
