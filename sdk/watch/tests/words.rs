//! The words of the query language that no value may bring into a query.

use integration_query::syntax::special_words;
use integration_rules::{Evaluation, Input, Next, Program, QueryAnswer, parse_rules};
use jiff::Timestamp;
use serde_json::json;

/// A rule that inserts the name of an entity into a query, outside of quotes.
const RULE: &str = "
name: N
question: {queries: [{query: FIND acme_host}]}
operations:
  - actions:
      - type: FOR_EACH_ITEM
        items: '{{queries.query0.data}}'
        actions: [{type: JUPITERONE_QUERY, name: more, query: 'FIND {{item.name}}'}]
";

/// Returns the query with an inserted name; `None` if the name is refused.
fn inserted(name: &str) -> Option<String> {
    let rule = parse_rules(RULE).expect("a rule").remove(0);
    let program = Program::compile(rule).expect("a program");
    let mut evaluation = Evaluation::start(&program, Input::at(Timestamp::UNIX_EPOCH));
    let mut filled = None;
    loop {
        match evaluation.step() {
            Next::Query(request) => {
                if request.is_filled {
                    filled = Some(request.query.clone());
                }
                evaluation.answer(Ok(QueryAnswer::complete(vec![json!({"name": name})])));
            }
            Next::Done(_) => return filled,
        }
    }
}

#[test]
fn no_word_with_a_meaning_in_queries_is_inserted_outside_of_quotes() {
    assert_eq!(inserted("acme_team").as_deref(), Some("FIND acme_team"), "a name is inserted");
    for word in special_words() {
        for spelt in [word.to_lowercase(), word.to_uppercase()] {
            assert_eq!(inserted(&spelt), None, "{spelt}: add it to the reserved words of `query_place.rs`");
        }
    }
}
