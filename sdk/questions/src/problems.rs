//! Rules that a readable pack may violate.

use std::collections::BTreeSet;
use std::fmt;

use crate::{Pack, Question};

/// A violated rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Two questions have one id.
    Id(String),
    /// Two questions have one title.
    Title(String),
    /// A question lists a tag twice.
    Tag {
        /// The id of the question.
        question: String,
        /// The tag.
        tag: String,
    },
    /// Two queries of a question have one name.
    QueryName {
        /// The id of the question.
        question: String,
        /// The name.
        name: String,
    },
    /// A question has no query.
    NoQuery(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "several questions have the id `{id}`"),
            Self::Title(title) => write!(f, "several questions have the title `{title}`"),
            Self::Tag { question, tag } => write!(f, "question {question} lists the tag `{tag}` twice"),
            Self::QueryName { question, name } => {
                write!(f, "question {question} has several queries with the name `{name}`")
            }
            Self::NoQuery(question) => write!(f, "question {question} has no query"),
        }
    }
}

impl Pack {
    /// Returns the violated rules: ids and titles, tags of a question, and names of its queries are unique.
    pub fn problems(&self) -> Vec<Problem> {
        let repeated = |names: Vec<&String>| {
            let mut seen = BTreeSet::new();
            let twice: BTreeSet<&String> = names.into_iter().filter(|name| !seen.insert(*name)).collect();
            twice.into_iter().cloned().collect::<Vec<String>>()
        };
        let of_all = |name: fn(&Question) -> &String| repeated(self.questions.iter().map(name).collect());
        let mut problems: Vec<Problem> = of_all(|question| &question.id).into_iter().map(Problem::Id).collect();
        problems.extend(of_all(|question| &question.title).into_iter().map(Problem::Title));
        for question in &self.questions {
            let id = || question.id.clone();
            let tags = repeated(question.tags.iter().collect());
            problems.extend(tags.into_iter().map(|tag| Problem::Tag { question: id(), tag }));
            let names = repeated(question.queries.iter().map(|query| &query.name).collect());
            problems.extend(names.into_iter().map(|name| Problem::QueryName { question: id(), name }));
            if question.queries.is_empty() {
                problems.push(Problem::NoQuery(id()));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_and_missing_queries_are_problems() {
        let text = "[{id: a, title: T, queries: [{name: n, query: q}, {name: n, query: q}], tags: [x, x]}, \
                    {id: a, title: T, queries: []}]";
        let problems = Pack::parse(text).expect("a pack").problems();
        let texts: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            texts,
            [
                "several questions have the id `a`",
                "several questions have the title `T`",
                "question a lists the tag `x` twice",
                "question a has several queries with the name `n`",
                "question a has no query",
            ]
        );
    }
}
