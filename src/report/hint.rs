//! The way out, as a command.

/// Something that can be typed where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    Dr(Dr),
    Shell(String),
}

/// A command of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dr {
    /// `vault probe`
    pub verb: &'static str,
    pub with: With,
    /// Flags with their values, and plain words.
    pub args: Vec<(String, Option<String>)>,
}

/// What the command takes from the present situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    Nothing,
    /// The policy file that was named. An incident may have none: the hint is then not shown.
    Policy,
    /// What was typed, but for the flags that the hint gives itself.
    SameAgain,
}

impl Hint {
    fn new(verb: &'static str, with: With) -> Self {
        Hint::Dr(Dr {
            verb,
            with,
            args: Vec::new(),
        })
    }

    /// A command as it stands.
    pub fn dr(verb: &'static str) -> Self {
        Self::new(verb, With::Nothing)
    }

    /// A command on the policy at hand.
    pub fn policy(verb: &'static str) -> Self {
        Self::new(verb, With::Policy)
    }

    /// The command that was typed, with something more or something else.
    pub fn again(verb: &'static str) -> Self {
        Self::new(verb, With::SameAgain)
    }

    pub fn shell(command: impl Into<String>) -> Self {
        Hint::Shell(command.into())
    }

    #[must_use]
    pub fn arg(mut self, flag: &str, value: impl ToString) -> Self {
        if let Hint::Dr(dr) = &mut self {
            dr.args.push((flag.to_owned(), Some(value.to_string())));
        }
        self
    }

    /// A flag without a value, or a plain word.
    #[must_use]
    pub fn word(mut self, word: impl ToString) -> Self {
        if let Hint::Dr(dr) = &mut self {
            dr.args.push((word.to_string(), None));
        }
        self
    }
}
