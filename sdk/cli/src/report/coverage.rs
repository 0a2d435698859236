//! The kinds of accounts that a job covered, as sentences.

use integration_sdk::graph::run::{AccountCoverage, Coverage};

use crate::style::printable;

use super::text::{counted, list};

/// Describes the covered kinds, the possibly incomplete ones, and the others.
///
/// Returns no sentence if the integration names no kinds. `subject` begins the first sentence, such as
/// "Accounts covered".
pub(crate) fn sentences(subject: &str, accounts: &[AccountCoverage]) -> Vec<String> {
    if accounts.is_empty() {
        return Vec::new();
    }
    let covered =
        || accounts.iter().filter_map(|of| Some((of, of.count?))).filter(|(of, _)| of.coverage != Coverage::None);
    let expected = || accounts.iter().filter(|of| of.coverage == Coverage::Expected);
    let mut sentences = Vec::new();
    if covered().next().is_some() || expected().next().is_none() {
        sentences.push(match covered().next() {
            Some(_) => format!("{subject}: {}.", list(covered().map(|(of, count)| number(of, count)))),
            None => format!("{subject}: none."),
        });
    }
    if expected().next().is_some() {
        let kinds = list(expected().map(|of| printable(&of.kinds)));
        sentences.push(format!("Accounts to be covered, in a number that the first job tells: {kinds}."));
    }
    for (coverage, begin) in [(Coverage::Incomplete, "May be incomplete"), (Coverage::None, "Not covered")] {
        let kinds = accounts.iter().filter(|of| of.coverage == coverage).map(|of| match &of.reason {
            Some(reason) => format!("{} ({})", printable(&of.kinds), printable(reason)),
            None => printable(&of.kinds).to_string(),
        });
        let kinds: Vec<String> = kinds.collect();
        if !kinds.is_empty() {
            sentences.push(format!("{begin}: {}.", list(kinds)));
        }
    }
    sentences
}

fn number(of: &AccountCoverage, count: u64) -> String {
    let text = match count {
        0 => format!("no {}", of.kinds),
        _ => counted(count, &of.kind, &of.kinds),
    };
    let at_least = if of.coverage == Coverage::Incomplete && count > 0 { "at least " } else { "" };
    format!("{at_least}{}", printable(&text))
}

#[cfg(test)]
mod tests {
    use integration_sdk::graph::StepId;

    use super::*;

    fn kind(name: &str, coverage: Coverage, count: Option<u64>, reason: Option<&str>) -> AccountCoverage {
        AccountCoverage {
            kind: name.to_owned(),
            kinds: format!("{name}s"),
            step: StepId::literal("fetch-accounts"),
            coverage,
            count,
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn every_kind_is_in_one_sentence() {
        let accounts = [
            kind("organisation", Coverage::Complete, Some(1), None),
            kind("folder", Coverage::Complete, Some(0), None),
            kind("team", Coverage::Incomplete, Some(2), Some("503 unavailable")),
            kind("sandbox", Coverage::None, None, Some("not selected")),
        ];
        insta::assert_snapshot!(sentences("Accounts covered", &accounts).join("\n"), @r"
        Accounts covered: 1 organisation, no folders, at least 2 teams.
        May be incomplete: teams (503 unavailable).
        Not covered: sandboxs (not selected).
        ");
    }

    #[test]
    fn refused_kinds_and_kinds_without_a_number_are_not_counted() {
        let refused = [kind("organisation", Coverage::None, Some(0), Some("403 forbidden"))];
        insta::assert_snapshot!(sentences("Accounts covered", &refused).join("\n"), @r"
        Accounts covered: none.
        Not covered: organisations (403 forbidden).
        ");
        let expected = [
            kind("organisation", Coverage::Expected, None, None),
            kind("team", Coverage::None, None, Some("not selected")),
        ];
        insta::assert_snapshot!(sentences("Accounts covered", &expected).join("\n"), @r"
        Accounts to be covered, in a number that the first job tells: organisations.
        Not covered: teams (not selected).
        ");
        assert!(sentences("Accounts covered", &[]).is_empty());
    }
}
