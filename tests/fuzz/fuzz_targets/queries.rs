//! Fuzz target: the text of a query is parsed or refused, and a parsed query prints as an equal one.
#![no_main]

use integration_query::syntax::{complete, parse, substitute, variables};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = complete(text, text.len() / 2);
    let values = variables(text).into_iter().map(|name| (name.value, String::new())).collect();
    substitute(text, &values).expect("every variable has a value");
    match parse(text) {
        Ok(query) => {
            let printed = query.to_string();
            let again = parse(&printed).expect("the canonical text parses");
            assert_eq!(printed, again.to_string());
        }
        Err(errors) => {
            let rendered = errors.render(text);
            assert!(rendered.chars().all(|letter| letter == '\n' || !letter.is_control()));
        }
    }
});
