//! Reads the sources and says where their shape breaks a rule: one line each, and exit code 1.

mod circles;
mod evidence;
mod imports;
mod size;
mod source;

use source::Crate;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// A rule that does not hold, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// What was looked at, and what was found.
#[derive(Default)]
struct Seen {
    files: usize,
    functions: usize,
    violations: Vec<Violation>,
}

impl Seen {
    fn sources(&mut self, krate: &Crate) {
        for file in &krate.files {
            self.files += 1;
            self.functions += file.functions().len();
            self.violations.extend(size::violations(file));
            self.violations.extend(evidence::violations(file));
        }
    }

    fn last_line(&self) -> String {
        let wrong = match self.violations.len() {
            0 => "no violation".to_owned(),
            1 => "1 violation".to_owned(),
            n => format!("{} violations", grouped(n)),
        };
        let (files, functions) = (grouped(self.files), grouped(self.functions));
        format!("shape: {files} files, {functions} functions, {wrong}")
    }
}

/// `3,900`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn look(root: &Path) -> Result<Seen, String> {
    let mut seen = Seen::default();
    let own = Crate::read(root, "src")?;
    seen.sources(&own);
    seen.violations.extend(circles::violations(&own));
    let lab = Crate::read(root, "lab/src")?;
    seen.sources(&lab);
    seen.violations.extend(circles::violations(&lab));
    for (path, text) in source::texts(root, "tests/it")? {
        seen.files += 1;
        seen.violations.extend(size::wide_lines(&path, &text));
    }
    seen.violations.sort();
    Ok(seen)
}

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let (lines, code) = match look(Path::new(".")) {
        Ok(seen) => {
            let mut lines: Vec<String> = seen.violations.iter().map(Violation::to_string).collect();
            let code = u8::from(!lines.is_empty());
            lines.push(seen.last_line());
            (lines, code)
        }
        Err(why) => (vec![format!("shape: {why}")], 2),
    };
    match writeln!(out, "{}", lines.join("\n")) {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let seen = Seen {
            files: 412,
            functions: 3_900,
            violations: Vec::new(),
        };
        let line = "shape: 412 files, 3,900 functions, no violation";
        assert_eq!(seen.last_line(), line);
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
    }
}
