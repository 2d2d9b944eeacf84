//! How a restore is confirmed where nobody can be asked: by its own hash.

use crate::operations::restore::Choice;
use crate::report::{Code, Finding, Hint};

/// The same command, with the answer in it.
pub fn confirm(choice: &Choice<'_>) -> Hint {
    let again = Hint::again("restore").arg("--point", choice.option.point);
    again.word("--yes").arg("--plan", &choice.hash)
}

pub fn not_confirmed(choice: &Choice<'_>) -> Finding {
    let message = "nothing was changed: there is no terminal to confirm at";
    let finding = Finding::error(Code::NotConfirmed, message).thing(&choice.word);
    finding.hint(confirm(choice))
}
