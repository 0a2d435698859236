//! The place at the end of a part of a query, which decides how a value is inserted there.
//!
//! The places follow the lexer of the query language. Regular expressions and divisions look alike without the whole
//! grammar, so a slash makes the rest of the text unsure, and only names and numbers can be inserted there.

/// A place in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Place {
    /// Between tokens, or in a name.
    #[default]
    Outside,
    /// In a text in these quotes.
    Quoted(char),
    /// In a text in these quotes, after a backslash.
    Escaped(char),
    /// In a comment.
    Comment,
    /// In `[…]` or `${…}`, which end with this character.
    Enclosed(char),
    /// Not known.
    Unsure,
}

impl Place {
    /// Returns the place after a further part of the text.
    pub(super) fn after(self, text: &str) -> Self {
        let mut place = self;
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let next = letters.peek().copied();
            let is_line_end = matches!(letter, '\n' | '\r');
            place = match (place, letter) {
                (Self::Unsure, _) => return Self::Unsure,
                (Self::Comment, '*') if next == Some('/') => {
                    letters.next();
                    Self::Outside
                }
                (Self::Comment, _) => Self::Comment,
                // Texts, brackets, and parameters end in their line.
                (Self::Quoted(_) | Self::Escaped(_) | Self::Enclosed(_), _) if is_line_end => Self::Unsure,
                (Self::Quoted(quote), '\\') => Self::Escaped(quote),
                (Self::Quoted(quote), _) if letter == quote => Self::Outside,
                (Self::Quoted(quote) | Self::Escaped(quote), _) => Self::Quoted(quote),
                // A name in brackets can be in quotes.
                (Self::Enclosed(_), '\'' | '"') => Self::Unsure,
                (Self::Enclosed(end), _) if letter == end => Self::Outside,
                (Self::Enclosed(end), _) => Self::Enclosed(end),
                (Self::Outside, '\'' | '"') => Self::Quoted(letter),
                (Self::Outside, '/') if next == Some('*') => {
                    letters.next();
                    Self::Comment
                }
                (Self::Outside, '/') => Self::Unsure,
                (Self::Outside, '[') => Self::Enclosed(']'),
                (Self::Outside, '$') if next == Some('{') => Self::Enclosed('}'),
                (Self::Outside, _) => Self::Outside,
            };
        }
        place
    }

    /// Returns the text that stands for a value at this place; `None` if it would change more than a value.
    pub(super) fn insert(self, text: &str) -> Option<String> {
        match self {
            Self::Quoted(_) => Some(escaped(text)),
            _ => (is_name(text) || is_number(text)).then(|| text.to_owned()),
        }
    }
}

/// Returns a text as a part of a literal in quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\'' | '"' | '\\' => escaped.extend(['\\', letter]),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn is_name(text: &str) -> bool {
    /// Words with a meaning of their own.
    const RESERVED: [&str; 30] = [
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "find",
        "that",
        "with",
        "where",
        "return",
        "order",
        "by",
        "limit",
        "skip",
        "has",
        "relates",
        "to",
        "from",
        "and",
        "or",
        "not",
        "true",
        "false",
        "null",
        "undefined",
        "as",
        "unique",
        "tree",
        "asc",
        "desc",
    ];
    text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|letter: char| letter.is_ascii_digit())
        && digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
        && digits.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_quotes_comments_and_brackets() {
        for (text, expected) in [
            ("FIND a WITH b = '", Place::Quoted('\'')),
            ("FIND a WITH b = \"it's ", Place::Quoted('"')),
            ("FIND a WITH b = 'x\\'", Place::Quoted('\'')),
            ("FIND a WITH b = 'x\\\\'", Place::Outside),
            ("FIND a WITH b = 'x\\", Place::Escaped('\'')),
            ("FIND a /* it's */ WITH ", Place::Outside),
            ("FIND a /* it's ", Place::Comment),
            ("FIND a WITH [it's] = ", Place::Unsure),
            ("FIND a WITH [tag.x] = '", Place::Quoted('\'')),
            ("FIND a WITH b = ${param.x} AND c = '", Place::Quoted('\'')),
            ("FIND a WITH b = /it's/ AND c = '", Place::Unsure),
            ("FIND a WITH b = 'x\n", Place::Unsure),
        ] {
            assert_eq!(Place::Outside.after(text), expected, "{text}");
        }
    }

    #[test]
    fn only_names_and_numbers_are_inserted_outside_of_quotes() {
        for text in ["heroku_team", "12", "-1.5", "Team2"] {
            assert_eq!(Place::Outside.insert(text).as_deref(), Some(text));
        }
        for text in ["", "a b", "or", "TRUE", "1e5", "1.2.3", "a-b", "'x'", "a.b", "1 OR", "-"] {
            assert_eq!(Place::Outside.insert(text), None, "{text}");
        }
        assert_eq!(Place::Escaped('\'').insert("'"), None);
    }
}
