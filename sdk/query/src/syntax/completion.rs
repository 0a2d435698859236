//! The words that can be completed at the cursor of a prompt.
//!
//! The parser reads the text before the word at the cursor and reports the tokens that can follow. The names of classes,
//! types, verbs, and properties are known to the caller.

use super::expected::{Expected, Owner};
use super::lexer::continues_name;
use super::parser::Parser;
use super::tree::Span;

/// The tokens that can be at the cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The place of the word at the cursor, up to the cursor. A completion replaces it.
    pub span: Span,
    /// The kinds of tokens that can be there.
    pub expected: Vec<Expected>,
    /// The names that the whole text introduces, each once.
    pub aliases: Vec<(String, Owner)>,
}

/// Returns the tokens that can be at a cursor, which is an offset in bytes.
///
/// A dotted word such as `tag.Production` is one word after `WITH`. After the dot of an alias, only the property is replaced.
#[must_use]
pub fn complete(text: &str, cursor: usize) -> Completion {
    let cursor = crate::diagnostic::floor(text, cursor);
    let before = &text[..cursor];
    let start = before.trim_end_matches(|letter| continues_name(letter) || letter == '.').len();
    let word = &before[start..];
    let aliases = aliases(text);
    let expected = Parser::expected_after(&text[..start]);
    let Some((first, _)) = word.split_once('.') else {
        return Completion { span: Span { start, end: cursor }, expected, aliases };
    };
    let has_alias = expected.contains(&Expected::Alias);
    if has_alias || aliases.iter().any(|(name, _)| name == first) {
        let owner = aliases.iter().find(|(name, _)| name == first).map(|(_, owner)| owner.clone());
        let property = Expected::Property(owner.unwrap_or_else(|| Owner::Alias(first.to_owned())));
        let is_column = expected.contains(&Expected::Function);
        let expected = if is_column { vec![property, Expected::Symbol("*")] } else { vec![property] };
        return Completion { span: Span { start: start + first.len() + 1, end: cursor }, expected, aliases };
    }
    // A keyword has no dot.
    let expected = expected.into_iter().filter(|expected| matches!(expected, Expected::Property(_) | Expected::Value));
    Completion { span: Span { start, end: cursor }, expected: expected.collect(), aliases }
}

fn aliases(text: &str) -> Vec<(String, Owner)> {
    let mut aliases: Vec<(String, Owner)> = Vec::new();
    for (name, owner) in Parser::aliases_of(text) {
        if !aliases.iter().any(|(known, _)| *known == name) {
            aliases.push((name, owner));
        }
    }
    aliases
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Completes at the mark `‸`; returns the replaced word and the expected tokens.
    fn at_mark(marked: &str) -> String {
        let cursor = marked.find('‸').expect("a mark");
        let text = marked.replacen('‸', "", 1);
        let completion = complete(&text, cursor);
        let word = &text[completion.span.start..completion.span.end];
        let expected: Vec<String> = completion
            .expected
            .iter()
            .map(|expected| match expected {
                Expected::Property(Owner::Entities(selector)) => format!("property of {selector}"),
                Expected::Property(Owner::Relationships(verbs)) => format!("property of relationship {verbs}"),
                Expected::Property(owner) => format!("property of {owner:?}"),
                expected => expected.to_string(),
            })
            .collect();
        format!("{marked}\n    {word:?}: {}\n", expected.join(" · "))
    }

    fn all(marked: &[&str]) -> String {
        marked.iter().map(|marked| at_mark(marked)).collect()
    }

    #[test]
    fn clauses_and_names() {
        insta::assert_snapshot!(all(&[
            "‸",
            "FI‸",
            "FIND ‸",
            "FIND Us‸er",
            "FIND UNIQUE ‸",
            "FIND #‸",
            "FIND (User|‸ ",
            "FIND User ‸",
            "FIND User WI‸ active = true",
            "FIND User AS ‸",
            "FIND User THAT ‸",
            "FIND User THAT !HA‸",
            "FIND User THAT RELATES ‸",
            "FIND User THAT HAS ‸",
            "FIND User THAT HAS >> ‸",
            "FIND User THAT HAS Device ‸",
            "FIND User (‸",
            "FIND User (THAT HAS Device ‸",
            "FIND User (THAT HAS Device)? ‸",
            "FIND User RETURN User.name ‸",
            "FIND User ORDER ‸",
            "FIND User LIMIT ‸",
        ]));
    }

    #[test]
    fn conditions() {
        insta::assert_snapshot!(all(&[
            "FIND User WITH ‸",
            "FIND User WITH act‸ = true",
            "FIND User WITH tag.Pro‸",
            "FIND User WITH active ‸",
            "FIND User WITH active = ‸",
            "FIND User WITH active = t‸",
            "FIND User WITH (a = 1 OR ‸",
            "FIND User WITH a = ('x' ‸",
            "FIND User WITH a > date.now - 1 ‸",
            "FIND User WITH a = true ‸",
            "FIND User THAT HAS AS r WITH ‸",
            "FIND User AS u WHERE ‸",
            "FIND User AS u WHERE u.‸",
            "FIND User AS u THAT HAS AS r Device WHERE r.na‸",
            "FIND User AS u WHERE x.‸",
            "FIND User WITH a == 1 AND ‸",
        ]));
    }

    #[test]
    fn results() {
        insta::assert_snapshot!(all(&[
            "FIND User RETURN ‸",
            "FIND User RETURN U‸",
            "FIND User RETURN User.‸",
            "FIND User RETURN count(User.‸)",
            "FIND User AS u RETURN u.tag.x‸, u.y",
            "FIND (User|Device) AS u (THAT IS Person)? AS p RETURN ‸, p.name",
            "FIND User AS u RETURN u.name AS n ORDER BY ‸",
        ]));
    }

    #[test]
    fn nothing_follows_in_texts_and_comments() {
        for text in ["FIND User WITH name = 'a ‸", "FIND /* Us‸", "FIND User WITH [od‸", "FIND User WITH x = ${par‸"]
        {
            let cursor = text.find('‸').expect("a mark");
            assert_eq!(complete(&text[..cursor], cursor).expected, [], "{text}");
        }
    }

    #[test]
    fn the_names_of_the_whole_text_are_known() {
        let text = "FIND User AS u THAT HAS AS r (Host|Device) (THAT IS Person)? AS p THAT HAS Team RETURN  ";
        let names: Vec<String> = complete(text, text.len()).aliases.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["u", "r", "Person", "p", "Team"]);
        assert_eq!(complete(text, 5).aliases.len(), 5);
    }

    #[test]
    fn a_cursor_outside_the_text_or_within_a_character_is_moved() {
        assert_eq!(complete("FIND Usér", 8).span, Span { start: 5, end: 7 });
        assert_eq!(complete("FIND Us", 99).span, Span { start: 5, end: 7 });
    }
}
