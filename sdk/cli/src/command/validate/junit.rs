//! Results as JUnit XML for build servers: one suite per check, one case per rule.

use quick_junit::{NonSuccessKind, Report as Document, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::report::Rule;

use super::Report;

/// A check as a suite of test cases.
pub(super) struct Suite<'a> {
    pub(super) title: &'static str,
    pub(super) skipped: Option<&'a str>,
    pub(super) rules: &'static [Rule],
    pub(super) reports: Vec<Report>,
}

/// Renders the suites as a document.
pub(super) fn document(program: &str, suites: Vec<Suite<'_>>) -> Result<String, SerializeError> {
    let mut document = Document::new(xml(program));
    for Suite { title, skipped, rules, reports } in suites {
        let name = title.to_lowercase();
        let mut suite = TestSuite::new(format!("validate {name}"));
        for rule in rules {
            let status = match skipped {
                Some(reason) => not_run(reason),
                None => of_rule(*rule, &reports),
            };
            let mut case = TestCase::new(rule.title(), status);
            case.set_classname(format!("validate.{name}.{}", rule.id()));
            suite.add_test_case(case);
        }
        document.add_test_suite(suite);
    }
    document.to_string()
}

fn not_run(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(xml(reason));
    status
}

/// Escapes characters that XML 1.0 does not allow, such as U+FFFE.
fn xml(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => shown.push(letter),
            letter => shown.extend(letter.escape_unicode()),
        }
    }
    shown
}

fn of_rule(rule: Rule, reports: &[Report]) -> TestCaseStatus {
    let found: Vec<&Report> = reports.iter().filter(|report| report.rule == rule).collect();
    if found.is_empty() {
        return TestCaseStatus::success();
    }
    let count: u64 = found.iter().map(|report| report.count).sum();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(rule.id());
    status.set_message(format!("{count} found. To do: {}", rule.advice()));
    let lines: Vec<String> = found.into_iter().map(Report::sentence).collect();
    status.set_description(xml(&lines.join("\n")));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_any_character_is_valid_xml() {
        let odd = "a\u{0}\u{b}\u{1b}\u{7f}\u{fffe}\u{ffff}\u{1fffe}<&>]]>\n";
        let finding = Report {
            rule: Rule::DuplicateKey,
            count: 1,
            message: odd.to_owned(),
            file: Some(odd.into()),
            object_type: Some(odd.to_owned()),
            key: Some(odd.to_owned()),
            pointer: odd.to_owned(),
        };
        let rules = &[Rule::DuplicateKey, Rule::MissingEnd];
        let found = Suite { title: "Data", skipped: None, rules, reports: vec![finding] };
        let skipped = Suite { title: "Config", skipped: Some(odd), rules, reports: Vec::new() };
        let document = document(odd, vec![found, skipped]).expect("a document");
        let parsed = roxmltree::Document::parse(&document).expect("well-formed");
        assert_eq!(parsed.descendants().filter(|node| node.has_tag_name("testcase")).count(), 4);
        assert!(document.contains(r"\u{fffe}\u{ffff}"), "{document}");
    }
}
