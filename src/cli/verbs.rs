//! The verbs, and what each takes.

use super::{drill, log, plan, policy, restore, status, tick, vault, verify};
use clap::{Parser, Subcommand};

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
pub struct Cli {
    /// One line of JSON on stdout instead of text
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand, Debug)]
pub enum Verb {
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
    /// Which runs there were, who did them, how long they took and how they ended
    Log(log::Args),
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
