//! Completion and continuation of lines at the prompt.

use integration_query::syntax::{self, Completion, Expected, Owner, Selector, Verbs};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::names::Names;

/// The operators that are offered after a property.
const OPERATORS: [&str; 12] = ["=", "!=", ">", ">=", "<", "<=", "~=", "^=", "$=", "!~=", "!^=", "!$="];
const FUNCTIONS: [&str; 13] = [
    "count(",
    "sum(",
    "avg(",
    "min(",
    "max(",
    "concat(",
    "coalesce(",
    "merge(",
    "abs(",
    "round(",
    "floor(",
    "ceil(",
    "sqrt(",
];

/// Completes words of a query.
pub(super) struct Assistant {
    names: Names,
}

impl Assistant {
    pub(super) fn new(names: Names) -> Self {
        Self { names }
    }

    /// Returns the words that can replace the word at the cursor.
    fn words(&self, completion: &Completion, typed: &str) -> Vec<String> {
        let mut words = Vec::new();
        for expected in &completion.expected {
            let found: Vec<String> = match expected {
                Expected::Keyword(keyword) => vec![keyword.phrase().to_owned()],
                Expected::Selector => self.names.selectors().map(str::to_owned).collect(),
                Expected::Verb => self.names.verbs().map(str::to_owned).collect(),
                Expected::Alias => completion.aliases.iter().map(|(name, _)| name.clone()).collect(),
                Expected::Property(owner) => self.properties(owner, completion),
                Expected::Operator => OPERATORS.map(str::to_owned).to_vec(),
                Expected::Function => FUNCTIONS.map(str::to_owned).to_vec(),
                Expected::Value => ["true", "false", "undefined", "date.now"].map(str::to_owned).to_vec(),
                Expected::Unit => ["hours", "days", "months", "years"].map(str::to_owned).to_vec(),
                _ => Vec::new(),
            };
            words.extend(found);
        }
        let fits = |word: &String| word.to_lowercase().starts_with(&typed.to_lowercase());
        words.retain(fits);
        words.dedup();
        words
    }

    fn properties(&self, owner: &Owner, completion: &Completion) -> Vec<String> {
        let owner = match owner {
            Owner::Alias(alias) => completion.aliases.iter().find(|(name, _)| name == alias).map(|(_, owner)| owner),
            other => Some(other),
        };
        let of: Vec<String> = match owner {
            Some(Owner::Entities(Selector::Names(names))) | Some(Owner::Relationships(Verbs::Of(names))) => {
                names.iter().map(|name| name.value.clone()).collect()
            }
            _ => Vec::new(),
        };
        self.names.properties(&of).into_iter().map(str::to_owned).collect()
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, cursor: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let completion = syntax::complete(line, cursor);
        let typed = line.get(completion.span.start..completion.span.end).unwrap_or_default();
        let words = self.words(&completion, typed).into_iter();
        let pair = |word: String| Pair { display: word.clone(), replacement: word };
        Ok((completion.span.start, words.map(pair).collect()))
    }
}

impl Validator for Assistant {
    /// A line that ends with a backslash continues on the next one.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match context.input().ends_with('\\') {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Highlighter for Assistant {}

impl Helper for Assistant {}
