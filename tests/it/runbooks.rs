//! Every code and every exit code has a page that says what to type, and no page speaks of a code
//! that there is not.

use crate::program::dr;
use crate::source;
use dr::report::{Code, Exit, Hint};
use std::collections::BTreeSet;

/// Pages that are no code's.
const PROCEDURES: [&str; 3] = ["README", "check-a-point-by-hand", "restore-in-an-incident"];

fn pages() -> BTreeSet<String> {
    let names = source::files("runbooks", ".md");
    names
        .iter()
        .map(|f| f["runbooks/".len()..].trim_end_matches(".md").to_owned())
        .collect()
}

fn page(name: &str) -> String {
    source::read(&format!("runbooks/{name}.md"))
}

fn codes() -> BTreeSet<String> {
    Code::ALL.iter().map(ToString::to_string).collect()
}

fn exit_pages() -> BTreeSet<String> {
    Exit::ALL
        .iter()
        .map(|e| format!("exit-{:02}", e.code()))
        .collect()
}

#[test]
fn every_code_has_a_page_and_no_page_is_without_a_code() {
    let codes = codes();
    let written: BTreeSet<String> = pages()
        .into_iter()
        .filter(|p| !p.starts_with("exit-") && !PROCEDURES.contains(&p.as_str()))
        .collect();
    assert_eq!(
        codes.difference(&written).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "codes without a page"
    );
    assert_eq!(
        written.difference(&codes).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "pages without a code"
    );
}

#[test]
fn every_exit_code_has_a_page_and_no_page_is_without_one() {
    let written: BTreeSet<String> = pages()
        .into_iter()
        .filter(|p| p.starts_with("exit-"))
        .collect();
    assert_eq!(written, exit_pages());
}

#[test]
fn every_page_has_symptom_cause_actions_and_escalation() {
    for name in pages()
        .into_iter()
        .filter(|p| !PROCEDURES.contains(&p.as_str()))
    {
        let text = page(&name);
        for heading in [
            "## Symptom\n",
            "## Cause\n",
            "## Actions\n    ",
            "## Escalation\n",
        ] {
            assert!(
                text.contains(heading),
                "runbooks/{name}.md has no {heading}"
            );
        }
        assert!(
            (10..=25).contains(&text.lines().count()),
            "runbooks/{name}.md has {} lines",
            text.lines().count()
        );
    }
}

#[test]
fn a_codes_page_names_an_exit_code_that_there_is() {
    for name in codes() {
        let text = page(&name);
        let line = text.lines().nth(2).unwrap_or_default();
        let told: Vec<u8> = line
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|w| w.parse().ok())
            .collect();
        assert!(
            line.starts_with("Exit ") && !told.is_empty(),
            "runbooks/{name}.md: {line}"
        );
        for code in told {
            assert!(
                Exit::ALL.iter().any(|e| e.code() == code),
                "runbooks/{name}.md: exit {code}"
            );
            let listed =
                code == 0 || page(&format!("exit-{code:02}")).contains(&format!("({name}.md)"));
            assert!(listed, "runbooks/exit-{code:02}.md does not list {name}");
        }
    }
}

#[test]
fn links_lead_to_files() {
    for file in ["runbooks", "docs", "lab", "tests"]
        .iter()
        .flat_map(|f| source::files(f, ".md"))
        .chain(root_pages())
    {
        let text = source::read(&file);
        let folder = std::path::Path::new(&file).parent().unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|t| t.split(')').next())
            .filter(|l| !l.contains("://") && !l.starts_with('#'))
        {
            let target = folder.join(link.split('#').next().unwrap());
            assert!(source::root().join(&target).exists(), "{file} links {link}");
        }
    }
}

fn root_pages() -> Vec<String> {
    ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn the_index_lists_every_page() {
    let index = page("README");
    for name in pages().into_iter().filter(|p| p != "README") {
        assert!(
            index.contains(&format!("({name}.md)")),
            "runbooks/README.md does not list {name}"
        );
    }
}

/// Commands in code blocks: indented by four, or fenced.
pub fn commands(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            found.push(line.trim().trim_start_matches("$ ").to_owned());
        }
    }
    found
}

/// `dr verb flags…` with its flags as words; `--help` behind them makes the program read them and
/// do nothing.
fn is_understood(line: &str) -> Result<(), String> {
    let line = line.split(['|', '>', ';', '#']).next().unwrap_or_default();
    let mut words: Vec<&str> = line.split_whitespace().skip(1).collect();
    if let Some(first) = words.first_mut().filter(|w| **w == "VERB") {
        *first = "tick";
    }
    // `$CENTRAL` stands for flags where it is no flag's value.
    let flags = |n: usize, words: &[&str]| {
        words[0] == "restore" && words[n].starts_with('$') && !words[n - 1].starts_with("--")
    };
    for n in (1..words.len())
        .rev()
        .filter(|n| flags(*n, &words))
        .collect::<Vec<_>>()
    {
        words.remove(n);
    }
    for word in &mut words {
        *word = match *word {
            "TIME" | "$T" => "2026-11-24T02:41:00Z",
            "METHOD" => "snapshot",
            "SLOT" => "20261124T020000Z",
            other => other,
        };
    }
    words.push("--help");
    let out = dr(&words);
    if out.code == 0 {
        Ok(())
    } else {
        Err(out.stderr)
    }
}

#[test]
fn every_dr_command_on_a_page_is_one_that_the_program_understands() {
    let mut seen = 0;
    for file in ["runbooks", "docs"]
        .iter()
        .flat_map(|f| source::files(f, ".md"))
        .chain(root_pages())
    {
        for line in commands(&source::read(&file))
            .iter()
            .filter(|l| l.starts_with("dr "))
        {
            is_understood(line).unwrap_or_else(|why| panic!("{file}: {line}\n{why}"));
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} commands were found");
    assert!(
        is_understood("dr tick --polcy FILE").is_err(),
        "a misspelt flag is noticed"
    );
}

#[test]
fn the_hint_of_a_code_is_a_command_that_its_page_names() {
    let mut seen = 0;
    for code in Code::ALL {
        let Some(Hint::Dr(dr)) = code.hint() else {
            continue;
        };
        let flags = dr.args.iter().map(|(flag, value)| match value {
            Some(value) => format!(" {flag} {value}"),
            None => format!(" {flag}"),
        });
        let command = format!("dr {}{}", dr.verb, flags.collect::<String>());
        is_understood(&command).unwrap_or_else(|why| panic!("hint of {code}: {why}"));
        let text = page(code.as_str());
        let verb = format!("dr {}", dr.verb);
        assert!(
            text.contains(&verb),
            "runbooks/{code}.md does not say {verb}"
        );
        seen += 1;
    }
    assert!(seen > 20, "{seen} hints");
}

#[test]
fn the_exit_code_of_a_code_stands_on_its_page() {
    for code in Code::ALL {
        let text = page(code.as_str());
        let line = text.lines().nth(2).unwrap_or_default();
        let exit = code.exit().code().to_string();
        let told = line.split(|c: char| !c.is_ascii_digit()).any(|w| w == exit);
        assert!(told, "runbooks/{code}.md says {line}, the registry {exit}");
    }
}
