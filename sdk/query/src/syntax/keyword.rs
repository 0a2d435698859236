//! Keywords and reserved words.

/// A keyword of J1QL. Upper and lower case are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Keyword {
    /// `FIND`
    Find,
    /// `UNIQUE`
    Unique,
    /// `WITH`
    With,
    /// `AS`
    As,
    /// `THAT`
    That,
    /// `RELATES`, which is followed by `TO`
    Relates,
    /// `TO`
    To,
    /// `WHERE`
    Where,
    /// `AND`
    And,
    /// `OR`
    Or,
    /// `RETURN`
    Return,
    /// `TREE`
    Tree,
    /// `ORDER`, which is followed by `BY`
    Order,
    /// `BY`
    By,
    /// `ASC`
    Ascending,
    /// `DESC`
    Descending,
    /// `SKIP`
    Skip,
    /// `LIMIT`
    Limit,
}

impl Keyword {
    /// All keywords.
    pub const ALL: [Self; 18] = [
        Self::Find,
        Self::Unique,
        Self::With,
        Self::As,
        Self::That,
        Self::Relates,
        Self::To,
        Self::Where,
        Self::And,
        Self::Or,
        Self::Return,
        Self::Tree,
        Self::Order,
        Self::By,
        Self::Ascending,
        Self::Descending,
        Self::Skip,
        Self::Limit,
    ];

    /// Returns the keyword in upper case.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Find => "FIND",
            Self::Unique => "UNIQUE",
            Self::With => "WITH",
            Self::As => "AS",
            Self::That => "THAT",
            Self::Relates => "RELATES",
            Self::To => "TO",
            Self::Where => "WHERE",
            Self::And => "AND",
            Self::Or => "OR",
            Self::Return => "RETURN",
            Self::Tree => "TREE",
            Self::Order => "ORDER",
            Self::By => "BY",
            Self::Ascending => "ASC",
            Self::Descending => "DESC",
            Self::Skip => "SKIP",
            Self::Limit => "LIMIT",
        }
    }

    /// Returns the keyword as people write it in full.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Relates => "RELATES TO",
            Self::Order => "ORDER BY",
            keyword => keyword.text(),
        }
    }

    /// Returns whether a word is this keyword.
    #[must_use]
    pub fn is(self, word: &str) -> bool {
        self.text().eq_ignore_ascii_case(word)
    }
}

/// The words that cannot be aliases.
const RESERVED: [&str; 26] = [
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
];

/// Returns the words with a meaning of their own somewhere in a query: keywords and reserved words, in any case of letters.
///
/// A program that inserts a name outside of quotes must refuse them.
pub fn special_words() -> impl Iterator<Item = &'static str> {
    Keyword::ALL.into_iter().map(Keyword::text).chain(RESERVED)
}

/// Returns whether a word cannot be an alias.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// Returns whether a word starts or joins clauses, so that it cannot be the name of a selector or a verb.
pub(super) fn is_structural(word: &str) -> bool {
    use Keyword::{And, As, Find, Limit, Or, Return, Skip, That, Where, With};
    [Find, With, As, That, Where, And, Or, Return, Skip, Limit].iter().any(|keyword| keyword.is(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keywords_are_listed() {
        for (at, keyword) in Keyword::ALL.into_iter().enumerate() {
            assert_eq!(keyword as usize, at, "{keyword:?}");
        }
        assert_eq!(Keyword::Limit as usize + 1, Keyword::ALL.len(), "the last one");
    }
}
