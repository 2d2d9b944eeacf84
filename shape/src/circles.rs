//! No file imports one that imports it, at any distance: what can be read on its own can be changed
//! on its own.

use crate::Violation;
use crate::imports::{Edges, edges};
use crate::source::Crate;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub fn violations(krate: &Crate) -> Vec<Violation> {
    let edges = edges(krate);
    let name = |at: usize| krate.files[at].path.as_str();
    let mut told: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    let mut found = Vec::new();
    for start in 0..krate.files.len() {
        let Some(circle) = shortest(&edges, start) else {
            continue;
        };
        if !told.insert(circle.iter().copied().collect()) {
            continue;
        }
        let way: Vec<&str> = circle[1..]
            .iter()
            .chain([&start])
            .map(|at| name(*at))
            .collect();
        found.push(Violation {
            file: name(start).to_owned(),
            line: edges.get(&(start, circle[1])).copied().unwrap_or(1),
            what: format!("a circle of imports: {}", way.join(" -> ")),
        });
    }
    found
}

/// The shortest way from a file back to it.
fn shortest(edges: &Edges, start: usize) -> Option<Vec<usize>> {
    let next = |at: usize| {
        edges
            .range((at, 0)..=(at, usize::MAX))
            .map(|((_, to), _)| *to)
    };
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(at) = waiting.pop_front() {
        for to in next(at) {
            if to == start {
                let mut way = vec![at];
                while let Some(last) = way.last().filter(|l| **l != start) {
                    way.push(*before.get(last)?);
                }
                way.reverse();
                return Some(way);
            }
            if let Entry::Vacant(unseen) = before.entry(to) {
                unseen.insert(at);
                waiting.push_back(to);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let own = |(path, text): &(&str, &str)| (format!("src/{path}"), (*text).to_owned());
        let krate = Crate::of("src", files.iter().map(own).collect()).unwrap();
        violations(&krate)
            .iter()
            .map(Violation::to_string)
            .collect()
    }

    #[test]
    fn a_circle_is_found_in_every_form() {
        let root = ("lib.rs", "mod a;\nmod b;\n");
        let b = ("b.rs", "use crate::a::A;\npub struct B;");
        for a in [
            "use crate::b::B;\npub struct A;",
            "use super::b::B;\npub struct A;",
            "use crate::{b::{self, B}};\npub struct A;",
            "pub struct A(crate::b::B);",
            "use crate::b::*;\npub struct A;",
            "pub struct A; fn f() { crate::b::f(); }",
        ] {
            let said = found(&[root, ("a.rs", a), b]);
            assert_eq!(
                said,
                ["src/a.rs:1: a circle of imports: src/b.rs -> src/a.rs"],
                "{a}"
            );
        }
    }

    #[test]
    fn a_circle_through_a_re_export_is_found_where_things_are_declared() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\n"),
            ("a/mod.rs", "mod inner;\npub use inner::A;"),
            ("a/inner.rs", "use crate::b::B;\npub struct A;"),
            ("b.rs", "use crate::a::A;\npub struct B;"),
        ];
        let said = ["src/a/inner.rs:1: a circle of imports: src/b.rs -> src/a/inner.rs"];
        assert_eq!(found(&files), said);
    }

    #[test]
    fn a_circle_through_a_star_is_found_where_things_are_declared() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\n"),
            ("a/mod.rs", "mod inner;\npub use inner::*;"),
            ("a/inner.rs", "mod low;\npub use low::A;"),
            ("a/inner/low.rs", "use crate::b::B;\npub struct A;"),
            ("b.rs", "use crate::a::A;\npub struct B;"),
        ];
        let said = ["src/a/inner/low.rs:1: a circle of imports: src/b.rs -> src/a/inner/low.rs"];
        assert_eq!(found(&files), said);
    }

    #[test]
    fn a_parent_that_uses_the_child_that_uses_it_is_found() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a.rs", "mod inner;\nuse inner::f;\npub struct A;"),
            ("a/inner.rs", "use super::A;\npub fn f() {}"),
        ];
        let said = ["src/a.rs:2: a circle of imports: src/a/inner.rs -> src/a.rs"];
        assert_eq!(found(&files), said);
    }

    #[test]
    fn declarations_re_exports_and_tests_make_no_circle() {
        let files = [
            ("lib.rs", "pub mod a;\npub mod b;\nmod model;"),
            ("model.rs", "pub struct M;"),
            ("a/mod.rs", "mod inner;\npub use inner::f;\npub struct A;"),
            ("a/inner.rs", "use super::A;\npub fn f() {}"),
            ("b.rs", "use crate::a::{A, f};\n#[cfg(test)]\nmod tests;"),
            ("b/tests.rs", "use super::*;\nuse crate::model::M;"),
        ];
        assert!(found(&files).is_empty());
    }
}
