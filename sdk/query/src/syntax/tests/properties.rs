//! Properties of the parser that hold for every text and every tree.

use proptest::prelude::*;

use super::generate::query;
use super::shape;
use crate::syntax::{complete, parse};

/// Pieces of queries, in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "FIND",
        "UNIQUE",
        "WITH",
        "AS",
        "THAT",
        "RELATES",
        "TO",
        "WHERE",
        "RETURN",
        "TREE",
        "ORDER",
        "BY",
        "DESC",
        "SKIP",
        "LIMIT",
        "AND",
        "OR",
        "NOT",
        "IN",
        "User",
        "u",
        "name",
        "date",
        ".",
        "now",
        "day",
        "true",
        "undefined",
        "(",
        ")",
        ")?",
        "?",
        "|",
        "!",
        "=",
        "!=",
        "~=",
        "<<",
        ">>",
        "==",
        "<>",
        "->",
        "*",
        "#",
        "+",
        "-",
        "/",
        "^",
        ",",
        "[",
        "]",
        "[x-y]",
        "'",
        "\"",
        "'a'",
        "${param.x}",
        "${",
        "}",
        "{{x}}",
        "/*",
        "*/",
        "/a/i",
        "1",
        "2.5",
        "date(2020-01-01)",
        "date(",
        "\n",
        "\\",
        "é",
        "\u{1b}",
        "“",
        ";",
        "count(",
        "u.*",
        "a = 1",
    ]);
    prop::collection::vec((pieces, prop::sample::select(vec!["", " ", " ", " "])), 0..40)
        .prop_map(|pieces| pieces.into_iter().flat_map(|(piece, blank)| [piece, blank]).collect())
}

/// Checks the promises of the parser about one text.
fn check(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Ok(tree) => {
            let printed = tree.to_string();
            let again = parse(&printed).map_err(|errors| TestCaseError::fail(errors.render(&printed)))?;
            prop_assert_eq!(shape(&tree), shape(&again), "{}", printed);
        }
        Err(errors) => {
            let mut last = 0;
            for error in &errors {
                prop_assert!(error.span.start <= error.span.end && error.span.end <= text.len());
                prop_assert!(text.is_char_boundary(error.span.start) && text.is_char_boundary(error.span.end));
                prop_assert!(last <= error.span.start, "the errors are in the order of the text");
                last = error.span.start;
            }
            let rendered = errors.render(text);
            prop_assert!(rendered.chars().all(|letter| letter == '\n' || !letter.is_control()));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_tokens_are_parsed_or_refused(text in soup()) {
        check(&text)?;
    }

    #[test]
    fn any_cursor_can_be_completed(text in soup(), cursor in 0..200_usize) {
        let completion = complete(&text, cursor);
        prop_assert!(text.get(completion.span.start..completion.span.end).is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_printed_tree_parses_to_the_same_tree(tree in query()) {
        let printed = tree.to_string();
        let parsed = parse(&printed).map_err(|errors| TestCaseError::fail(errors.render(&printed)))?;
        prop_assert_eq!(shape(&tree), shape(&parsed), "{}", printed);
    }

    #[test]
    fn every_prefix_is_parsed_or_refused(tree in query(), cut in any::<prop::sample::Index>()) {
        let printed = tree.to_string();
        let mut end = cut.index(printed.len());
        while !printed.is_char_boundary(end) {
            end -= 1;
        }
        check(&printed[..end])?;
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for (open, close) in [("(", ")"), ("-", ""), ("abs(", ")"), ("2 ^ ", "")] {
        let text = format!("FIND User RETURN {}User.a{}", open.repeat(50_000), close.repeat(50_000));
        let errors = parse(&text).expect_err("too deep");
        assert_eq!(errors.iter().count(), 1, "{errors}");
        assert!(errors.to_string().contains("nested too deeply"), "{errors}");
    }
    for open in ["FIND User WITH ", "FIND User WITH a = ", "FIND User "] {
        let text = format!("{open}{}", if open.ends_with("User ") { "(THAT HAS A " } else { "(" }.repeat(50_000));
        let errors = parse(&text).expect_err("too deep");
        assert_eq!(errors.iter().count(), 1, "{errors}");
    }
}

#[test]
fn a_long_expression_is_an_error() {
    let text = format!("FIND User RETURN 1{}", " + 1".repeat(50_000));
    let errors = parse(&text).expect_err("too long");
    assert!(errors.to_string().contains("too long"), "{errors}");
    let text = format!("FIND User RETURN {}", ["1 + 1"; 1_000].join(", "));
    parse(&text).expect("many columns are not a long expression");
}

#[test]
fn a_long_condition_is_no_error() {
    let text = format!("FIND User WITH a = 1{}", " OR a = 1".repeat(20_000));
    let tree = parse(&text).expect("a flat condition");
    assert_eq!(tree.to_string(), text);
}
