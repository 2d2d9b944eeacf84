//! A reader takes in a file, a function and a line at once: none is larger than that allows.

use crate::Violation;
use crate::source::{Function, SourceFile, lines_of, only_for_tests};
use syn::spanned::Spanned;

const FILE_LINES: usize = 300;
/// Of the command line, which parses and renders.
const CLI_FILE_LINES: usize = 120;
const FUNCTION_LINES: usize = 70;
const PARAMETERS: usize = 5;
const COLUMNS: usize = 100;

pub fn violations(file: &SourceFile) -> Vec<Violation> {
    let mut found = wide_lines(&file.path, &file.text);
    let lines = lines_without_tests(file);
    let most = match file.path.starts_with("src/cli/") {
        true => CLI_FILE_LINES,
        false => FILE_LINES,
    };
    if lines > most {
        let what = format!("the file has {lines} lines without its tests, at most {most}");
        found.push(Violation {
            file: file.path.clone(),
            line: 1,
            what,
        });
    }
    found.extend(file.functions().iter().flat_map(|f| of_function(file, f)));
    found
}

pub fn wide_lines(path: &str, text: &str) -> Vec<Violation> {
    let lines = text.lines().enumerate();
    let wide = lines.filter(|(_, line)| line.chars().count() > COLUMNS);
    wide.map(|(at, line)| Violation {
        file: path.to_owned(),
        line: at + 1,
        what: format!(
            "the line has {} columns, at most {COLUMNS}",
            line.chars().count()
        ),
    })
    .collect()
}

fn lines_without_tests(file: &SourceFile) -> usize {
    if file.test {
        return 0;
    }
    let tests = file.ast.items.iter().filter_map(|item| match item {
        syn::Item::Mod(m) if only_for_tests(&m.attrs) => Some(lines_of(m.span())),
        _ => None,
    });
    let of_tests: usize = tests.map(|(first, last)| last + 1 - first).sum();
    file.text.lines().count() - of_tests
}

fn of_function(file: &SourceFile, function: &Function) -> Vec<Violation> {
    let name = &function.signature.ident;
    let lines = function.last_line + 1 - function.line;
    let inputs = function.signature.inputs.iter();
    let parameters = inputs.filter(|i| matches!(i, syn::FnArg::Typed(_))).count();
    let mut found = Vec::new();
    let mut wrong = |what: String| {
        found.push(Violation {
            file: file.path.clone(),
            line: function.line,
            what,
        });
    };
    if lines > FUNCTION_LINES {
        wrong(format!(
            "`{name}` has {lines} lines, at most {FUNCTION_LINES}"
        ));
    }
    if parameters > PARAMETERS {
        wrong(format!(
            "`{name}` has {parameters} parameters, at most {PARAMETERS}"
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let file = SourceFile::planted("src/a.rs", text);
        let all = violations(&file);
        all.iter().map(Violation::to_string).collect()
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let (long, fits) = ("struct A;\n".repeat(301), "struct A;\n".repeat(300));
        let said = "src/a.rs:1: the file has 301 lines without its tests, at most 300";
        assert_eq!(found(&long), [said]);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(90));
        assert!(found(&format!("{fits}{tests}")).is_empty());
        assert_eq!(found(&format!("{long}{tests}")), [said]);
    }

    #[test]
    fn a_file_of_the_command_line_is_shorter() {
        let of = |lines: usize| {
            let file = SourceFile::planted("src/cli/a.rs", &"struct A;\n".repeat(lines));
            violations(&file).len()
        };
        assert_eq!((of(121), of(120)), (1, 0));
    }

    #[test]
    fn a_long_function_is_found() {
        let of = |lines: usize| format!("struct A;\nfn f() {{\n{}}}\n", "g();\n".repeat(lines - 2));
        assert_eq!(found(&of(71)), ["src/a.rs:2: `f` has 71 lines, at most 70"]);
        assert!(found(&of(70)).is_empty());
        let method = format!("impl A {{\n{}}}", of(71).replace("struct A;\n", "\n"));
        assert_eq!(found(&method).len(), 1);
    }

    #[test]
    fn a_function_with_many_parameters_is_found_and_self_is_none() {
        let six = "fn f(a: A, b: A, c: A, d: A, e: A, f: A) {}";
        assert_eq!(found(six), ["src/a.rs:1: `f` has 6 parameters, at most 5"]);
        assert!(found("impl A { fn f(&self, a: A, b: A, c: A, d: A, e: A) {} }").is_empty());
    }

    #[test]
    fn a_wide_line_is_found() {
        let line = |columns: usize| format!("// {}\n", "ü".repeat(columns - 3));
        let said = "src/a.rs:1: the line has 101 columns, at most 100";
        assert_eq!(found(&line(101)), [said]);
        assert!(found(&line(100)).is_empty());
    }
}
