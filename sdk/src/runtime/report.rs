//! The report of a step: its status and gaps, derived from its statistics.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{ObjectType, StepId, Timestamp};
use crate::http::Usage;
use crate::plan::{Edge, StartState};
use crate::step::{Declaration, DisabledReason, Incomplete, StepError, StepResult, StepStatsSnapshot};

use crate::store::Superseded;
use crate::summary::{Failure, NOT_SELECTED, StepReport, StepStatus, VANISHED, without_credentials};

use super::late::{Late, LateGap};

/// The reason for omitting the relationship of a superseded description.
const SUPERSEDED: &str = "a relationship of a description that is not kept";

/// Returns the gaps that a step inherits, each with the step that caused it.
pub(super) fn inherited<'a>(
    declaration: &Declaration,
    dependencies: impl IntoIterator<Item = (&'a StepReport, &'a Edge)>,
) -> Vec<Incomplete> {
    let mut gaps: Vec<Incomplete> = Vec::new();
    for (report, edge) in dependencies {
        let whole = edge.explicit || !edge.data.is_empty();
        let concern = |gap: &&Incomplete| whole || gap.types.iter().any(|missing| edge.through.contains(missing));
        for gap in report.incomplete.iter().filter(concern) {
            let root = gap.inherited_from.clone().unwrap_or_else(|| report.id.clone());
            let inherited = Incomplete { types: declaration.emits(), inherited_from: Some(root), ..gap.clone() };
            // A gap without types is inherited as well, because a step that adds nothing can also be a dependency.
            if !gaps.contains(&inherited) {
                gaps.push(inherited);
            }
        }
    }
    gaps
}

fn gap(types: impl IntoIterator<Item = ObjectType>, code: &str, cause: String) -> Incomplete {
    let (types, code) = (types.into_iter().collect(), code.to_owned());
    Incomplete { types, parent: None, code, cause, inherited_from: None, resumable: true }
}

/// Creates a gap of rejected objects, which resuming the job does not close.
fn untaken(object_type: &ObjectType, code: &str, cause: String) -> Incomplete {
    Incomplete::unreadable([object_type.clone()].into(), None, code, cause)
}

/// Returns the gaps that the step itself caused.
fn own_gaps(declaration: &Declaration, record: &StepStatsSnapshot, inherited: &[Incomplete]) -> Vec<Incomplete> {
    let mut gaps = record.incomplete.clone();
    gaps.extend(record.losses.gaps(inherited));
    gaps.sort();
    for object_type in &record.undeclared {
        let cause = format!("`{}` adds this type without declaring it", declaration.id);
        gaps.push(untaken(object_type, "UNEXPECTED_ERROR", cause));
    }
    for (object_type, named) in &record.quarantined {
        let (count, names) = (named.count, named.text());
        let cause = format!("{count} object(s) are quarantined because they violate their schemas: {names}");
        gaps.push(untaken(object_type, "UNEXPECTED_ERROR", cause));
    }
    for (object_type, (count, code, cause)) in &record.refused {
        gaps.push(untaken(object_type, code, refused(*count, cause)));
    }
    gaps
}

/// Formats the cause of a gap of rejected objects.
pub(super) fn refused(count: u64, first: &str) -> String {
    format!("{count} object(s) are rejected; the first: {first}")
}

/// Adds late gaps and the current inherited gaps to a report; returns whether anything changed.
pub(super) fn correct(report: &mut StepReport, late: Late, inherited: Vec<Incomplete>) -> bool {
    let before = (report.incomplete.clone(), report.skipped.clone(), report.encountered_type_counts.clone());
    report.incomplete.retain(|gap| gap.inherited_from.is_none());
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
        report.incomplete.push(Incomplete { parent, resumable: vanished, ..gap(types, &code, cause) });
    }
    for Superseded { object_type, now, in_all, .. } in late.superseded {
        take_off(&mut report.encountered_type_counts, &object_type, now);
        report.skipped.entry(object_type).or_default().insert(SUPERSEDED.to_owned(), in_all);
    }
    report.encountered_type_counts.retain(|_, added| *added > 0);
    report.encountered_types = report.encountered_type_counts.keys().cloned().collect();
    report.incomplete.extend(inherited);
    report.partial_types = report.incomplete.iter().flat_map(|gap| gap.types.iter().cloned()).collect();
    let ended_well = matches!(report.status, StepStatus::Success | StepStatus::Cached);
    if ended_well && !report.incomplete.is_empty() {
        report.status = StepStatus::Partial;
    }
    (&report.incomplete, &report.skipped, &report.encountered_type_counts) != (&before.0, &before.1, &before.2)
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

/// The result of a step, from which its report is made.
pub(super) struct StepOutcome<'a> {
    pub(super) declaration: &'a Declaration,
    pub(super) depends_on: Vec<StepId>,
    pub(super) inherited: Vec<Incomplete>,
    pub(super) started: Timestamp,
    pub(super) usage: Usage,
    pub(super) cached: bool,
}

impl StepOutcome<'_> {
    pub(super) fn report(self, record: StepStatsSnapshot, outcome: StepResult) -> StepReport {
        let mut incomplete = own_gaps(self.declaration, &record, &self.inherited);
        let all_parts_failed = record.parts > 0 && record.failed_parts == record.parts;
        let cancelled = matches!(outcome, Err(StepError::Cancelled));
        let mut error = None;
        if let Err(cause) = outcome {
            let resumable = match cause {
                // A resumed job receives the same object again.
                StepError::Object(_) => false,
                // Only the missing entities of other steps caused the error.
                StepError::Unknown { .. } if !self.inherited.is_empty() => {
                    self.inherited.iter().any(|gap| gap.resumable)
                }
                _ => true,
            };
            let failure = Failure { code: cause.code().to_owned(), message: cause.to_string() };
            // A step that adds nothing has no types, but its dependents must inherit the gap.
            let gap = gap(self.declaration.emits(), &failure.code, failure.message.clone());
            incomplete.push(Incomplete { resumable, ..gap });
            error = Some(failure);
        } else if all_parts_failed {
            error = incomplete.first().map(|first| Failure { code: first.code.clone(), message: first.cause.clone() });
        }
        incomplete.extend(self.inherited);
        let status = match (&error, incomplete.is_empty()) {
            _ if cancelled => StepStatus::Partial,
            (Some(_), _) => StepStatus::Failure,
            (None, false) => StepStatus::Partial,
            (None, true) if self.cached => StepStatus::Cached,
            (None, true) => StepStatus::Success,
        };
        let ended = Timestamp::now();
        let counts: BTreeMap<ObjectType, u64> = record.added.into_iter().filter(|(_, count)| *count > 0).collect();
        without_credentials(StepReport {
            depends_on: self.depends_on,
            encountered_types: counts.keys().cloned().collect(),
            encountered_type_counts: counts,
            start_time: Some(self.started),
            end_time: Some(ended),
            duration: (ended.millis() - self.started.millis()).unsigned_abs(),
            error,
            missed: record.losses.named_missing(),
            skipped_details: record.losses.left_out().clone(),
            amended_properties: record.amended,
            skipped: record.skipped,
            findings: record.findings.into_values().collect(),
            quarantined: record.quarantined.iter().map(|(name, named)| (name.clone(), named.count)).collect(),
            quarantined_details: record.quarantined.into_iter().map(|(name, named)| (name, named.names)).collect(),
            usage: self.usage,
            ..unrun(self.declaration, status, incomplete)
        })
    }
}

/// Creates a report with a status and gaps only.
fn unrun(declaration: &Declaration, status: StepStatus, incomplete: Vec<Incomplete>) -> StepReport {
    StepReport {
        id: declaration.id.clone(),
        name: declaration.name.clone(),
        depends_on: Vec::new(),
        declared_types: declaration.emits(),
        amends: declaration.amends.clone(),
        amended_properties: BTreeSet::new(),
        merges: declaration.merges(),
        partial_types: incomplete.iter().flat_map(|gap| gap.types.iter().cloned()).collect(),
        encountered_types: Default::default(),
        encountered_type_counts: BTreeMap::new(),
        status,
        disabled_reason: None,
        start_time: None,
        end_time: None,
        duration: 0,
        error: None,
        incomplete,
        skipped: BTreeMap::new(),
        skipped_details: BTreeMap::new(),
        missed: BTreeMap::new(),
        findings: Vec::new(),
        quarantined: BTreeMap::new(),
        quarantined_details: BTreeMap::new(),
        usage: Usage::default(),
    }
}

/// Creates the report of a step that did not run.
///
/// A step that was switched off has no gap. A step that could not run has one. In both cases, and for a step that was
/// not selected, the types are partial, because a consumer of the graph must not mistake their absence for a deletion.
pub(super) fn not_started(declaration: &Declaration, depends_on: Vec<StepId>, start: &StartState) -> StepReport {
    let missing = |code: &str, cause: &str| vec![gap(declaration.emits(), code, cause.to_owned())];
    let (status, reason, incomplete) = match start {
        StartState::Enabled => {
            let incomplete = missing("UNEXPECTED_ERROR", "the job ended before this step started");
            (StepStatus::Pending, None, incomplete)
        }
        StartState::Unselected => (StepStatus::Disabled, Some(NOT_SELECTED.to_owned()), Vec::new()),
        StartState::Disabled { reason, .. } => {
            let incomplete = match start.root_reason() {
                Some(DisabledReason::Permission) => {
                    missing("PROVIDER_AUTHORIZATION_ERROR", "the credentials lack a required permission")
                }
                Some(DisabledReason::ApiVersion) => {
                    missing("PROVIDER_API_ERROR", "the provider's API version does not support this step")
                }
                _ => Vec::new(),
            };
            (StepStatus::Disabled, Some(reason.as_str().to_owned()), incomplete)
        }
    };
    let report = unrun(declaration, status, incomplete);
    StepReport { depends_on, disabled_reason: reason, partial_types: declaration.emits(), ..report }
}
