//! Where a statement begins and ends in SQL text, by the rules of PostgreSQL's own scanner with
//! `standard_conforming_strings = on`, which `pg_dump` sets. Nothing is changed or lost: the pieces
//! of a text, one after the other, are the text.

mod scan;

/// What a piece of SQL text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Up to its semicolon; or to the end of the text, where that is missing.
    Statement,
    /// One of psql's own commands where a statement would begin, with its line.
    Meta,
    /// White space and comments after the last statement.
    Blank,
}

/// A piece of a text, with the white space and comments before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// Where in `text` the statement itself begins.
    pub start: usize,
    /// The first of its tokens.
    pub tokens: Vec<&'a str>,
}

/// Enough tokens to tell what a statement is.
const KEPT: usize = 8;

impl<'a> Piece<'a> {
    /// The setting that a `SET name = …` or `SET name TO …` sets, folded as the server folds it;
    /// `None` for everything else, also for `SET ROLE` and its like.
    pub fn setting(&self) -> Option<String> {
        let mut tokens = self.tokens.iter();
        let is = |token: &str, word: &str| token.eq_ignore_ascii_case(word);
        if self.kind != Kind::Statement || !is(tokens.next()?, "set") {
            return None;
        }
        let mut name = *tokens.next()?;
        if is(name, "session") || is(name, "local") {
            name = tokens.next()?;
        }
        let after = *tokens.next()?;
        let whole = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        (whole && (after == "=" || is(after, "to"))).then(|| name.to_ascii_lowercase())
    }

    /// The statement without what stands before it.
    pub fn statement(&self) -> &'a str {
        self.text.get(self.start..).unwrap_or_default()
    }
}

/// The pieces of a text in their order.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let piece = next(&text[at..]);
        at += piece.text.len();
        pieces.push(piece);
    }
    pieces
}

/// The tokens of a statement with where they begin, without white space and comments.
pub fn tokens(statement: &str) -> Vec<(usize, &str)> {
    let (mut all, mut at) = (Vec::new(), 0);
    while at < statement.len() {
        let from = at;
        at = scan::token_end(statement.as_bytes(), at);
        let token = statement.get(from..at).unwrap_or_default();
        if !scan::blank(token) {
            all.push((from, token));
        }
    }
    all
}

/// How deep in something that keeps a semicolon from being the end of a statement.
#[derive(Default)]
struct Depth {
    parens: usize,
    /// `BEGIN ATOMIC`, and each `CASE` in it; `END` closes both.
    blocks: usize,
    after_begin: bool,
    routine: bool,
}

impl Depth {
    fn inside(&self) -> bool {
        self.parens > 0 || self.blocks > 0
    }

    fn take(&mut self, token: &str, before: &[&str]) {
        let is = |word: &str| token.eq_ignore_ascii_case(word);
        match token {
            "(" => self.parens += 1,
            ")" => self.parens = self.parens.saturating_sub(1),
            _ if is("function") || is("procedure") => {
                let creates = before
                    .first()
                    .is_some_and(|t| t.eq_ignore_ascii_case("create"));
                self.routine |= creates && matches!(before.len(), 1 | 3);
            }
            _ if is("atomic") && self.routine && self.after_begin => self.blocks += 1,
            _ if is("case") && self.blocks > 0 => self.blocks += 1,
            _ if is("end") => self.blocks = self.blocks.saturating_sub(1),
            _ => {}
        }
        self.after_begin = is("begin") && self.parens == 0;
    }
}

fn next(text: &str) -> Piece<'_> {
    let (mut at, mut start, mut tokens) = (0, None, Vec::new());
    let mut depth = Depth::default();
    let mut kind = Kind::Statement;
    while at < text.len() {
        let from = at;
        at = scan::token_end(text.as_bytes(), at);
        // Every end is behind an ASCII byte or a whole run of others.
        let token = text.get(from..at).unwrap_or_default();
        if scan::blank(token) {
            continue;
        }
        if start.is_none() && token == "\\" {
            start = Some(from);
            at = scan::line_end(text.as_bytes(), from);
            kind = Kind::Meta;
            break;
        }
        start.get_or_insert(from);
        if token == ";" && !depth.inside() {
            break;
        }
        depth.take(token, &tokens);
        if tokens.len() < KEPT {
            tokens.push(token);
        }
    }
    if start.is_none() {
        kind = Kind::Blank;
    }
    Piece {
        kind,
        text: &text[..at],
        start: start.unwrap_or(at),
        tokens,
    }
}

#[cfg(test)]
mod tests;
