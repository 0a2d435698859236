//! Assertions about counts and gaps, with messages that show the differences.

use std::collections::{BTreeMap, BTreeSet};

use integration_sdk::store::JobState;

use crate::{Collected, Gap};

/// Asserts that a graph consists of exactly these types and numbers of objects.
///
/// ```no_run
/// # fn test(collected: &integration_testing_kit::Collected) {
/// # use integration_testing_kit::assert_graph;
/// assert_graph!(collected, { acme_team: 3, acme_user: 12, acme_team_has_user: 12 });
/// # }
/// ```
#[macro_export]
macro_rules! assert_graph {
    ($collected:expr, { $($object_type:ident: $count:expr),* $(,)? }) => {
        $collected.assert_counts(&[$((stringify!($object_type), $count)),*])
    };
}

/// Asserts that the job ended without gaps.
#[macro_export]
macro_rules! assert_complete {
    ($collected:expr) => {
        $collected.assert_complete()
    };
}

/// Asserts that the named types have exactly these gaps; other types are ignored.
///
/// A gap is limited to a parent, named by its key, or covers the whole type.
///
/// ```no_run
/// # fn test(collected: &integration_testing_kit::Collected) {
/// # use integration_testing_kit::assert_missing;
/// assert_missing!(collected, acme_team_has_user under "team-1");
/// assert_missing!(collected, acme_user, acme_team_has_user under "team-1", acme_team_has_user under "team-2");
/// # }
/// ```
#[macro_export]
macro_rules! assert_missing {
    ($collected:expr, $($object_type:ident $(under $parent:expr)?),+ $(,)?) => {
        $collected.assert_missing([$($crate::Gap::of(stringify!($object_type))$(.under($parent))?),+])
    };
}

impl Collected {
    /// Implements [`assert_graph!`](crate::assert_graph).
    ///
    /// # Panics
    /// Panics if the counts differ.
    #[track_caller]
    pub fn assert_counts(&self, expected: &[(&str, usize)]) {
        let expected = expected.iter().copied().collect();
        if let Some(difference) = count_difference(&expected, &self.counts()) {
            let missing = list("missing", self.gaps_with_causes());
            panic!("the object counts differ from the expected ones:\n{difference}{missing}");
        }
    }

    /// Implements [`assert_complete!`](crate::assert_complete).
    ///
    /// # Panics
    /// Panics if the selected steps have a gap or the job did not end.
    #[track_caller]
    pub fn assert_complete(&self) {
        let selection = self.summary.state == JobState::Partial && !self.summary.is_partial();
        if self.summary.state != JobState::Complete && !selection {
            let fatal = self.summary.error.as_ref();
            let fatal = fatal.map(|error| format!("\n  {}: {}", error.code, error.message)).unwrap_or_default();
            let missing = list("missing", self.gaps_with_causes());
            panic!("the run is {} instead of complete{fatal}{missing}", self.summary.state.as_str());
        }
    }

    /// Implements [`assert_missing!`](crate::assert_missing).
    ///
    /// # Panics
    /// Panics if these types have other gaps.
    #[track_caller]
    pub fn assert_missing(&self, expected: impl IntoIterator<Item = Gap>) {
        let expected: BTreeSet<Gap> = expected.into_iter().collect();
        let types: BTreeSet<&str> = expected.iter().map(|gap| gap.object_type.as_str()).collect();
        let all = self.gaps();
        let found: BTreeSet<Gap> = all.iter().filter(|gap| types.contains(gap.object_type.as_str())).cloned().collect();
        if found != expected {
            let lines = |gaps: &mut dyn Iterator<Item = &Gap>| gaps.map(Gap::to_string).collect();
            let absent = list("expected, but absent", lines(&mut expected.difference(&found)));
            let surplus = list("unexpected", lines(&mut found.difference(&expected)));
            let others = list("all gaps", self.gaps_with_causes());
            panic!("the gaps differ from the expected ones{absent}{surplus}{others}");
        }
    }

    fn gaps_with_causes(&self) -> Vec<String> {
        let steps = self.summary.integration_step_results.iter();
        let gaps = steps.flat_map(|step| step.gaps.iter().map(move |gap| (step, gap)));
        gaps.map(|(step, gap)| {
            let types: Vec<&str> = gap.types.iter().map(|object_type| object_type.as_str()).collect();
            let under = gap.parent.as_ref().map(|under| format!(" under {:?}", under.key.as_str())).unwrap_or_default();
            let origin = gap.inherited_from.as_ref().map(|step| format!(", from {step}")).unwrap_or_default();
            format!("{}{under}: {} ({}{origin})", types.join(", "), gap.cause, step.id)
        })
        .collect()
    }
}

fn list(title: &str, lines: Vec<String>) -> String {
    match lines.is_empty() {
        true => String::new(),
        false => format!("\n{title}:\n  {}", lines.join("\n  ")),
    }
}

/// Returns a table of the differences; `None` if there are none.
fn count_difference(expected: &BTreeMap<&str, usize>, found: &BTreeMap<&str, usize>) -> Option<String> {
    let types: BTreeSet<&str> = expected.keys().chain(found.keys()).copied().collect();
    let count = |counts: &BTreeMap<&str, usize>, name: &str| counts.get(name).copied().unwrap_or_default();
    let (same, differing): (Vec<&str>, Vec<&str>) =
        types.into_iter().partition(|name| count(expected, name) == count(found, name));
    if differing.is_empty() {
        return None;
    }
    let width = differing.iter().map(|name| name.len()).max().unwrap_or_default().max("type".len());
    let mut table = format!("  {:width$}  expected  found\n", "type");
    for name in differing {
        table += &format!("  {name:width$}  {:>8}  {:>5}\n", count(expected, name), count(found, name));
    }
    if !same.is_empty() {
        table += &format!("as expected: {}\n", same.join(", "));
    }
    Some(table.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_both_counts_of_what_differs() {
        let expected = [("acme_team", 3), ("acme_user", 2), ("acme_ghost", 0)].into();
        let found = [("acme_team", 1), ("acme_user", 2), ("acme_app", 4)].into();
        let table = "  type       expected  found\n  acme_app          0      4\n  acme_team         3      1\n\
                     as expected: acme_ghost, acme_user";
        assert_eq!(count_difference(&expected, &found).unwrap(), table);
        assert_eq!(count_difference(&found, &found), None);
    }
}
