//! A terminal that `dr` is typed into: its directory, its environment, and what the command
//! answered.

use crate::up::LabError;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// No command of the demo may take longer.
const LONGEST: Duration = Duration::from_secs(150);

/// Longer commands are shown on several lines.
const COLUMNS: usize = 120;

/// One variable of the environment; secrets are not shown.
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: &'static str,
    pub value: String,
    pub secret: bool,
}

/// Where commands are typed. Nothing of our own environment gets in but PATH.
#[derive(Clone, Debug)]
pub struct Terminal {
    pub dr: PathBuf,
    pub dir: PathBuf,
    pub variables: Vec<Variable>,
}

/// What a command answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub exit: i32,
    pub json: Value,
    pub s: f64,
}

impl Terminal {
    /// What is typed before the first command: where, and who. Secrets are not shown.
    pub fn entered(&self) -> [String; 2] {
        let value = |v: &Variable| {
            if v.secret {
                "…".to_owned()
            } else {
                quoted(&v.value)
            }
        };
        let variables = self
            .variables
            .iter()
            .map(|v| format!("{}={}", v.name, value(v)));
        let dir = quoted(&self.dir.display().to_string());
        [
            format!("cd {dir}"),
            wrapped(std::iter::once("export".to_owned()).chain(variables)),
        ]
    }

    /// Runs `dr` and reads the line of JSON that it answers.
    ///
    /// # Errors
    /// It cannot be started, takes too long, or answers no JSON; what it told on stderr is in the
    /// text.
    pub async fn run(&self, arguments: &[&str]) -> Result<Answer, LabError> {
        let began = Instant::now();
        let mut command = tokio::process::Command::new(&self.dr);
        command
            .args(arguments.iter().map(|a| self.expanded(a)))
            .current_dir(&self.dir)
            .env_clear()
            .envs(path());
        command.envs(self.variables.iter().map(|v| (v.name, v.value.clone())));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let shown = shown(arguments);
        let output = tokio::time::timeout(LONGEST, command.output()).await;
        let output = output.map_err(|_| {
            LabError::told(format!(
                "`{shown}` takes longer than {} s",
                LONGEST.as_secs()
            ))
        })?;
        let output = output.map_err(LabError::file("starting", &self.dr))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let json = serde_json::from_str(text.lines().last().unwrap_or_default());
        let json = json.map_err(|_| {
            LabError::told(format!(
                "`{shown}` answers no JSON: {}",
                last_lines(&output.stderr)
            ))
        })?;
        Ok(Answer {
            exit: output.status.code().unwrap_or(-1),
            json,
            s: began.elapsed().as_secs_f64(),
        })
    }

    /// As `run`, where anything but 0 ends the story.
    ///
    /// # Errors
    /// As `run`; or the findings of the answer.
    pub async fn succeed(&self, arguments: &[&str]) -> Result<Answer, LabError> {
        let answer = self.run(arguments).await?;
        match answer.exit {
            0 => Ok(answer),
            code => Err(LabError::told(format!(
                "`{}` ends with {code}: {}",
                shown(arguments),
                findings(&answer.json)
            ))),
        }
    }

    fn expanded(&self, argument: &str) -> String {
        let variable = argument
            .strip_prefix('$')
            .and_then(|name| self.variables.iter().find(|v| v.name == name));
        variable.map_or_else(|| argument.to_owned(), |v| v.value.clone())
    }
}

fn path() -> Option<(&'static str, std::ffi::OsString)> {
    std::env::var_os("PATH").map(|p| ("PATH", p))
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

fn findings(json: &Value) -> String {
    let all = json["findings"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let told: Vec<&str> = all
        .iter()
        .filter(|f| f["severity"] == "error")
        .filter_map(|f| f["message"].as_str())
        .collect();
    if told.is_empty() {
        "it names no finding".into()
    } else {
        told.join("; ")
    }
}

/// A command as one would type it, on several lines where it is long; a flag stays with its value.
pub fn shown(arguments: &[&str]) -> String {
    let mut words = vec!["dr".to_owned()];
    let mut flag = false;
    for argument in arguments {
        let word = if argument.starts_with('$') {
            (*argument).to_owned()
        } else {
            quoted(argument)
        };
        match words
            .last_mut()
            .filter(|_| flag && !argument.starts_with("--"))
        {
            Some(before) => *before = format!("{before} {word}"),
            None => words.push(word),
        }
        flag = argument.starts_with("--");
    }
    wrapped(words.into_iter())
}

/// A shell goes on after a backslash at the end of a line.
fn wrapped(words: impl Iterator<Item = String>) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for word in words {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > COLUMNS {
            text.push_str(" \\\n    ");
            column = 4;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(&word);
        column += length;
    }
    text
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A new, empty directory.
///
/// # Errors
/// The disk's, or it is there already.
pub fn empty_dir(path: &Path) -> Result<PathBuf, LabError> {
    let made = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::create_dir(path));
    made.map_err(LabError::file("making", path))?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed_without_its_secrets() {
        let variable = |name, value: &str, secret| Variable {
            name,
            value: value.into(),
            secret,
        };
        let variables = vec![
            variable("HOME", "/tmp/a b", false),
            variable("AWS_SECRET_ACCESS_KEY", "hidden", true),
            variable("DR_POLICY", "p.yaml", false),
        ];
        let terminal = Terminal {
            dr: "dr".into(),
            dir: "/".into(),
            variables,
        };
        assert_eq!(
            terminal.entered(),
            [
                "cd /",
                "export HOME='/tmp/a b' AWS_SECRET_ACCESS_KEY=… DR_POLICY=p.yaml"
            ]
        );
        assert_eq!(
            shown(&["policy", "check", "$DR_POLICY"]),
            "dr policy check $DR_POLICY"
        );
        assert_eq!(
            (
                terminal.expanded("$DR_POLICY"),
                terminal.expanded("$NOBODY")
            ),
            ("p.yaml".into(), "$NOBODY".into())
        );
        let long = "x".repeat(100);
        assert_eq!(
            shown(&["--a", &long, "--b", "c d", "--from", "e", "--yes"]),
            format!("dr --a {long} --b 'c d' \\\n    --from e --yes")
        );
    }
}
