//! Wrong queries, with the rendered messages.

use crate::syntax::parse;

/// Parses each text; returns the rendered errors.
fn messages(queries: &[&str]) -> String {
    let mut all = String::new();
    for query in queries {
        let errors = parse(query).map(|tree| tree.to_string()).expect_err("a wrong query");
        all += &format!("{}\n", errors.render(query));
    }
    all
}

#[test]
fn unclosed_parts() {
    insta::assert_snapshot!(messages(&[
        "FIND User WITH name = 'bob THAT HAS Device",
        "FIND User WITH (active = true THAT HAS Device",
    ]));
}
