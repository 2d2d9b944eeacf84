//! The question before a restore, or the hash that stands for its answer.

use super::args::Args;
use super::confirm::confirm;
use super::show;
use crate::cli::clean::clean;
use crate::cli::figures::span;
use crate::operations::restore::Choice;
use crate::report::{Code, Fail, Hint};
use crate::world::World;
use std::io::{BufRead, IsTerminal, Write};

/// False: there is nobody to ask.
///
/// # Errors
/// Exit 2: the hash is another plan's, or the word was not typed; 12: asked to stop.
pub async fn confirmed(world: &World, args: &Args, choice: &Choice<'_>) -> Result<bool, Fail> {
    if args.yes {
        return match &args.plan {
            Some(hash) if choice.is_confirmed_by(hash) => Ok(true),
            _ => Err(Fail::new(
                Code::PlanChanged,
                format!(
                    "the plan's hash is now {}, not the one that was confirmed; look at the plan \
                     again",
                    choice.hash
                ),
            )
            .hint(confirm(choice))),
        };
    }
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let question = format!(
        "{}\nIt would lose about {}{}. Type {} to go on: ",
        show::summary(choice),
        span(choice.option.loses_s),
        without(choice),
        choice.word
    );
    let mut err = std::io::stderr().lock();
    drop(
        err.write_all(clean(&question).as_bytes())
            .and_then(|()| err.flush()),
    );
    drop(err);
    let typed = tokio::select! {
        typed = line() => typed.map_err(|e| Fail::usage(format!("nothing could be read: {e}")))?,
        () = world.stopped() => {
            let message = "asked to stop at the question; nothing was changed";
            return Err(Fail::new(Code::Stopped, message).hint(Hint::again("restore")));
        }
    };
    if typed.trim() == choice.word {
        return Ok(true);
    }
    let message = format!("`{}` was not typed; nothing was changed", choice.word);
    Err(Fail::new(Code::NotConfirmed, message).hint(Hint::again("restore")))
}

/// What would not come back, counted; the plan above names each.
fn without(choice: &Choice<'_>) -> String {
    match choice.option.exceptions.len() {
        0 => String::new(),
        n => format!(", and not bring back {n} things named above"),
    }
}

/// A line of stdin, read beside everything else: who waits for it can still be asked to stop, and
/// the thread goes with the process.
async fn line() -> std::io::Result<String> {
    let (give, take) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut typed = String::new();
        let read = std::io::stdin().lock().read_line(&mut typed);
        // Nobody waits any more where the answer was Ctrl-C.
        let _gone = give.send(read.map(|_| typed));
    });
    let gone = |_| Err(std::io::Error::other("the reader ended"));
    take.await.unwrap_or_else(gone)
}
