//! The one test binary.

mod chain;
mod cloud;
mod contract;
mod format_pages;
mod formats;
mod layering;
mod negative;
mod source;
mod stores;
