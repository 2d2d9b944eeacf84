//! Hints with the user's own words in them: a command that can be typed as it stands.

mod quoted;
mod vault_flags;

use crate::report::{Dr, Hint, With};
use clap::{ArgAction, CommandFactory};
use quoted::quoted;
use std::ffi::OsString;

/// What the user said so far.
pub struct Typed {
    words: Vec<String>,
    policy: Option<String>,
}

impl Typed {
    /// `policy`: of the environment, where the command line names none.
    pub fn new(arguments: &[OsString], policy: Option<String>) -> Self {
        let shown = |a: &OsString| a.to_string_lossy().into_owned();
        let words: Vec<String> = arguments.iter().map(shown).collect();
        let behind = words.iter().position(|w| w == "--policy");
        let apart = behind.and_then(|at| words.get(at + 1)).cloned();
        let mut each = words.iter();
        let joined = each.find_map(|w| w.strip_prefix("--policy=").map(str::to_owned));
        Self {
            policy: apart.or(joined).or(policy),
            words,
        }
    }

    /// `None`: it cannot be typed in this situation. A restore from a vault alone has no policy.
    pub fn spell(&self, hint: &Hint) -> Option<String> {
        match hint {
            Hint::Shell(command) => Some(command.clone()),
            Hint::Dr(dr) => {
                let start = format!("dr {}", dr.verb);
                let start = match (dr.with, &self.policy) {
                    (With::Nothing, _) => start,
                    (With::Policy, Some(policy)) if !vault_flags::named(&self.words) => {
                        format!("{start} --policy {}", quoted(policy))
                    }
                    (With::Policy, None) if vault_flags::restoring(&self.words) => return None,
                    // Whoever has a vault and no policy can look, and nothing more.
                    (With::Policy, _) if vault_flags::named(&self.words) => {
                        ["status", "verify", "log"]
                            .contains(&dr.verb)
                            .then_some(())?;
                        format!("{start}{}", vault_flags::given(&self.words))
                    }
                    (With::Policy, _) => format!("{start} --policy FILE"),
                    (With::SameAgain, _) => self.again(start, dr),
                };
                Some(dr.args.iter().fold(start, |text, (flag, value)| {
                    let value = value.as_ref().map(|v| format!(" {}", quoted(v)));
                    format!("{text} {}{}", quoted(flag), value.unwrap_or_default())
                }))
            }
        }
    }

    /// What was typed behind the verb: flags that the hint gives, and confirmations, are left out.
    fn again(&self, start: String, dr: &Dr) -> String {
        let cli = super::verbs::Cli::command();
        let mut verbs = dr.verb.split(' ');
        let Some(known) = verbs.try_fold(&cli, |of, verb| of.find_subcommand(verb)) else {
            return start;
        };
        let takes_value = |flag: &str| {
            known.get_arguments().any(|a| {
                a.get_long() == Some(flag)
                    && matches!(a.get_action(), ArgAction::Set | ArgAction::Append)
            })
        };
        let given = |name: &str| {
            let flag = format!("--{name}");
            ["yes", "plan", "json"].contains(&name) || dr.args.iter().any(|(f, _)| *f == flag)
        };
        let mut text = start;
        let last = dr.verb.rsplit(' ').next().unwrap_or(dr.verb);
        let behind = self.words.iter().skip_while(|w| *w != last).skip(1);
        let mut words = behind.peekable();
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
                let secret = name == "into";
                let shown = if secret {
                    "\"$DR_RESTORE_INTO\"".to_owned()
                } else {
                    quoted(&value)
                };
                text.push_str(&format!(" {shown}"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
