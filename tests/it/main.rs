//! The one test binary.

mod answers;
mod by_hand;
mod chain;
mod cli;
mod cloud;
mod codes;
mod contract;
mod crash;
mod damage;
mod deploy;
mod evidence;
mod format_pages;
mod formats;
mod kill;
mod layering;
mod negative;
mod policies;
mod program;
mod runbooks;
mod race;
mod roles;
mod source;
mod stores;
mod sweep;
mod targets;
