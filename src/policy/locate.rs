//! Finds the line of a field named by its path in block-style YAML, so that a semantic error points
//! at the text.
//!
//! Only indentation and `key:` are looked at. A field that is left out, or written in flow style,
//! is found as far as its
//! parents go; where not even the first of them is there, the path alone names the place.

/// One-based line and column of the field at `path` (such as `targets[1].lock.mode`), or of its
/// nearest parent.
pub fn locate(text: &str, path: &str) -> Option<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut from, mut to, mut found) = (0, lines.len(), None);
    for part in parts(path) {
        let step = match part {
            Part::Key(key) => find_key(&lines, from, to, key),
            Part::Index(n) => find_item(&lines, from, to, n),
        };
        let Some((line, column)) = step else {
            return found.map(|(line, column)| in_flow(&lines, line, column, &part));
        };
        found = Some((line + 1, column + 1));
        to = block_end(&lines, line, column, to);
        // An item's own line may already hold its first key (`- name: x`), so the search starts on
        // it again.
        from = if matches!(part, Part::Index(_)) {
            line
        } else {
            line + 1
        };
    }
    found
}

/// The key inside `parent: {key: …}`, else the parent.
fn in_flow(lines: &[&str], line: usize, column: usize, part: &Part<'_>) -> (usize, usize) {
    let Part::Key(key) = part else {
        return (line, column);
    };
    let text = lines[line - 1];
    let starts = ["{", ", ", "{ "]
        .iter()
        .filter_map(|before| Some(text.find(&format!("{before}{key}:"))? + before.len()));
    starts.min().map_or((line, column), |at| (line, at + 1))
}

enum Part<'a> {
    Key(&'a str),
    Index(usize),
}

fn parts(path: &str) -> Vec<Part<'_>> {
    path.split('.')
        .flat_map(|piece| {
            let (key, index) = piece.split_once('[').map_or((piece, None), |(k, i)| {
                (k, i.trim_end_matches(']').parse().ok())
            });
            [Some(Part::Key(key)), index.map(Part::Index)]
                .into_iter()
                .flatten()
        })
        .collect()
}

/// Where the content of a line starts, dashes of list items skipped.
fn content(line: &str) -> (usize, &str) {
    let mut at = line.len() - line.trim_start().len();
    while line[at..].starts_with("- ") {
        at += 2;
        at += line[at..].len() - line[at..].trim_start().len();
    }
    (at, &line[at..])
}

/// A key of the block itself: one of the same name that stands deeper is another's.
fn find_key(lines: &[&str], from: usize, to: usize, key: &str) -> Option<(usize, usize)> {
    let said = |n: &usize| {
        let (_, rest) = content(lines[*n]);
        !rest.is_empty() && !rest.starts_with('#') && !rest.starts_with("---")
    };
    let own = content(lines[(from..to).find(said)?]).0;
    (from..to).find_map(|n| {
        let (at, rest) = content(lines[n]);
        rest.strip_prefix(key)
            .filter(|tail| at == own && tail.starts_with(':'))
            .map(|_| (n, at))
    })
}

fn find_item(lines: &[&str], from: usize, to: usize, index: usize) -> Option<(usize, usize)> {
    let dash = |n: &usize| lines[*n].trim_start().starts_with("- ");
    let first = (from..to).find(|n| dash(n))?;
    let indent = lines[first].len() - lines[first].trim_start().len();
    let line = (first..to)
        .filter(|n| dash(n) && lines[*n].len() - lines[*n].trim_start().len() == indent)
        .nth(index)?;
    Some((line, indent))
}

fn block_end(lines: &[&str], start: usize, indent: usize, to: usize) -> usize {
    (start + 1..to)
        .find(|n| {
            let line = lines[*n];
            let trimmed = line.trim_start();
            let deeper = line.len() - trimmed.len();
            !trimmed.is_empty()
                && !trimmed.starts_with('#')
                && (deeper < indent
                    || (deeper == indent
                        && content(lines[start]).0 == indent
                        && !trimmed.starts_with("- "))
                    || (deeper == indent
                        && lines[start].trim_start().starts_with("- ")
                        && trimmed.starts_with("- ")))
        })
        .unwrap_or(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version: 1\ntargets:\n  - name: a\n    lock:\n      mode: X\n  - name: \
     b\n    lock:\n      mode: Y\nschedule:\n  cron: '* * *'\n";

    #[test]
    fn a_path_leads_to_its_line() {
        assert_eq!(locate(TEXT, "version"), Some((1, 1)));
        assert_eq!(locate(TEXT, "targets[0].name"), Some((3, 5)));
        assert_eq!(locate(TEXT, "targets[1].lock.mode"), Some((8, 7)));
        assert_eq!(locate(TEXT, "schedule.cron"), Some((10, 3)));
    }

    #[test]
    fn a_key_of_the_same_name_that_stands_deeper_is_anothers() {
        let text = "sources:\n  - id: a\n    objectives:\n      dump:\n        rpo: 1h\n\
                    objectives:\n  dump:\n    rpo: 2h\n";
        assert_eq!(locate(text, "objectives.dump.rpo"), Some((8, 5)));
        assert_eq!(locate(text, "sources[0].objectives.dump.rpo"), Some((5, 9)));
    }

    #[test]
    fn a_field_that_is_left_out_or_in_flow_style_is_found_at_its_parent() {
        assert_eq!(locate(TEXT, "schedule.nothing"), Some((9, 1)));
        assert_eq!(locate(TEXT, "drill.account"), None);
        let flow = "objectives:\n  snapshot: {rto: 1h, rpo: 2h}\n";
        assert_eq!(locate(flow, "objectives.snapshot.rpo"), Some((2, 23)));
        assert_eq!(locate(flow, "objectives.snapshot.rto"), Some((2, 14)));
    }
}
