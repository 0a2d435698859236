//! The likely remedies of errors: misspelt keywords, and habits of SQL, Cypher, and programming languages.

use crate::diagnostic::is_hidden;

use super::{Expected, Keyword, Parser, Symbol, TokenKind};

/// Returns the likely remedy of an unexpected token.
pub(super) fn of(parser: &Parser<'_>) -> Option<String> {
    let token = Unexpected { parser, text: parser.text_at(parser.at).to_ascii_uppercase() };
    let help = match parser.kind() {
        TokenKind::Foreign => token.foreign_symbol().map(str::to_owned),
        TokenKind::Word => token.word(),
        TokenKind::Text(_) | TokenKind::Number | TokenKind::Regex { .. } => token.value().map(str::to_owned),
        TokenKind::Symbol(symbol) => token.symbol(*symbol).map(str::to_owned),
        TokenKind::Bracket(_) => token
            .is_expected(|expected| matches!(expected, Expected::Verb | Expected::Selector))
            .then(|| "Brackets contain names of properties. Steps are written THAT verb entity.".to_owned()),
        TokenKind::End => token.end().map(str::to_owned),
        TokenKind::Date(_) | TokenKind::Parameter(_) => None,
    };
    help.or_else(|| token.needs_parentheses())
}

/// Returns the keyword that the current word is probably meant to be.
pub(super) fn misspelt(parser: &Parser<'_>) -> Option<Keyword> {
    let word = parser.word_at(parser.at)?.to_ascii_uppercase();
    let keywords = parser.expected.iter().filter_map(|expected| match expected {
        Expected::Keyword(keyword) => Some(*keyword),
        _ => None,
    });
    keywords
        .filter(|keyword| is_similar(&word, keyword.text()))
        .min_by_key(|keyword| strsim::osa_distance(&word, keyword.text()))
}

/// Returns whether a word in upper case is a likely misspelling of a keyword.
fn is_similar(word: &str, keyword: &str) -> bool {
    // Words of other languages, which have an explanation of their own.
    if word == keyword || ["IN", "IS", "HAS", "ON", "BY", "LIKE", "NOT"].contains(&word) {
        return false;
    }
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let allowed = match keyword.len() {
        0..=2 => 0,
        3 => 1,
        _ => 2,
    };
    sorted(word) == sorted(keyword)
        || word.len().abs_diff(keyword.len()) <= 1
            && strsim::osa_distance(word, keyword) <= allowed.min(word.len().saturating_sub(2))
}

const STEP: &str = "A step is written THAT verb entity, such as THAT HAS Device or THAT RELATES TO *.";

/// An unexpected token and its neighbours.
struct Unexpected<'p, 'a> {
    parser: &'p Parser<'a>,
    /// The token in upper case.
    text: String,
}

impl Unexpected<'_, '_> {
    fn is_expected(&self, test: impl Fn(&Expected) -> bool) -> bool {
        self.parser.expected.iter().any(test)
    }

    fn expects(&self, expected: &Expected) -> bool {
        self.parser.expected.contains(expected)
    }

    fn expects_property(&self) -> bool {
        self.is_expected(|expected| matches!(expected, Expected::Property(_)))
            || self.expects(&Expected::Alias) && !self.expects(&Expected::Function)
    }

    /// Returns whether the current place is between two clauses.
    fn is_between_clauses(&self) -> bool {
        self.is_expected(|expected| matches!(expected, Expected::End))
    }

    fn next_symbol(&self) -> Option<Symbol> {
        self.parser.symbol_at(self.parser.at + 1)
    }

    fn next_is_name(&self) -> bool {
        self.parser.word_at(self.parser.at + 1).is_some() || self.next_symbol() == Some(Symbol::Star)
    }

    fn previous_word(&self) -> Option<String> {
        let index = self.parser.at.checked_sub(1)?;
        self.parser.word_at(index).map(str::to_ascii_uppercase)
    }

    fn foreign_symbol(&self) -> Option<&'static str> {
        if self.text.chars().all(is_hidden) {
            return Some("The text contains an invisible character here. Remove it.");
        }
        if self.text == "{" && self.expects(&Expected::Text) {
            return Some("Replace the placeholder by a class or a type.");
        }
        Some(match self.text.as_str() {
            "==" | "===" => "Equality is written =.",
            "<>" | "!==" => "Inequality is written !=.",
            "=~" => "A regular expression is compared with =, as in name = /pattern/.",
            "=>" => "Write >=.",
            "=<" => "Write <=.",
            "&&" => "Write AND.",
            "||" if self.expects(&Expected::Symbol("|")) => "Alternatives are written (A|B).",
            "||" => "Write OR.",
            "->" => "A step is written THAT verb entity. Its direction is >> or << after the verb: THAT HAS >> Device.",
            "{" if self.parser.text_at(self.parser.at + 1) == "{" => {
                "A variable {{name}} is replaced before the query is parsed. It needs a value."
            }
            "{" if self.expects(&Expected::Selector) || self.expects(&Expected::Symbol("?")) => {
                "J1QL has no steps of variable length. Write each step: THAT HAS … THAT HAS …"
            }
            ";" => "A query has no semicolon at its end.",
            "“" | "”" | "„" | "‘" | "’" | "«" | "»" => {
                "Write texts in straight quotes, 'text' or \"text\"."
            }
            "`" => "Write names without quotes, and unusual names of properties in brackets: [odd-name].",
            "–" | "—" | "−" => "Write the sign as -.",
            "%" => "The arithmetic operators are + - * / ^.",
            "$" => "A parameter is written ${param.name}.",
            _ => return None,
        })
    }

    fn word(&self) -> Option<String> {
        if let Some(keyword) = misspelt(self.parser) {
            return Some(format!("Did you mean {}?", keyword.phrase()));
        }
        let help = if self.expects(&Expected::Operator) {
            self.word_as_operator()
        } else if self.expects_property() {
            self.word_as_property()
        } else {
            None
        };
        help.or_else(|| self.foreign_word()).or_else(|| self.misplaced_keyword()).map(str::to_owned)
    }

    fn word_as_operator(&self) -> Option<&'static str> {
        Some(match self.text.as_str() {
            "IN" => "Several values are written = ('a' OR 'b').",
            "NOT" => {
                "J1QL has no NOT. Negated operators are != !~= !^= !$=, and != ('a' OR 'b') excludes several values."
            }
            "LIKE" | "ILIKE" | "CONTAINS" | "INCLUDES" => {
                "Write ~= for contains, ^= for starts with, and $= for ends with."
            }
            "STARTS" | "STARTSWITH" => "Starts with is written ^=.",
            "ENDS" | "ENDSWITH" => "Ends with is written $=.",
            "MATCHES" | "REGEXP" | "RLIKE" => "A regular expression is compared with =, as in name = /pattern/.",
            "IS" => "An absent property equals undefined: name = undefined. A present one: name != undefined.",
            "EXISTS" | "DEFINED" => "A present property is written name != undefined.",
            "BETWEEN" => "Write two comparisons: x >= 1 AND x <= 5.",
            "EQUALS" | "EQ" => "Equality is written =.",
            _ => "A condition compares a property with a value, as in active = true.",
        })
    }

    fn word_as_property(&self) -> Option<&'static str> {
        Some(match self.text.as_str() {
            "NOT" => "J1QL has no NOT. Negate the operator (!= !~= !^= !$=), or the verb: THAT !HAS entity.",
            "EXISTS" => "A present property is written name != undefined.",
            "COUNT" | "SUM" | "AVG" | "MIN" | "MAX" => {
                "Conditions cannot contain aggregates. Compute the value in RETURN."
            }
            "FIND" | "SELECT" => {
                "J1QL has no sub-queries. Describe the path with THAT, and compare aliases with WHERE."
            }
            _ if self.next_symbol() == Some(Symbol::Open) => "Functions are for RETURN only.",
            _ => return None,
        })
    }

    /// Returns the J1QL for a word of another query language.
    fn foreign_word(&self) -> Option<&'static str> {
        Some(match self.text.as_str() {
            "SELECT" if self.expects(&Expected::Value) => {
                "J1QL has no sub-queries. Describe the path with THAT, and compare aliases with WHERE."
            }
            "SELECT" => "A query is written FIND entity … RETURN entity.property.",
            "MATCH" => "A query is written FIND entity THAT verb entity RETURN entity.property.",
            "FIND" if self.is_between_clauses() => "A text has one query. Run the queries one by one.",
            "FIND" if self.expects(&Expected::Value) || self.expects(&Expected::Selector) => {
                "J1QL has no sub-queries. Describe the path with THAT, and compare aliases with WHERE."
            }
            "FROM" => "The entities follow FIND: FIND entity … RETURN entity.property.",
            "GROUP" => {
                "J1QL has no GROUP BY. The columns that are not aggregates are the groups: RETURN a.name, count(b)."
            }
            "HAVING" => "J1QL has no HAVING. Filter with WITH or WHERE.",
            "DISTINCT" if self.expects(&Expected::Function) => {
                "Write FIND UNIQUE … RETURN for distinct rows. count() counts distinct values."
            }
            "DISTINCT" => "Write UNIQUE.",
            "JOIN" | "INNER" | "LEFT" | "OUTER" => {
                "J1QL has no JOIN. Follow relationships with THAT; ( THAT … )? keeps entities without them."
            }
            "UNION" => "J1QL has no UNION. Alternatives are written (A|B).",
            "OFFSET" => "Write SKIP.",
            "TOP" | "FETCH" => "Write LIMIT, at the end of the query.",
            "OPTIONAL" => "An optional part is written ( THAT verb entity )?.",
            "NOT" => "J1QL has no NOT. Negate the operator (!= !~= !^= !$=), or the verb: THAT !HAS entity.",
            "CASE" | "IF" => "J1QL has no conditional expressions. COALESCE(a, b) returns the first present value.",
            _ => return None,
        })
    }

    /// Explains a word that is out of place between two clauses, or at the place of a name.
    fn misplaced_keyword(&self) -> Option<&'static str> {
        if self.is_between_clauses() {
            return self.misplaced_clause();
        }
        let is_compared = matches!(self.next_symbol(), Some(Symbol::Compare(_)));
        if is_compared && self.expects(&Expected::Keyword(Keyword::With)) && self.expects(&Expected::Symbol(")")) {
            return Some("Conditions follow WITH, directly after the entity.");
        }
        if self.previous_is(Symbol::Open) && self.expects(&Expected::Keyword(Keyword::That)) {
            return Some("An optional part starts with ( THAT. Functions are for RETURN only.");
        }
        if self.expects(&Expected::Text) {
            return Some("FIND is followed by a class, a type, *, or a text to search for.");
        }
        if self.expects(&Expected::Selector) {
            return Some(if Keyword::As.is(&self.text) { "AS follows the verb or the entity." } else { STEP });
        }
        if self.expects(&Expected::Verb) {
            return Some(STEP);
        }
        if self.expects(&Expected::Function) {
            return Some(match self.text.as_str() {
                "COUNT" | "SUM" | "AVG" | "MIN" | "MAX" => "An aggregate has an argument: count(User).",
                _ => "This word is reserved. A value is an alias, alias.property, or a function.",
            });
        }
        if self.expects(&Expected::Unit) {
            return Some("Offsets are whole hours, days, months of 30 days, or years of 365 days.");
        }
        if self.previous_word().is_some_and(|word| word == "RELATES") {
            return Some("Any relationship is written THAT RELATES TO entity.");
        }
        None
    }

    fn misplaced_clause(&self) -> Option<&'static str> {
        let is_keyword = |keyword: Keyword| keyword.is(&self.text);
        let takes_steps = self.expects(&Expected::Keyword(Keyword::That));
        Some(if is_keyword(Keyword::That) {
            "Every THAT comes before WHERE, RETURN, ORDER BY, SKIP, and LIMIT. WITH filters the entity before it."
        } else if is_keyword(Keyword::With) {
            "An entity has one WITH; join its conditions with AND. WHERE follows the last step."
        } else if [Keyword::Where, Keyword::Return, Keyword::Order].into_iter().any(is_keyword) {
            "The order of the clauses is: FIND … THAT … WHERE … RETURN … ORDER BY … SKIP … LIMIT."
        } else if is_keyword(Keyword::As) {
            "AS directly follows an entity, a verb, an optional part, or a column of RETURN."
        } else if is_keyword(Keyword::And) || is_keyword(Keyword::Or) {
            if self.expects(&Expected::Keyword(Keyword::With)) {
                "Conditions follow WITH. Alternatives of entities are written (A|B)."
            } else {
                "AND and OR join conditions after WITH or WHERE. Further steps start with THAT."
            }
        } else if matches!(self.next_symbol(), Some(Symbol::Compare(_))) {
            "Conditions follow WITH, directly after the entity."
        } else if takes_steps && self.next_is_name() {
            "A step starts with THAT: THAT verb entity."
        } else {
            return None;
        })
    }

    /// Explains a text or a number that is out of place.
    fn value(&self) -> Option<&'static str> {
        let previous = self.previous_word();
        let is_joined = previous.is_some_and(|word| word == "OR" || word == "AND");
        if self.expects_property() && is_joined {
            return Some("Several values of one property are written in parentheses: = ('a' OR 'b').");
        }
        if self.expects(&Expected::NewAlias) {
            return Some("The alias of an entity or a relationship is a name without quotes.");
        }
        if self.expects_property() && matches!(self.next_symbol(), Some(Symbol::Compare(_))) {
            return Some("The property is on the left side, and the value on the right: name = 'x'.");
        }
        if self.expects(&Expected::Selector) && !self.expects(&Expected::Text) {
            return Some(
                "A text to search for can only be at the start: FIND 'text' THAT …. Names of entities have no quotes.",
            );
        }
        if self.is_between_clauses() && *self.parser.kind() == TokenKind::Number {
            return Some("Texts are written in quotes, such as '10.0.0.1'.");
        }
        None
    }

    fn symbol(&self, symbol: Symbol) -> Option<&'static str> {
        let next = self.next_symbol();
        let is_property = self.expects_property();
        Some(match symbol {
            Symbol::Star if self.expects(&Expected::Function) => {
                if self.previous_is(Symbol::Open) {
                    "J1QL has no count(*). Count an alias: count(User)."
                } else {
                    "All properties are written alias.*."
                }
            }
            Symbol::Star | Symbol::Plus | Symbol::Question if self.expects(&Expected::Selector) => {
                "J1QL has no steps of variable length. Write each step: THAT HAS … THAT HAS …"
            }
            Symbol::Bang if is_property => {
                "J1QL has no NOT. Negate the operator (!= !~= !^= !$=), or the verb: THAT !HAS entity."
            }
            Symbol::Bang => "A negated step is written THAT !verb entity.",
            Symbol::Slash if next == Some(Symbol::Slash) => "Comments are written /* … */.",
            Symbol::Minus if next == Some(Symbol::Minus) => "Comments are written /* … */.",
            Symbol::Minus if self.expects(&Expected::Operator) => {
                "A property with an unusual name is written in brackets: [odd-name]."
            }
            Symbol::Minus if self.is_in_value() => "A text needs quotes, as in name = 'web-1'.",
            Symbol::Minus if self.is_between_clauses() && self.is_in_name() => {
                "Names of types contain underscores, such as heroku_app."
            }
            Symbol::Dot => "Texts are written in quotes, such as '10.0.0.1'.",
            Symbol::Minus | Symbol::Compare(_) | Symbol::Backward | Symbol::Forward if self.is_between_clauses() => {
                "Conditions follow WITH. A step is written THAT verb entity, and its direction follows the verb: \
                 THAT HAS >> Device."
            }
            Symbol::Backward | Symbol::Forward => "The direction directly follows the verb: THAT HAS >> Device.",
            Symbol::Pipe => "Alternatives are written in parentheses: (A|B).",
            Symbol::Close => "There is no open parenthesis for it.",
            Symbol::Comma if self.is_between_clauses() => "Alternatives are written (A|B); columns follow RETURN.",
            Symbol::Comma if self.expects(&Expected::Symbol(")")) => "Several values are written ('a' OR 'b').",
            Symbol::Hash => "Comments are written /* … */.",
            _ => return None,
        })
    }

    /// Returns whether the token is directly between two words.
    fn is_in_name(&self) -> bool {
        let at = self.parser.at;
        let Some(before) = at.checked_sub(1) else { return false };
        self.parser.word_at(before).is_some()
            && self.parser.word_at(at + 1).is_some()
            && self.parser.token_at(before).span.end == self.parser.span().start
            && self.parser.span().end == self.parser.token_at(at + 1).span.start
    }

    /// Returns whether the token is within a word with dashes on the right side of a comparison.
    fn is_in_value(&self) -> bool {
        let operator = self.parser.at.checked_sub(2).and_then(|index| self.parser.symbol_at(index));
        matches!(operator, Some(Symbol::Compare(_))) && self.is_in_name()
    }

    fn previous_is(&self, symbol: Symbol) -> bool {
        self.parser.at.checked_sub(1).and_then(|index| self.parser.symbol_at(index)) == Some(symbol)
    }

    fn end(&self) -> Option<&'static str> {
        if self.expects(&Expected::Selector) && self.expects(&Expected::Keyword(Keyword::As)) {
            return Some(STEP);
        }
        if self.expects(&Expected::Keyword(Keyword::Find)) {
            return Some("A query is written FIND entity, such as FIND User.");
        }
        None
    }

    /// Explains that the end of an optional part needs its question mark.
    fn needs_parentheses(&self) -> Option<String> {
        (self.expects(&Expected::Symbol("?")) && self.previous_is(Symbol::Close))
            .then(|| "An optional part ends with )?. Steps that are not optional have no parentheses.".to_owned())
    }
}
