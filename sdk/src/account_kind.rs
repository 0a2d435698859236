//! The kinds of accounts of a provider, and the derivation of their coverage from the reports of steps.

use crate::graph::run::{AccountCoverage, Coverage, DisabledReason, StepReport, StepStatus};
use crate::graph::{EntityKind, ObjectType, StepId};

/// A kind of account of a provider, such as an organisation or the personal resources of people.
///
/// The summary of a job and the plan name the kinds that are covered: the step that finds the accounts of a kind emits
/// an entity for each of them, and its gaps show that some are missing.
///
/// ```
/// # use integration_sdk::prelude::*;
/// use integration_sdk::graph::StepId;
/// use integration_sdk::{AccountKind, Integration};
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # #[step(id = "fetch-planets", name = "Fetch planets")]
/// # async fn fetch_planets(planets: Emit<Planet>) -> StepResult { Ok(()) }
///
/// let planets = AccountKind::of::<Planet>(StepId::literal("fetch-planets"), "inner planet", "inner planets");
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets()).account_kind(planets);
/// assert_eq!(space.account_kinds()[0].plural(), "inner planets");
/// ```
#[derive(Debug, Clone)]
pub struct AccountKind {
    step: StepId,
    object_type: ObjectType,
    singular: String,
    plural: String,
}

impl AccountKind {
    /// Creates a kind whose accounts are the entities of type `E` that a step emits.
    ///
    /// The names complete the sentence "The job covered 1 …" and "The job covered 2 …".
    pub fn of<E: EntityKind>(step: StepId, singular: impl Into<String>, plural: impl Into<String>) -> Self {
        Self { step, object_type: E::object_type(), singular: singular.into(), plural: plural.into() }
    }

    /// The name of one account of the kind.
    pub fn singular(&self) -> &str {
        &self.singular
    }

    /// The name of several accounts of the kind.
    pub fn plural(&self) -> &str {
        &self.plural
    }

    /// The step that finds the accounts.
    pub fn step(&self) -> &StepId {
        &self.step
    }

    /// The type of the entities that are the accounts.
    pub fn object_type(&self) -> &ObjectType {
        &self.object_type
    }

    /// Returns the coverage by a job with these reports.
    pub(crate) fn covered_by(&self, reports: &[StepReport]) -> AccountCoverage {
        let Some(report) = reports.iter().find(|report| report.id == self.step) else {
            return self.with(Coverage::None, None, Some("the job has no such step".to_owned()));
        };
        let count = report.encountered_type_counts.get(&self.object_type).copied().unwrap_or_default();
        let concern = |of: &&crate::graph::run::Gap| of.types.contains(&self.object_type);
        let gaps = || report.gaps.iter().filter(concern);
        let cause = gaps().find(|gap| gap.is_own()).or_else(|| gaps().next()).map(|gap| gap.cause.clone());
        match report.status {
            StepStatus::Disabled => {
                let reason = cause.unwrap_or_else(|| switched_off(report.disabled_reason).to_owned());
                self.with(Coverage::None, None, Some(reason))
            }
            StepStatus::Pending => self.with(Coverage::None, None, cause),
            StepStatus::Failure if count == 0 => self.with(Coverage::None, Some(0), cause),
            _ if cause.is_some() => self.with(Coverage::Incomplete, Some(count), cause),
            _ => self.with(Coverage::Complete, Some(count), None),
        }
    }

    /// Creates the coverage of the kind.
    pub(crate) fn with(&self, coverage: Coverage, count: Option<u64>, reason: Option<String>) -> AccountCoverage {
        let (kind, kinds, step) = (self.singular.clone(), self.plural.clone(), self.step.clone());
        AccountCoverage { kind, kinds, step, coverage, count, reason }
    }
}

/// Describes why the step of a kind does not run.
pub(crate) fn switched_off(reason: Option<DisabledReason>) -> &'static str {
    match reason {
        Some(DisabledReason::NotSelected) => "not selected",
        Some(DisabledReason::Permission) => "the credentials lack a required permission",
        Some(DisabledReason::UserConfig) => "its ingestion source is switched off",
        Some(DisabledReason::ParentDisabled) => "a step that it needs is disabled",
        _ => "its step is disabled",
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::run::{ErrorCode, Gap};

    use super::*;

    fn kind() -> AccountKind {
        let (singular, plural) = ("organisation".to_owned(), "organisations".to_owned());
        AccountKind { step: StepId::literal("orgs"), object_type: ObjectType::literal("acme_org"), singular, plural }
    }

    fn report(status: StepStatus, count: u64, gaps: Vec<Gap>) -> Vec<StepReport> {
        let mut report = StepReport::new(StepId::literal("orgs"), "Organisations", status);
        report.encountered_type_counts.insert(ObjectType::literal("acme_org"), count);
        report.gaps = gaps;
        vec![StepReport::new(StepId::literal("users"), "Users", StepStatus::Success), report]
    }

    fn gap(object_type: &'static str, cause: &str) -> Gap {
        Gap::new([ObjectType::literal(object_type)], ErrorCode::ProviderAuthorization, cause)
    }

    fn seen(reports: &[StepReport]) -> (Coverage, Option<u64>, Option<String>) {
        let AccountCoverage { coverage, count, reason, .. } = kind().covered_by(reports);
        (coverage, count, reason)
    }

    #[test]
    fn the_coverage_follows_from_the_report_of_the_step() {
        let refused = || vec![gap("acme_org", "403 forbidden")];
        let inherited = Gap { inherited_from: Some(StepId::literal("users")), ..gap("acme_org", "inherited") };
        let foreign = vec![gap("acme_user", "403 forbidden")];
        let because = |text: &str| Some(text.to_owned());
        for (reports, expected) in [
            (report(StepStatus::Success, 2, Vec::new()), (Coverage::Complete, Some(2), None)),
            (report(StepStatus::Cached, 0, Vec::new()), (Coverage::Complete, Some(0), None)),
            (report(StepStatus::Partial, 2, foreign), (Coverage::Complete, Some(2), None)),
            (report(StepStatus::Partial, 2, refused()), (Coverage::Incomplete, Some(2), because("403 forbidden"))),
            (
                report(StepStatus::Partial, 1, [vec![inherited], refused()].concat()),
                (Coverage::Incomplete, Some(1), because("403 forbidden")),
            ),
            (report(StepStatus::Failure, 0, refused()), (Coverage::None, Some(0), because("403 forbidden"))),
            (report(StepStatus::Failure, 1, refused()), (Coverage::Incomplete, Some(1), because("403 forbidden"))),
            (report(StepStatus::Pending, 0, refused()), (Coverage::None, None, because("403 forbidden"))),
            (report(StepStatus::Disabled, 0, Vec::new()), (Coverage::None, None, because("its step is disabled"))),
            (Vec::new(), (Coverage::None, None, because("the job has no such step"))),
        ] {
            assert_eq!(seen(&reports), expected, "{reports:?}");
        }
    }
}
