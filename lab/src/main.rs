//! The practice cloud of `dr` as a program: parse, run, exit code.

use clap::{Parser, Subcommand};
use dr_lab::{control, demo, pg::watchdog, up};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// A practice cloud on loopback: S3 with Object Lock, RDS over real PostgreSQL servers, and faults
/// on request.
#[derive(Parser, Debug)]
#[command(name = "dr-lab", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Starts the lab and stays until Ctrl-C
    Up(up::Args),
    /// Backs a living shop up with dr, loses its region under load, and restores it
    Demo(demo::Args),
    /// Ends what a lab leaves; the lab starts it
    #[command(hide = true)]
    Watchdog {
        #[arg(long)]
        root: PathBuf,
        #[arg(long)]
        sockets: PathBuf,
        #[arg(long)]
        remove: Option<PathBuf>,
    },
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Up(args) => up::run(&args, control::handler)
            .await
            .map(|()| true)
            .map_err(|e| e.to_string()),
        Verb::Demo(args) => demo::run(&args, control::handler)
            .await
            .map_err(|e| e.to_string()),
        Verb::Watchdog {
            root,
            sockets,
            remove,
        } => {
            watchdog::run(&root, &sockets, remove.as_deref());
            Ok(true)
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        // What is wrong was told.
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            // Nobody to tell is no error of ours.
            let _ = writeln!(std::io::stderr(), "error: {why}");
            ExitCode::FAILURE
        }
    }
}
