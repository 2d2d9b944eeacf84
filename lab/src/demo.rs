//! `dr-lab demo`: the real `dr` protects a living shop, its region is lost under load, and it comes
//! back.

mod compare;
mod leftovers;
mod lose;
mod protect;
mod recover;
mod report;
mod story;
mod terminal;

use crate::up::{Control, LabError, LatencyProfile, Options, Up, wait_for_signal};
use report::Report;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use story::Story;

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// One line of JSON (dr-lab/demo/1) after the story
    #[arg(long)]
    json: bool,
    /// Leave the lab up until Ctrl-C and print what can be tried
    #[arg(long)]
    keep: bool,
    /// The `dr` program; default: the one beside this program
    #[arg(long, value_name = "PATH")]
    dr: Option<PathBuf>,
    /// Keep the lab's files here, a directory that does not exist yet; default: a temporary one
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// True where everything came back equal and nothing was left.
///
/// # Errors
/// The lab does not come up, or somebody stopped the demo.
pub async fn run(args: &Args, control: Control) -> Result<bool, LabError> {
    let began = Instant::now();
    let options = options(args)?;
    let dr = program(args, options.program.as_deref())?;
    let story = Story;
    let up = tokio::select! {
        up = Up::start(options, control) => up?,
        told = wait_for_signal() => return told.and(Err(stopped())),
    };
    let mut report = Report::new(up.lab.latency);
    let told = tokio::select! {
        told = tell(&up, &dr, &story, &mut report, began) => told,
        told = wait_for_signal() => told.and(Err(stopped())),
    };
    let interrupted = matches!(&told, Err(e) if e.to_string() == stopped().to_string());
    if let Err(e) = &told {
        report.trouble.push(e.to_string());
    }
    report.leftovers = Some(up.lab.leftovers().await);
    let mut kept = Duration::ZERO;
    if args.keep && !interrupted {
        let since = Instant::now();
        story.keep(&up);
        wait_for_signal().await?;
        kept = since.elapsed();
    }
    let dir = up.dir().to_owned();
    up.stop().await;
    // Only now can it be said whether a process of any kind outlived the lab.
    if let Some(left) = report.leftovers.as_mut() {
        left.processes += leftovers::processes_of(&dir);
    }
    report.wall_s = story::tenths((began.elapsed() - kept).as_secs_f64());
    report.judge();
    story.end(&report);
    if args.json {
        story.line(&serde_json::to_string(&report).map_err(|e| LabError::told(e.to_string()))?);
    }
    Ok(report.ok)
}

fn stopped() -> LabError {
    LabError::told("the demo was stopped")
}

fn options(args: &Args) -> Result<Options, LabError> {
    if let Some(dir) = args.dir.as_ref().filter(|d| d.exists()) {
        return Err(LabError::told(format!(
            "{} exists; the demo tells its story from the beginning: name a new directory",
            dir.display()
        )));
    }
    let program = std::env::current_exe()
        .map_err(|e| LabError::told(format!("finding our own executable: {e}")))?;
    Ok(Options {
        dir: args.dir.clone(),
        program: Some(program),
        empty: false,
        no_writers: false,
        latency: LatencyProfile::None,
        pg: None,
    })
}

fn program(args: &Args, own: Option<&Path>) -> Result<PathBuf, LabError> {
    let beside = || own.and_then(Path::parent).map(|d| d.join("dr"));
    let dr = args.dr.clone().or_else(beside).ok_or_else(|| {
        LabError::told("no directory to look for dr in; type: dr-lab demo --dr PATH")
    })?;
    let dr = std::path::absolute(&dr).map_err(LabError::file("resolving", &dr))?;
    if dr.is_file() {
        Ok(dr)
    } else {
        Err(LabError::told(format!(
            "there is no program {}; type: cargo build --workspace --bins, or dr-lab demo --dr \
             PATH",
            dr.display()
        )))
    }
}

/// What is measured goes into the report as soon as it is known, so that a story cut short still
/// says how far it came.
async fn tell(
    up: &Up,
    dr: &Path,
    story: &Story,
    report: &mut Report,
    began: Instant,
) -> Result<(), LabError> {
    story.begin(up, began.elapsed()).await?;
    let protected = protect::all(up, dr, story, report).await?;
    let lost = lose::region(up, story, report).await?;
    let before = recover::Before {
        protected: &protected,
        lost: &lost,
    };
    recover::all(up, dr, story, report, &before).await
}
