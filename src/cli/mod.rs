//! The command line: one file per verb, one place for output, one table of exit codes.

mod clean;
mod drill;
mod exit;
mod hints;
mod home;
mod load;
mod output;
mod plan;
mod planning;
mod points;
mod policy;
mod progress;
mod restore;
mod runs;
mod status;
mod sweep;
mod tick;
mod vault;
mod verify;

pub use exit::Exit;

use crate::world::World;
use clap::{CommandFactory, Parser, Subcommand};
use futures_util::FutureExt;
use output::{Answer, Fail, Outcome, show};
use std::ffi::OsString;
use std::io::Write;
use std::pin::Pin;

/// Backup and disaster recovery you can prove.
///
/// Takes Aurora snapshots and S3 objects into Object Lock vaults in a second region and at another
/// provider, restores them to prove that they can be restored, and restores them when it matters.
#[derive(Parser, Debug)]
#[command(
    name = "dr",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    /// One line of JSON on stdout instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Policies: check them, print their schema
    #[command(subcommand)]
    Policy(policy::Verb),
    /// Vaults: create, probe the lock, print the bucket policy
    #[command(subcommand)]
    Vault(vault::Verb),
    /// Shows what the next backup would do; changes nothing
    Plan(plan::Args),
    /// Does what is due: what a CronJob calls
    Tick(tick::Args),
    /// The newest point, the newest proven one, what is open, missed and breached
    Status(status::Args),
    /// Reads everything that a recovery point references and names what is wrong
    Verify(verify::Args),
    /// Restores a point into scratch things and proves it
    Drill(drill::Args),
    /// Restores for real: a cluster, a database, files
    Restore(Box<restore::Args>),
    /// Prints a completion script for a shell
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
}

/// Runs one command; returns its exit code.
pub async fn main(world: World, arguments: Vec<OsString>) -> u8 {
    let json = wants_json(&arguments);
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(e) if e.use_stderr() && json => {
            return show(
                Err(Fail::usage(
                    e.to_string()
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .trim_start_matches("error: "),
                )),
                true,
            );
        }
        Err(e) => {
            let told = e.to_string();
            // What was typed in the wrong place can be a URL with a password.
            let safe = clean::without_passwords(&told);
            drop(if safe == told {
                e.print()
            } else {
                std::io::stderr().lock().write_all(safe.as_bytes())
            });
            return if e.use_stderr() {
                Exit::Usage.code()
            } else {
                Exit::Done.code()
            };
        }
    };
    let json = cli.json;
    let restoring = matches!(cli.verb, Verb::Restore(_));
    // Behind a pointer: the futures of all verbs inside each other are deeper than the compiler
    // looks by default.
    let command: Pin<Box<dyn Future<Output = Outcome> + '_>> = Box::pin(run(&world, cli.verb));
    let typed = hints::Typed::new(&arguments, world.env("DR_POLICY"));
    // Dropping a command is what a kill would do to it, without the kill: every effect is observed
    // before it is repeated.
    let outcome = tokio::select! {
        outcome = command => outcome,
        () = world.overdue() => Err(left_behind(restoring)),
    };
    show(output::spelled(outcome, &typed), json)
}

fn left_behind(restoring: bool) -> Fail {
    let left = |next: &str| {
        Fail::new(
            Exit::Unavailable,
            "stopped",
            format!(
                "asked to stop, and something did not answer in time: it was left; {next} goes on"
            ),
        )
    };
    // A restore without a policy has no status, and what was typed is the way on.
    if restoring {
        left("the same command")
    } else {
        left("the next tick").hint("dr status --policy FILE")
    }
}

/// The machine gives no threads or no descriptors.
pub fn no_runtime(why: &str, arguments: &[OsString]) -> u8 {
    show(
        Err(Fail::new(
            Exit::Unavailable,
            "no-room",
            format!("this machine has no room for the process: {why}"),
        )
        .hint("ulimit -a")),
        wants_json(arguments),
    )
}

fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().any(|a| a == "--json")
}

/// A panic is a bug of ours and has an exit code of its own; the runtime's would be one that no
/// table knows.
pub async fn guarded(command: impl Future<Output = u8>) -> u8 {
    std::panic::AssertUnwindSafe(command)
        .catch_unwind()
        .await
        .unwrap_or(Exit::Bug.code())
}

async fn run(world: &World, verb: Verb) -> Outcome {
    match verb {
        Verb::Policy(verb) => policy::run(&verb),
        Verb::Vault(verb) => vault::run(world, &verb).await,
        Verb::Plan(args) => plan::run(world, &args).await,
        Verb::Tick(args) => tick::run(world, &args).await,
        Verb::Status(args) => status::run(world, &args).await,
        Verb::Verify(args) => verify::run(world, &args).await,
        Verb::Drill(args) => drill::run(world, &args).await,
        Verb::Restore(args) => restore::run(world, &args).await,
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "dr", &mut script);
            let mut answer = Answer::new("dr/completions/1");
            answer.text = String::from_utf8_lossy(&script).into_owned();
            answer.set("script", answer.text.clone());
            Ok(answer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_exit_1() {
        assert_eq!(guarded(async { 13 }).await, 13);
        assert_eq!(guarded(async { panic!("on purpose") }).await, 1);
    }
}
