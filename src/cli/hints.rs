//! Hints hold a command that can be typed as it stands: what the user typed already is put where a
//! hint says `…` or FILE.

use clap::{ArgAction, CommandFactory};
use std::ffi::OsString;

/// What the user said so far.
pub struct Typed {
    words: Vec<String>,
    policy: Option<String>,
}

impl Typed {
    /// `policy`: of the environment, where the command line names none.
    pub fn new(arguments: &[OsString], policy: Option<String>) -> Self {
        let words: Vec<String> = arguments
            .iter()
            .map(|a| a.to_string_lossy().into_owned())
            .collect();
        let typed = words
            .iter()
            .position(|w| w == "--policy")
            .and_then(|at| words.get(at + 1))
            .cloned();
        let joined = words
            .iter()
            .find_map(|w| w.strip_prefix("--policy="))
            .map(str::to_owned);
        Self {
            policy: typed.or(joined).or(policy),
            words,
        }
    }

    /// A hint with the user's own words in it.
    pub fn spell(&self, hint: &str) -> String {
        let hint = match (&self.policy, hint.strip_suffix("--policy FILE")) {
            (Some(policy), Some(before)) => format!("{before}--policy {}", quoted(policy)),
            _ => hint.to_owned(),
        };
        match hint.split_once(" … ") {
            Some((command, rest)) if command.starts_with("dr ") => self.again(command, rest),
            _ => hint,
        }
    }

    /// The same command with `rest` in it: flags that `rest` gives, and confirmations, are left out
    /// of what was typed.
    fn again(&self, command: &str, rest: &str) -> String {
        let verb = command.trim_start_matches("dr ");
        let cli = super::Cli::command();
        let Some(known) = cli.find_subcommand(verb) else {
            return format!("{command} {rest}");
        };
        let takes_value = |flag: &str| {
            known.get_arguments().any(|a| {
                a.get_long() == Some(flag)
                    && matches!(a.get_action(), ArgAction::Set | ArgAction::Append)
            })
        };
        let given = |flag: &str| {
            ["yes", "plan", "json"].contains(&flag)
                || rest.split(' ').any(|w| w == format!("--{flag}"))
        };
        let mut text = command.to_owned();
        let mut words = self
            .words
            .iter()
            .skip_while(|w| *w != verb)
            .skip(1)
            .peekable();
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix("--") else {
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None if takes_value(flag) => (flag, words.next().cloned()),
                None => (flag, None),
            };
            if given(name) {
                continue;
            }
            text.push_str(&format!(" --{name}"));
            if let Some(value) = value {
                // A URL of a database can hold a password.
                let shown = if name == "into" {
                    "\"$DR_RESTORE_INTO\"".to_owned()
                } else {
                    quoted(&value)
                };
                text.push_str(&format!(" {shown}"));
            }
        }
        format!("{text} {rest}")
    }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Typed {
        Typed::new(
            &line.split(' ').map(OsString::from).collect::<Vec<_>>(),
            None,
        )
    }

    #[test]
    fn the_same_command_is_given_back_with_what_is_missing() {
        let typed = typed(
            "dr restore --from s3://v --region r --endpoint s3=http://127.0.0.1:1 --json --path \
             native --cluster a --yes --plan 1",
        );
        assert_eq!(
            typed.spell("dr restore … --point 2026 --yes --plan ff"),
            "dr restore --from s3://v --region r --endpoint s3=http://127.0.0.1:1 --path native \
             --cluster a --point 2026 --yes --plan ff"
        );
        assert_eq!(
            typed.spell("dr restore … --path s3 --bucket B"),
            "dr restore --from s3://v --region r --endpoint s3=http://127.0.0.1:1 --cluster a \
             --path s3 --bucket B"
        );
    }

    #[test]
    fn a_password_is_never_given_back_and_odd_words_are_quoted() {
        let typed = typed("dr restore --from=s3://v --into postgres://u:secret@h/d --prefix a$b");
        assert_eq!(
            typed.spell("dr restore … --yes --plan ff"),
            "dr restore --from s3://v --into \"$DR_RESTORE_INTO\" --prefix 'a$b' --yes --plan ff"
        );
    }

    #[test]
    fn the_policy_is_the_one_that_was_named() {
        assert_eq!(
            typed("dr tick --policy p.yaml").spell("dr status --policy FILE"),
            "dr status --policy p.yaml"
        );
        assert_eq!(
            Typed::new(&[], Some("e.yaml".into())).spell("dr verify --policy FILE"),
            "dr verify --policy e.yaml"
        );
        assert_eq!(
            Typed::new(&[], None).spell("dr verify --policy FILE"),
            "dr verify --policy FILE"
        );
    }
}
