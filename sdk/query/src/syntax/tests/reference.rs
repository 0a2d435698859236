//! The queries of the reference for users.

use crate::syntax::parse;

const REFERENCE: &str = include_str!("../../../../../docs/querying-reference.md");

/// Returns the contents of the code blocks of a language, each with the text after it.
fn blocks(language: &str) -> Vec<(&'static str, &'static str)> {
    let opening = format!("```{language}\n");
    let mut parts = REFERENCE.split(opening.as_str());
    parts.next();
    parts.map(|part| part.split_once("```").expect("a block has an end")).collect()
}

#[test]
fn every_query_of_the_reference_parses() {
    let queries: Vec<&str> = blocks("j1ql").into_iter().flat_map(|(block, _)| block.split("\n\n")).collect();
    assert!(queries.len() > 10, "the blocks were found");
    for query in queries {
        if let Err(errors) = parse(query) {
            panic!("{}", errors.render(query));
        }
    }
}

#[test]
fn the_errors_of_the_reference_are_those_of_the_parser() {
    let wrong = blocks("j1ql-wrong");
    assert!(!wrong.is_empty(), "the blocks were found");
    for (query, rest) in wrong {
        let shown = rest.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
        let errors = parse(query).expect_err("a wrong query");
        assert_eq!(Some(errors.render(query).as_str()), shown);
    }
}
