//! What a command answers: text and fields on stdout, findings on stderr, an exit code.

use super::clean::{clean, clean_line};
use crate::report::{Exit, Fail, Finding, exit_of, full};
use serde::Serialize;
use serde_json::{Map, Value, json};

#[derive(Debug)]
pub struct Answer {
    /// `dr/status/1`
    pub schema: &'static str,
    pub text: String,
    pub fields: Map<String, Value>,
    pub findings: Vec<Finding>,
    pub measured_on: &'static str,
}

pub type Outcome = Result<Answer, Fail>;

impl Answer {
    pub fn new(schema: &'static str, measured_on: &'static str) -> Self {
        Self {
            schema,
            text: String::new(),
            fields: Map::new(),
            findings: Vec::new(),
            measured_on,
        }
    }

    /// A command that could not give its answer, as JSON tells it.
    pub fn of_fail(fail: &Fail) -> Self {
        let message = full(fail);
        let mut answer = Self::new("dr/error/1", "aws");
        let mut finding = Finding::error(fail.code, &message);
        finding.hint = fail.hints.first().cloned();
        let finding = finding.thing(message).place(&fail.place).exit(fail.exit);
        answer.findings.push(finding);
        answer
    }

    pub fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(&clean_line(text.as_ref()));
        self.text.push('\n');
    }

    /// Lines of our own making, a document for example.
    pub fn block(&mut self, text: impl AsRef<str>) {
        self.text.push_str(&clean(text.as_ref()));
        self.text.push('\n');
    }

    pub fn set(&mut self, name: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).expect("answers are text, numbers and lists");
        self.fields.insert(name.into(), value);
    }

    pub fn exit(&self) -> Exit {
        exit_of(&self.findings)
    }

    /// `spell`: hints with the user's own words in them.
    pub fn json(&self, spell: &dyn Fn(&Finding) -> Option<String>) -> Value {
        let finding = |f: &Finding| {
            json!({
                "code": f.code.as_str(), "severity": f.severity, "thing": f.thing,
                "place": f.place, "hint": spell(f).unwrap_or_default(), "message": f.message,
            })
        };
        let mut whole = Map::new();
        whole.insert("schema".into(), self.schema.into());
        whole.insert("dr_version".into(), env!("CARGO_PKG_VERSION").into());
        whole.insert("exit_code".into(), self.exit().code().into());
        whole.insert("measured_on".into(), self.measured_on.into());
        let findings: Vec<Value> = self.findings.iter().map(finding).collect();
        whole.insert("findings".into(), findings.into());
        whole.extend(self.fields.clone());
        Value::Object(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_line_break_writes_no_line_of_its_own() {
        let mut answer = Answer::new("x", "aws");
        answer.line("key x\nnext: y");
        assert_eq!(answer.text, "key x\u{fffd}next: y\n");
    }
}
