//! The one test binary.

mod answers;
mod by_hand;
mod chain;
mod cli;
mod cloud;
mod codes;
mod contract;
mod crash;
mod deploy;
mod format_pages;
mod formats;
mod fuzz;
mod hostile;
mod kill;
mod layering;
mod negative;
mod policies;
mod program;
mod runbooks;
mod race;
mod roles;
mod signals;
mod source;
mod stores;
mod surroundings;
mod sweep;
