//! Statements of a schema that hold a secret, without it: a dump lies in a vault for years, in
//! clear for whoever may read it.

use super::lex::{Kind, Piece, pieces, tokens};

/// Options of a user mapping that are no secret. What the others of a wrapper mean is not known
/// here: they are left out, and counted.
pub(super) const SHOWN: [&str; 2] = ["user", "username"];

/// The text, every other byte as it was.
pub(super) fn without(text: &str) -> String {
    let one = |piece: &Piece<'_>| match is_mapping(piece) {
        true => rewritten(piece),
        false => piece.text.to_owned(),
    };
    pieces(text).iter().map(one).collect()
}

fn is_mapping(piece: &Piece<'_>) -> bool {
    let mut tokens = piece.tokens.iter();
    let mut next_is = |word: &str| tokens.next().is_some_and(|t| t.eq_ignore_ascii_case(word));
    piece.kind == Kind::Statement && next_is("create") && next_is("user") && next_is("mapping")
}

/// `CREATE USER MAPPING FOR user SERVER server [OPTIONS (name 'value', …)];`
fn rewritten(piece: &Piece<'_>) -> String {
    let all = tokens(piece.statement());
    // Behind the names, which may be called so too.
    let options = all
        .iter()
        .skip(7)
        .position(|(_, t)| t.eq_ignore_ascii_case("options"));
    let Some(options) = options.map(|n| n + 7) else {
        return piece.text.to_owned();
    };
    let (at, _) = all[options];
    let head = &piece.text[..piece.start + at];
    let pairs = all[options + 1..].windows(2);
    let kept: Vec<String> = pairs
        .filter(|pair| pair[1].1.ends_with('\''))
        .map(|pair| (pair[0].1, pair[1].1))
        .filter(|(name, _)| SHOWN.contains(&name.trim_matches('"').to_lowercase().as_str()))
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if kept.is_empty() {
        format!("{};", head.trim_end())
    } else {
        format!("{head}OPTIONS ({});", kept.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_keeps_its_user_and_nothing_else_and_all_other_text_stays() {
        let sql = "-- a\nCREATE USER MAPPING FOR \"o'p\" SERVER \"OPTIONS\" OPTIONS (\n    \
                   \"user\" 'o''p',\n    password 'it''s (secret), user ''x''',\n    \
                   passcode E'\\'user'\n);\n\nCREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS \
                   (\n    token 'user'\n);\nCREATE USER MAPPING FOR p SERVER s;\n\
                   CREATE FUNCTION f() RETURNS text LANGUAGE sql AS \
                   $$CREATE USER MAPPING FOR a SERVER b OPTIONS (password 'p')$$;\r\n";
        let wanted = "-- a\nCREATE USER MAPPING FOR \"o'p\" SERVER \"OPTIONS\" OPTIONS (\"user\" \
                      'o''p');\n\nCREATE USER MAPPING FOR PUBLIC SERVER s;\n\
                      CREATE USER MAPPING FOR p SERVER s;\n\
                      CREATE FUNCTION f() RETURNS text LANGUAGE sql AS \
                      $$CREATE USER MAPPING FOR a SERVER b OPTIONS (password 'p')$$;\r\n";
        assert_eq!(without(sql), wanted);
    }
}
