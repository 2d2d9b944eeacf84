//! Runs the real binary: no environment, no terminal, from the root of the sources.

use crate::source;
use std::process::{Command, Stdio};

pub struct Out {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dr"));
    command
        .args(arguments)
        .env_clear()
        .current_dir(source::root())
        .stdin(Stdio::null());
    command
}

pub fn run(mut command: Command) -> Out {
    let output = command.output().unwrap();
    Out {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn dr(arguments: &[&str]) -> Out {
    run(command(arguments))
}
