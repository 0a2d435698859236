//! The rules on the reference page are read, and have no problems.

use integration_rules::{parse_rules, problems_of};

#[test]
fn every_rule_on_the_page_has_no_problems() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules-reference.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        let rules = parse_rules(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
        let problems: Vec<String> = problems_of(&rules).iter().map(ToString::to_string).collect();
        assert_eq!(problems, Vec::<String>::new(), "{block}");
    }
}
