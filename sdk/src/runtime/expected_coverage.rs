//! The accounts that a job is expected to cover.

use crate::account_kind::{AccountKind, switched_off};
use crate::graph::run::{AccountCoverage, Coverage, DisabledReason, StepReport};
use crate::plan::StartState;

/// Returns the expected coverage of a kind by a job with this start: that of an earlier job, if there is one.
pub(super) fn expected_coverage(
    kind: &AccountKind,
    start: Option<&StartState>,
    earlier: Option<&[StepReport]>,
) -> AccountCoverage {
    let reason = match start {
        Some(StartState::Enabled) => {
            let earlier = earlier.map(|reports| kind.covered_by(reports));
            let ran = earlier.filter(|coverage| coverage.count.is_some());
            return ran.unwrap_or_else(|| kind.with(Coverage::Expected, None, None));
        }
        Some(StartState::Disabled { .. }) => start.and_then(StartState::root_reason),
        Some(StartState::Unselected) | None => Some(DisabledReason::NotSelected),
    };
    kind.with(Coverage::None, None, Some(switched_off(reason).to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::graph::run::StepStatus;
    use crate::graph::{EntityKind, StepId};

    use super::*;

    /// An organisation.
    #[derive(crate::EntityKind)]
    #[entity(type = "acme_org", class = "Organization", resource = "Organisation")]
    struct Org {
        /// The id.
        #[entity(key)]
        id: String,
    }

    fn report(status: StepStatus, count: u64) -> Vec<StepReport> {
        let mut report = StepReport::new(StepId::literal("orgs"), "Organisations", status);
        report.encountered_type_counts.insert(Org::object_type(), count);
        vec![report]
    }

    #[test]
    fn a_plan_repeats_an_earlier_job_unless_the_step_does_not_run_now() {
        let kind = AccountKind::of::<Org>(StepId::literal("orgs"), "organisation", "organisations");
        let expected = |start: &StartState, earlier: Option<&[StepReport]>| {
            let AccountCoverage { coverage, count, reason, .. } = expected_coverage(&kind, Some(start), earlier);
            (coverage, count, reason)
        };
        let earlier = report(StepStatus::Success, 2);
        assert_eq!(expected(&StartState::Enabled, Some(&earlier)), (Coverage::Complete, Some(2), None));
        assert_eq!(expected(&StartState::Enabled, None), (Coverage::Expected, None, None));
        let off = report(StepStatus::Disabled, 0);
        assert_eq!(expected(&StartState::Enabled, Some(&off)), (Coverage::Expected, None, None));
        let not_selected = (Coverage::None, None, Some("not selected".to_owned()));
        assert_eq!(expected(&StartState::Unselected, Some(&earlier)), not_selected);
    }
}
