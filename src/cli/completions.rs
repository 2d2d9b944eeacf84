//! `dr completions`.

use super::answer::Answer;
use super::verbs::Cli;
use clap::CommandFactory;

pub fn completions(shell: clap_complete::Shell) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dr", &mut script);
    let mut answer = Answer::new("dr/completions/1", "aws");
    answer.text = String::from_utf8_lossy(&script).into_owned();
    answer.set("script", answer.text.clone());
    answer
}
