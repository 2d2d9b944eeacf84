//! The one test binary.

mod layering;
mod source;
