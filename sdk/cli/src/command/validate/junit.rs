//! Results as JUnit XML, which build servers show as tests: a suite a check, a case a rule.

use quick_junit::{NonSuccessKind, Report as Document, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::report::Rule;

use super::Report;

/// A check as a suite: its name, why it was not made, its rules and what was found.
pub(super) struct Suite<'a> {
    pub(super) title: &'static str,
    pub(super) passed_over: Option<&'a str>,
    pub(super) rules: &'static [Rule],
    pub(super) reports: Vec<Report>,
}

/// The document.
pub(super) fn document(program: &str, suites: Vec<Suite<'_>>) -> Result<String, SerializeError> {
    let mut document = Document::new(program);
    for Suite { title, passed_over, rules, reports } in suites {
        let name = title.to_lowercase();
        let mut suite = TestSuite::new(format!("validate {name}"));
        for rule in rules {
            let status = match passed_over {
                Some(reason) => skipped(reason),
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

fn skipped(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(reason);
    status
}

fn of_rule(rule: Rule, reports: &[Report]) -> TestCaseStatus {
    let found: Vec<&Report> = reports.iter().filter(|report| report.rule == rule).collect();
    if found.is_empty() {
        return TestCaseStatus::success();
    }
    let count: u64 = found.iter().map(|report| report.count).sum();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(rule.id());
    status.set_message(format!("{count} found; to do: {}", rule.advice()));
    let lines: Vec<String> = found.into_iter().map(Report::sentence).collect();
    status.set_description(lines.join("\n"));
    status
}
