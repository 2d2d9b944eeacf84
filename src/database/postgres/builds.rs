//! Indexes, keys and foreign keys of a load: which of them may be built beside each other, and in
//! which order. Only what is plainly understood is; everything else waits for all before it, and
//! all after it waits.

use super::lex::tokens;
use super::script::{Statement, unquoted};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Schema and name, as the catalogue has them.
pub(super) type Name = (String, String);

/// What the database knows of its tables.
#[derive(Debug, Default)]
pub(super) struct Relations {
    pub bytes: BTreeMap<Name, u64>,
    /// Partitions and tables that inherit, by what they are below.
    pub below: BTreeMap<Name, Vec<Name>>,
    pub above: BTreeMap<Name, Vec<Name>>,
}

/// What a statement makes, of which table.
#[derive(Debug, PartialEq, Eq)]
enum Builds {
    Index { name: String, table: Name },
    Key { table: Name },
    ForeignKey { table: Name, other: Name },
}

/// Statements that follow each other in one session.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub statements: Range<usize>,
    /// Tables that nothing else may touch meanwhile.
    alone: BTreeSet<Name>,
    /// The table that others may build an index of as well.
    shares: Option<Name>,
    /// The largest of its tables.
    bytes: u64,
}

/// Statements of a part, in their order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// One after the other.
    Serial(Range<usize>),
    /// These units beside each other; what is between them are settings.
    Beside(Range<usize>, Vec<Unit>),
}

impl Relations {
    fn all(&self, table: &Name, next: &[&BTreeMap<Name, Vec<Name>>]) -> BTreeSet<Name> {
        let (mut found, mut left) = (BTreeSet::new(), vec![table]);
        while let Some(one) = left.pop() {
            if found.insert(one.clone()) {
                left.extend(next.iter().filter_map(|map| map.get(one)).flatten());
            }
        }
        found
    }

    fn unit(&self, at: usize, builds: &Builds) -> Unit {
        let bytes = |table| self.bytes.get(table).copied().unwrap_or(0);
        let (alone, shares, bytes) = match builds {
            Builds::Index { table, .. } => (BTreeSet::new(), Some(table.clone()), bytes(table)),
            // Columns of a key become NOT NULL in what is below as well.
            Builds::Key { table } => (self.all(table, &[&self.below]), None, bytes(table)),
            // It is there in all partitions of both, and what is above of a partition knows.
            Builds::ForeignKey { table, other } => {
                let both = [&self.below, &self.above];
                let mut alone = self.all(table, &both);
                alone.extend(self.all(other, &both));
                (alone, None, bytes(table).max(bytes(other)))
            }
        };
        Unit {
            statements: at..at + 1,
            alone,
            shares,
            bytes,
        }
    }
}

/// Cut into what may go beside each other and what may not.
pub(super) fn stretches(statements: &[&Statement], relations: &Relations) -> Vec<Stretch> {
    let (mut all, mut serial, mut units) = (Vec::new(), 0, Vec::<Unit>::new());
    let mut last = None;
    for (n, statement) in statements.iter().enumerate() {
        if statement.setting.is_some() {
            continue;
        }
        let tokens: Vec<&str> = tokens(&statement.text).into_iter().map(|t| t.1).collect();
        if let Some(builds) = builds(&tokens) {
            if units.is_empty() {
                all.push(Stretch::Serial(serial..n));
                serial = n;
            }
            units.push(relations.unit(n, &builds));
            last = Some(builds);
            continue;
        }
        let before = units.last_mut().filter(|u| u.statements.end == n);
        let follows = last.as_ref().and_then(|builds| follows(builds, &tokens));
        match (before, follows) {
            (Some(unit), Some(needs)) => {
                unit.statements.end = n + 1;
                if needs == Needs::Table {
                    unit.alone.extend(unit.shares.take());
                }
            }
            _ => {
                last = None;
                if !units.is_empty() {
                    all.push(Stretch::Beside(serial..n, std::mem::take(&mut units)));
                    serial = n;
                }
            }
        }
    }
    let rest = serial..statements.len();
    all.push(match units.is_empty() {
        true => Stretch::Serial(rest),
        false => Stretch::Beside(rest, units),
    });
    all.retain(|s| !matches!(s, Stretch::Serial(range) if range.is_empty()));
    all
}

fn is(token: Option<&&str>, word: &str) -> bool {
    token.is_some_and(|t| t.eq_ignore_ascii_case(word))
}

fn begins(tokens: &[&str], words: &[&str]) -> bool {
    (0..words.len()).all(|n| is(tokens.get(n), words[n]))
}

/// `schema.name`, and what comes after it. Nothing in a dump is named without its schema.
fn name<'a, 'b>(tokens: &'a [&'b str]) -> Option<(Name, &'a [&'b str])> {
    match tokens {
        [schema, ".", name, rest @ ..] => Some(((unquoted(schema), unquoted(name)), rest)),
        _ => None,
    }
}

/// Without a word that may stand there.
fn past<'a, 'b>(tokens: &'a [&'b str], word: &str) -> &'a [&'b str] {
    &tokens[usize::from(is(tokens.first(), word))..]
}

fn builds(tokens: &[&str]) -> Option<Builds> {
    if begins(tokens, &["create"]) {
        let [index, made, on, rest @ ..] = past(&tokens[1..], "unique") else {
            return None;
        };
        let (table, rest) = name(past(rest, "only"))?;
        let plain = is(Some(index), "index") && is(Some(on), "on") && is(rest.first(), "using");
        let name = unquoted(made);
        return plain.then_some(Builds::Index { name, table });
    }
    if !begins(tokens, &["alter", "table"]) {
        return None;
    }
    let (table, rest) = name(past(&tokens[2..], "only"))?;
    if !begins(rest, &["add", "constraint"]) {
        return None;
    }
    let kind = rest.get(3..)?;
    let key = [&["primary", "key"][..], &["unique"], &["exclude"]];
    if key.iter().any(|words| begins(kind, words)) {
        return Some(Builds::Key { table });
    }
    if !begins(kind, &["foreign", "key"]) {
        return None;
    }
    let to = kind.iter().position(|t| is(Some(t), "references"))?;
    let (other, _) = name(&kind[to + 1..])?;
    Some(Builds::ForeignKey { table, other })
}

#[derive(PartialEq, Eq)]
enum Needs {
    Index,
    Table,
}

/// What belongs to the index or key right before it, and locks it alone, or its table.
fn follows(builds: &Builds, tokens: &[&str]) -> Option<Needs> {
    let (index, table) = match builds {
        Builds::Index { name, table } => (Some((&table.0, name)), table),
        Builds::Key { table } | Builds::ForeignKey { table, .. } => (None, table),
    };
    if begins(tokens, &["comment", "on", "constraint"]) {
        let (of, rest) = name(tokens.get(5..)?)?;
        let same = is(tokens.get(4), "on") && of == *table && is(rest.first(), "is");
        return same.then_some(Needs::Table);
    }
    if begins(tokens, &["comment", "on", "index"]) {
        let ((schema, name), _) = name(&tokens[3..])?;
        return (index? == (&schema, &name)).then_some(Needs::Index);
    }
    if begins(tokens, &["alter", "table"]) {
        let (of, rest) = name(past(&tokens[2..], "only"))?;
        let marks = [&["cluster", "on"][..], &["replica", "identity", "using"]];
        let known = of == *table && marks.iter().any(|words| begins(rest, words));
        return known.then_some(Needs::Table);
    }
    None
}

/// Units of a stretch while they are built: each waits for those before it that it would lock out,
/// or be locked out by, so that no two wait for each other.
pub(super) struct Ready {
    /// Larger ones first: none of them is left to one session at the end.
    now: BTreeSet<(std::cmp::Reverse<u64>, usize)>,
    waits_for: Vec<usize>,
    before: Vec<Vec<usize>>,
    bytes: Vec<u64>,
}

impl Ready {
    pub fn of(units: &[Unit]) -> Self {
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
        let mut waits_for = vec![0; units.len()];
        // Who had a table last: one alone, and since then those that shared it.
        let mut had = BTreeMap::<&Name, (Option<usize>, Vec<usize>)>::new();
        for (n, unit) in units.iter().enumerate() {
            let mut earlier = BTreeSet::new();
            for table in &unit.alone {
                let (alone, sharing) = had.entry(table).or_default();
                earlier.extend(alone.replace(n));
                earlier.extend(std::mem::take(sharing));
            }
            if let Some(table) = &unit.shares {
                let (alone, sharing) = had.entry(table).or_default();
                earlier.extend(*alone);
                sharing.push(n);
            }
            waits_for[n] = earlier.len();
            earlier.into_iter().for_each(|e| before[e].push(n));
        }
        let bytes: Vec<u64> = units.iter().map(|u| u.bytes).collect();
        let free = (0..units.len()).filter(|n| waits_for[*n] == 0);
        Self {
            now: free.map(|n| (std::cmp::Reverse(bytes[n]), n)).collect(),
            waits_for,
            before,
            bytes,
        }
    }

    /// The next one that waits for nothing.
    pub fn take(&mut self) -> Option<usize> {
        self.now.pop_first().map(|(_, n)| n)
    }

    pub fn done(&mut self, unit: usize) {
        for n in std::mem::take(&mut self.before[unit]) {
            self.waits_for[n] -= 1;
            if self.waits_for[n] == 0 {
                self.now.insert((std::cmp::Reverse(self.bytes[n]), n));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::postgres::script::Script;

    fn named(name: &str) -> Name {
        ("s".into(), name.into())
    }

    fn cut(sql: &str, relations: &Relations) -> Vec<Stretch> {
        let script = Script::of(sql.to_owned()).unwrap();
        let statements: Vec<&Statement> = script.all().collect();
        stretches(&statements, relations)
    }

    /// Units of the one stretch that is not serial.
    fn units(sql: &str, relations: &Relations) -> Vec<Unit> {
        let mut all = cut(sql, relations);
        all.retain(|s| *s != Stretch::Serial(0..1));
        match (all.pop(), all.pop()) {
            (Some(Stretch::Beside(_, units)), None) => units,
            other => panic!("{other:?}"),
        }
    }

    /// What is ready at the same time, until nothing is left.
    fn rounds(units: &[Unit]) -> Vec<Vec<usize>> {
        let (mut ready, mut rounds) = (Ready::of(units), Vec::new());
        loop {
            let now: Vec<usize> = std::iter::from_fn(|| ready.take()).collect();
            if now.is_empty() {
                return rounds;
            }
            now.iter().for_each(|n| ready.done(*n));
            rounds.push(now);
        }
    }

    const PLAIN: &str = "SET a = 1;
        ALTER TABLE ONLY s.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
        ALTER TABLE ONLY s.b ADD CONSTRAINT b_pkey PRIMARY KEY (id);
        ALTER TABLE ONLY s.b ADD CONSTRAINT b_key UNIQUE (x);
        SET default_tablespace = '';
        CREATE INDEX i ON s.a USING btree (x);
        CREATE UNIQUE INDEX j ON s.a USING btree (y) WHERE (z = 'ON s.b USING');
        ALTER TABLE ONLY s.b ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.a(id);
        ALTER TABLE ONLY s.c ADD CONSTRAINT g FOREIGN KEY (b) REFERENCES s.b(id);";

    #[test]
    fn indexes_of_one_table_go_beside_each_other_and_keys_to_it_after_all_of_its_own() {
        let units = units(PLAIN, &Relations::default());
        let ranges: Vec<usize> = units.iter().map(|u| u.statements.start).collect();
        assert_eq!(ranges, [1, 2, 3, 5, 6, 7, 8]);
        let wanted = vec![vec![0, 1], vec![2, 3, 4], vec![5], vec![6]];
        assert_eq!(rounds(&units), wanted);
    }

    #[test]
    fn the_largest_begin_first() {
        let sizes = [("a", 10), ("b", 30), ("c", 20)].map(|(t, bytes)| (named(t), bytes));
        let relations = Relations {
            bytes: sizes.into(),
            ..Relations::default()
        };
        let sql = ["a", "b", "c"].map(|t| format!("CREATE INDEX i ON s.{t} USING btree (x);"));
        assert_eq!(rounds(&units(&sql.concat(), &relations)), [[1, 2, 0]]);
    }

    #[test]
    fn what_is_not_understood_waits_and_is_waited_for() {
        let index = |t: &str| format!("CREATE INDEX i ON s.{t} USING btree (x);");
        for odd in [
            "CREATE TRIGGER t AFTER INSERT ON s.a FOR EACH ROW EXECUTE FUNCTION s.f();",
            "ALTER TABLE s.a ENABLE ROW LEVEL SECURITY;",
            "CREATE POLICY p ON s.a USING (true);",
            "ALTER INDEX s.p ATTACH PARTITION s.i;",
            "ALTER TABLE s.a ADD CONSTRAINT c CHECK (x > 0) NOT VALID;",
            "REFRESH MATERIALIZED VIEW s.v;",
            "CREATE INDEX CONCURRENTLY k ON s.a USING btree (x);",
            "CREATE INDEX k ON a USING btree (x);",
            "ALTER TABLE a ADD CONSTRAINT k PRIMARY KEY (x);",
            "ALTER TABLE ONLY s.a ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES a(id);",
            "CREATE STATISTICS s.x ON a, b FROM s.a;",
            "SELECT 1;",
        ] {
            let all = cut(
                &format!("{}{odd}{}", index("a"), index("b")),
                &Relations::default(),
            );
            let ranges: Vec<_> = all
                .iter()
                .map(|s| match s {
                    Stretch::Serial(range) => (false, range.clone()),
                    Stretch::Beside(range, _) => (true, range.clone()),
                })
                .collect();
            assert_eq!(ranges, [(true, 0..1), (false, 1..2), (true, 2..3)], "{odd}");
        }
    }

    #[test]
    fn what_belongs_to_an_index_or_a_key_goes_with_it() {
        let sql = "CREATE INDEX i ON s.a USING btree (x);
            COMMENT ON INDEX s.i IS 'x';
            CREATE INDEX j ON s.a USING btree (x);
            ALTER TABLE s.a CLUSTER ON j;
            ALTER TABLE ONLY s.a ADD CONSTRAINT \"K\" UNIQUE (x);
            COMMENT ON CONSTRAINT \"K\" ON s.a IS 'x';
            ALTER TABLE ONLY s.a REPLICA IDENTITY USING INDEX \"K\";
            CREATE INDEX \"On\" ON s.\"A b\" USING btree (x);
            COMMENT ON INDEX s.\"On\" IS 'x';";
        let units = units(sql, &Relations::default());
        let ranges: Vec<_> = units.iter().map(|u| u.statements.clone()).collect();
        assert_eq!(ranges, [0..2, 2..4, 4..7, 7..9]);
        // To be clustered a table is wanted alone.
        assert_eq!(rounds(&units), [vec![0, 3], vec![1], vec![2]]);
        assert_eq!(units[3].shares, Some(named("A b")));
        let other = "CREATE INDEX i ON s.a USING btree (x); COMMENT ON INDEX s.j IS 'x';";
        assert_eq!(cut(other, &Relations::default()).len(), 2);
    }

    #[test]
    fn a_key_to_or_of_a_partitioned_table_waits_for_all_of_its_partitions() {
        let relations = Relations {
            below: [(named("p"), vec![named("p1"), named("p2")])].into(),
            above: ["p1", "p2"].map(|t| (named(t), vec![named("p")])).into(),
            ..Relations::default()
        };
        let sql = "CREATE INDEX i1 ON s.p1 USING btree (x);
            CREATE INDEX i2 ON s.p2 USING btree (x);
            ALTER TABLE ONLY s.p2 ADD CONSTRAINT p2_pkey PRIMARY KEY (id);
            ALTER TABLE ONLY s.p ADD CONSTRAINT p_pkey PRIMARY KEY (id);
            ALTER TABLE ONLY s.a ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES s.p1(id);
            CREATE INDEX i3 ON ONLY s.p USING btree (y);
            CREATE INDEX i4 ON s.p2 USING btree (y);";
        let wanted = vec![vec![0, 1], vec![2], vec![3], vec![4], vec![5, 6]];
        assert_eq!(rounds(&units(sql, &relations)), wanted);
    }

    proptest::proptest! {
        /// Whatever is ready at one time, no two want one table but to share it; and all get their
        /// turn, after what stands before them and wants the same.
        #[test]
        fn no_two_wait_for_each_other(
            kinds in proptest::collection::vec((0u8..3, 0u8..4, 0u8..4), 0..40)
        ) {
            let add = |a: &u8, what: &str| {
                format!("ALTER TABLE ONLY s.t{a} ADD CONSTRAINT c {what};")
            };
            let one = |(kind, a, b): &(u8, u8, u8)| match kind {
                0 => format!("CREATE INDEX i ON s.t{a} USING btree (x);"),
                1 => add(a, "UNIQUE (x)"),
                _ => add(a, &format!("FOREIGN KEY (x) REFERENCES s.t{b}(x)")),
            };
            let sql: String = kinds.iter().map(one).collect();
            let units = match cut(&sql, &Relations::default()).pop() {
                Some(Stretch::Beside(_, units)) => units,
                _ => Vec::new(),
            };
            let wants = |a: &Unit, b: &Unit| {
                let shared = b.shares.iter().any(|t| a.alone.contains(t));
                shared || a.alone.intersection(&b.alone).next().is_some()
            };
            let conflict = |a: usize, b: usize| {
                wants(&units[a], &units[b]) || wants(&units[b], &units[a])
            };
            let rounds = rounds(&units);
            let mut seen = Vec::new();
            for round in &rounds {
                for a in round {
                    let others = round.iter().filter(|b| *b != a);
                    proptest::prop_assert!(!others.into_iter().any(|b| conflict(*a, *b)));
                    let after = seen.iter().all(|b: &usize| b < a || !conflict(*a, *b));
                    proptest::prop_assert!(after);
                }
                seen.extend(round);
            }
            proptest::prop_assert_eq!(seen.len(), kinds.len());
        }
    }
}
