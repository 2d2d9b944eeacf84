//! The one test binary.

mod chain;
mod cli;
mod cloud;
mod contract;
mod crash;
mod format_pages;
mod formats;
mod layering;
mod negative;
mod policies;
mod program;
mod source;
mod stores;
