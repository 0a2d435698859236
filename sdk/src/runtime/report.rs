//! The report of a step: its status and gaps, derived from its statistics.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::graph::run::{DisabledReason, ErrorCode, Failure, Gap, StepReport, StepStatus, Usage, VANISHED};
use crate::graph::{ObjectType, StepId, Timestamp};
use crate::plan::{Edge, StartState};
use crate::redact::clean_strings;
use crate::secrets;
use crate::step::{Declaration, StepError, StepStatsSnapshot};
use crate::store::Superseded;

use super::late_gap::{Late, LateGap};

/// The reason for omitting the relationship of a superseded description.
const SUPERSEDED: &str = "a relationship of a description that is not kept";

/// Returns the gaps that a step inherits, each with the step that caused it.
pub(super) fn inherited<'a>(
    declaration: &Declaration,
    dependencies: impl IntoIterator<Item = (&'a StepReport, &'a Edge)>,
) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for (report, edge) in dependencies {
        let whole = edge.explicit || !edge.data.is_empty();
        let concern = |gap: &&Gap| whole || gap.types.iter().any(|missing| edge.through.contains(missing));
        for gap in report.gaps.iter().filter(concern) {
            let root = gap.inherited_from.clone().unwrap_or_else(|| report.id.clone());
            let inherited = Gap { types: declaration.emits(), inherited_from: Some(root), ..gap.clone() };
            // A gap without types is inherited as well, because a step that adds nothing can also be a dependency.
            if !gaps.contains(&inherited) {
                gaps.push(inherited);
            }
        }
    }
    gaps
}

/// Creates a gap of rejected objects, which resuming the job does not close.
fn not_stored(object_type: &ObjectType, code: ErrorCode, cause: String) -> Gap {
    Gap::new([object_type.clone()], code, cause).not_resumable()
}

/// Returns the gaps that the step itself caused.
fn own_gaps(declaration: &Declaration, record: &StepStatsSnapshot, inherited: &[Gap]) -> Vec<Gap> {
    let mut gaps = record.gaps.clone();
    gaps.extend(record.losses.gaps(inherited));
    gaps.sort();
    for object_type in &record.undeclared {
        let cause = format!("`{}` adds this type without declaring it", declaration.id);
        gaps.push(not_stored(object_type, ErrorCode::Unexpected, cause));
    }
    for (object_type, named) in &record.quarantined {
        let (count, names) = (named.count, named.text());
        let cause = format!("{count} object(s) are quarantined because they violate their schemas: {names}");
        gaps.push(not_stored(object_type, ErrorCode::Unexpected, cause));
    }
    for (object_type, (count, code, cause)) in &record.rejected {
        gaps.push(not_stored(object_type, code.clone(), rejected(*count, cause)));
    }
    gaps
}

/// Formats the cause of a gap of rejected objects.
pub(super) fn rejected(count: u64, first: &str) -> String {
    format!("{count} object(s) are rejected; the first: {first}")
}

/// Adds late gaps and the current inherited gaps to a report; returns whether anything changed.
pub(super) fn correct(report: &mut StepReport, late: Late, inherited: Vec<Gap>) -> bool {
    let before = (report.gaps.clone(), report.skipped.clone(), report.encountered_type_counts.clone());
    report.gaps.retain(Gap::is_own);
    let found_nothing = late.gaps.first().filter(|_| late.found_nothing);
    if let Some(LateGap { code, cause, .. }) = found_nothing {
        report.status = StepStatus::Failure;
        report.error = Some(Failure { code: code.clone(), message: cause.clone() });
    }
    for LateGap { types, parent, code, cause, added, vanished } in late.gaps {
        types.iter().for_each(|object_type| take_off(&mut report.encountered_type_counts, object_type, added));
        if vanished {
            types.iter().for_each(|object_type| unskip(&mut report.skipped, object_type, VANISHED));
        }
        // A resumed job requests the parent again and receives the same objects.
        report.gaps.push(Gap { resumable: vanished, ..Gap::new(types, code, cause).under(parent) });
    }
    for Superseded { object_type, now, in_all, .. } in late.superseded {
        take_off(&mut report.encountered_type_counts, &object_type, now);
        report.skipped.entry(object_type).or_default().insert(SUPERSEDED.to_owned(), in_all);
    }
    report.encountered_type_counts.retain(|_, added| *added > 0);
    report.encountered_types = report.encountered_type_counts.keys().cloned().collect();
    report.gaps.extend(inherited);
    report.partial_types = partial_types(&report.gaps);
    if report.excluded_parents > 0 {
        report.partial_types.extend(report.declared_types.iter().cloned());
    }
    if report.status.is_complete() && !report.gaps.is_empty() {
        report.status = StepStatus::Partial;
    }
    (&report.gaps, &report.skipped, &report.encountered_type_counts) != (&before.0, &before.1, &before.2)
}

fn take_off(counts: &mut BTreeMap<ObjectType, u64>, object_type: &ObjectType, objects: u64) {
    if let Some(added) = counts.get_mut(object_type) {
        *added = added.saturating_sub(objects);
    }
}

/// Takes one object off the count of those left out for a reason.
fn unskip(skipped: &mut BTreeMap<ObjectType, BTreeMap<String, u64>>, object_type: &ObjectType, reason: &str) {
    let Some(reasons) = skipped.get_mut(object_type) else { return };
    if let Some(count) = reasons.get_mut(reason) {
        *count = count.saturating_sub(1);
    }
    reasons.retain(|_, count| *count > 0);
    if reasons.is_empty() {
        skipped.remove(object_type);
    }
}

/// The reason why a step failed, as far as its report depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// The provider refuses the credentials, which ends the job.
    Fatal,
    /// The job was cancelled.
    Cancelled,
    /// An object was rejected. A resumed job receives the same object again.
    Object,
    /// Missing entities of other steps prevent a decision.
    Unknown,
    /// Any other reason.
    Other,
}

impl From<&StepError> for FailureKind {
    fn from(error: &StepError) -> Self {
        match error {
            error if error.is_fatal() => Self::Fatal,
            StepError::Cancelled => Self::Cancelled,
            StepError::Object(_) => Self::Object,
            StepError::Unknown { .. } => Self::Unknown,
            _ => Self::Other,
        }
    }
}

/// The result of running one step, before the gaps of other steps are added.
#[derive(Debug, Clone)]
pub(super) struct StepOutcome {
    pub(super) step: StepId,
    pub(super) started: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) usage: Usage,
    /// Whether the objects were copied from an earlier job.
    pub(super) cached: bool,
    pub(super) stats: StepStatsSnapshot,
    pub(super) failure: Option<(FailureKind, Failure)>,
}

impl StepOutcome {
    /// Returns whether the outcome ends the job, because the credentials are refused.
    pub(super) fn is_fatal(&self) -> bool {
        matches!(self.failure, Some((FailureKind::Fatal, _)))
    }

    /// Returns whether the step was ended from outside, so that a resumed job continues it.
    pub(super) fn is_interrupted(&self) -> bool {
        matches!(self.failure, Some((FailureKind::Fatal | FailureKind::Cancelled, _)))
    }

    /// Creates the report of the step.
    pub(super) fn report(self, declaration: &Declaration, depends_on: Vec<StepId>, inherited: Vec<Gap>) -> StepReport {
        let stats = self.stats;
        let mut gaps = own_gaps(declaration, &stats, &inherited);
        let all_partitions_failed = stats.partitions > 0 && stats.failed_partitions == stats.partitions;
        let cancelled = matches!(self.failure, Some((FailureKind::Cancelled, _)));
        let mut error = None;
        if let Some((kind, failure)) = self.failure {
            let resumable = match kind {
                FailureKind::Object => false,
                // Only the missing entities of other steps caused the error.
                FailureKind::Unknown if !inherited.is_empty() => inherited.iter().any(|gap| gap.resumable),
                _ => true,
            };
            // A step that adds nothing has no types, but its dependents must inherit the gap.
            let gap = Gap::new(declaration.emits(), failure.code.clone(), failure.message.clone());
            gaps.push(Gap { resumable, ..gap });
            error = Some(failure);
        } else if all_partitions_failed {
            error = gaps.first().map(|first| Failure { code: first.code.clone(), message: first.cause.clone() });
        }
        gaps.extend(inherited);
        let status = match (&error, gaps.is_empty()) {
            _ if cancelled => StepStatus::Partial,
            (Some(_), _) => StepStatus::Failure,
            (None, false) => StepStatus::Partial,
            (None, true) if self.cached => StepStatus::Cached,
            (None, true) => StepStatus::Success,
        };
        let counts: BTreeMap<ObjectType, u64> = stats.added.into_iter().filter(|(_, count)| *count > 0).collect();
        without_credentials(StepReport {
            depends_on,
            encountered_types: counts.keys().cloned().collect(),
            encountered_type_counts: counts,
            start_time: Some(self.started),
            end_time: Some(self.ended),
            duration: (self.ended.millis() - self.started.millis()).unsigned_abs(),
            error,
            missed: stats.losses.named_missing(),
            skipped_details: stats.losses.left_out().clone(),
            amended_properties: stats.amended,
            skipped: stats.skipped,
            findings: stats.findings.into_values().collect(),
            quarantined: stats.quarantined.iter().map(|(name, named)| (name.clone(), named.count)).collect(),
            quarantined_details: stats.quarantined.into_iter().map(|(name, named)| (name, named.names)).collect(),
            excluded_parents: stats.excluded_parents,
            kept_parents: stats.kept_partitions,
            usage: self.usage,
            partial_types: if stats.excluded_parents > 0 { declaration.emits() } else { partial_types(&gaps) },
            ..without_objects(declaration, status, gaps)
        })
    }
}

fn partial_types(gaps: &[Gap]) -> BTreeSet<ObjectType> {
    gaps.iter().flat_map(|gap| gap.types.iter().cloned()).collect()
}

/// Creates a report with a status and gaps only.
fn without_objects(declaration: &Declaration, status: StepStatus, gaps: Vec<Gap>) -> StepReport {
    StepReport {
        declared_types: declaration.emits(),
        amends: declaration.amends.clone(),
        merges: declaration.merges(),
        partial_types: partial_types(&gaps),
        gaps,
        ..StepReport::new(declaration.id.clone(), declaration.name.clone(), status)
    }
}

/// Creates the report of a step that did not run.
///
/// A step that was switched off has no gap. A step that could not run has one. In both cases, and for a step that was
/// not selected, the types are partial, because a consumer of the graph must not mistake their absence for a deletion.
pub(super) fn not_started(declaration: &Declaration, depends_on: Vec<StepId>, start: &StartState) -> StepReport {
    let missing = |code, cause: &str| vec![Gap::new(declaration.emits(), code, cause)];
    let (status, reason, gaps) = match start {
        StartState::Enabled => {
            let gaps = missing(ErrorCode::NotCollected, "the job ended before this step started");
            (StepStatus::Pending, None, gaps)
        }
        StartState::Unselected => (StepStatus::Disabled, Some(DisabledReason::NotSelected), Vec::new()),
        StartState::Disabled { reason, .. } => {
            let gaps = match start.root_reason() {
                Some(DisabledReason::Permission) => {
                    missing(ErrorCode::ProviderAuthorization, "the credentials lack a required permission")
                }
                Some(DisabledReason::ApiVersion) => {
                    missing(ErrorCode::ProviderApi, "the provider's API version does not support this step")
                }
                _ => Vec::new(),
            };
            (StepStatus::Disabled, Some(*reason), gaps)
        }
    };
    let report = without_objects(declaration, status, gaps);
    StepReport { depends_on, disabled_reason: reason, partial_types: declaration.emits(), ..report }
}

/// Removes credentials from the texts of a report, which may quote a provider or an author.
pub(super) fn without_credentials<T: Serialize + DeserializeOwned>(report: T) -> T {
    let Ok(json) = serde_json::to_string(&report) else { return report };
    if !secrets::may_be_in(&json) {
        return report;
    }
    let Ok(mut tree) = serde_json::from_str(&json) else { return report };
    clean_strings(&mut tree);
    serde_json::from_value(tree).unwrap_or(report)
}
