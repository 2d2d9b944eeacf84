//! The command line: one file per verb, which parses and renders; no decisions, no service calls.

mod answer;
mod clean;
mod completions;
mod drill;
mod figures;
mod from_vault;
mod hints;
mod log;
mod misunderstood;
mod plan;
mod policy;
mod progress;
mod render;
mod restore;
mod status;
mod tick;
mod vault;
mod verbs;
mod verify;

use crate::operations::Surroundings;
use crate::report::{Code, Exit, Fail, Hint};
use crate::world::World;
use answer::Outcome;
use clap::Parser;
use completions::completions;
use futures_util::FutureExt;
use hints::Typed;
use misunderstood::{misunderstood, wants_json};
use progress::Shown;
use render::show;
use std::ffi::OsString;
use std::pin::Pin;
use verbs::{Cli, Verb};

/// Runs one command; returns its exit code.
pub async fn main(world: World, arguments: Vec<OsString>) -> u8 {
    let typed = Typed::new(&arguments, world.env("DR_POLICY"));
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(e) => return misunderstood(&e, &typed, wants_json(&arguments)),
    };
    let json = cli.json;
    let restoring = matches!(cli.verb, Verb::Restore(_));
    // Behind a pointer: the futures of all verbs inside each other are deeper than the compiler
    // looks by default.
    let command: Pin<Box<dyn Future<Output = Outcome> + '_>> = Box::pin(run(&world, cli.verb));
    // Dropping a command is what a kill would do to it, without the kill: every effect is observed
    // before it is repeated.
    let outcome = tokio::select! {
        outcome = command => outcome,
        () = world.overdue() => Err(left_behind(restoring)),
    };
    show(outcome, &typed, json)
}

fn left_behind(restoring: bool) -> Fail {
    // A restore without a policy has no status, and what was typed is the way on.
    let (next, hint) = if restoring {
        ("the same command", Hint::again("restore"))
    } else {
        ("the next tick", Hint::policy("status"))
    };
    let message = format!(
        "asked to stop, and something did not answer in time: it was left; {next} resumes it"
    );
    Fail::new(Code::Stopped, message).hint(hint)
}

/// The machine gives no threads or no descriptors.
pub fn no_runtime(why: &str, arguments: &[OsString]) -> u8 {
    let message = format!("this machine has no resources for the process: {why}");
    let fail = Fail::new(Code::ResourcesExhausted, message);
    show(
        Err(fail),
        &Typed::new(arguments, None),
        wants_json(arguments),
    )
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
    let progress = Shown::new(world);
    let around = Surroundings {
        world,
        progress: &progress,
    };
    let outcome = match verb {
        Verb::Policy(verb) => policy::run(&verb),
        Verb::Vault(verb) => vault::run(around, &verb).await,
        Verb::Plan(args) => plan::run(around, &args).await,
        Verb::Tick(args) => tick::run(around, &args).await,
        Verb::Status(args) => status::run(around, &args).await,
        Verb::Log(args) => log::run(around, &args).await,
        Verb::Verify(args) => verify::run(around, &args).await,
        Verb::Drill(args) => drill::run(around, &args).await,
        Verb::Restore(args) => restore::run(around, &args).await,
        Verb::Completions { shell } => Ok(completions(shell)),
    };
    progress.clear();
    outcome
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
