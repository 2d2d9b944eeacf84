//! What is told of errors and findings, as values: a code, what it means for whoever waits, and the
//! way out. Pure; the command line renders them.

mod code;
mod exit;
mod fail;
mod failure;
mod finding;
mod hint;

pub use code::Code;
pub use exit::Exit;
pub use fail::{Cause, Fail, first_line, full};
pub use failure::Failure;
pub use finding::{Finding, Severity, exit_of};
pub use hint::{Dr, Hint, With};
