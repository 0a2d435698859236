//! The report of a step.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{ObjectKey, ObjectType, StepId, Timestamp};

use super::{DisabledReason, ErrorCode, FindingCount, Gap, NamedCount, StepStatus, Usage};

/// The reason for skipping the objects of a parent that is gone.
pub const VANISHED: &str = "parent vanished while it was collected";

/// Reads a stored time, which the clock of a machine may have set to any year.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    i64::deserialize(deserializer).map(Timestamp::from_millis)
}

fn optional_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Option::deserialize(deserializer).map(|millis| millis.map(Timestamp::from_millis))
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The signature is that of serde.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Reads a reason; one that this version does not know is unspecified.
fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DisabledReason>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(|text| text.parse().unwrap_or(DisabledReason::None)))
}

/// An error in a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The code of the error.
    pub code: ErrorCode,
    /// A sentence that describes the event.
    pub message: String,
}

/// The result of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// The id of the step.
    pub id: StepId,
    /// The name of the step.
    pub name: String,
    /// The steps on which it depends.
    pub depends_on: Vec<StepId>,
    /// Every type that the step may add.
    pub declared_types: BTreeSet<ObjectType>,
    /// The types of other steps to whose entities it adds properties.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub amends: BTreeSet<ObjectType>,
    /// The names of the properties that it added to them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub amended_properties: BTreeSet<String>,
    /// The types whose entities are merged from several descriptions.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub merges: BTreeSet<ObjectType>,
    /// The types with a gap.
    pub partial_types: BTreeSet<ObjectType>,
    /// The types of the added objects.
    pub encountered_types: BTreeSet<ObjectType>,
    /// The number of added objects of each type.
    pub encountered_type_counts: BTreeMap<ObjectType, u64>,
    /// The status of the step.
    pub status: StepStatus,
    /// The reason why the step did not run.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "reason")]
    pub disabled_reason: Option<DisabledReason>,
    /// The time of its start.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "optional_time")]
    pub start_time: Option<Timestamp>,
    /// The time of its end.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "optional_time")]
    pub end_time: Option<Timestamp>,
    /// The duration in milliseconds.
    pub duration: u64,
    /// The error that ended the step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Failure>,
    /// The gaps.
    #[serde(rename = "incomplete", skip_serializing_if = "Vec::is_empty", default)]
    pub gaps: Vec<Gap>,
    /// The numbers of skipped objects, by type and reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub skipped: BTreeMap<ObjectType, BTreeMap<String, u64>>,
    /// Named objects that are missing because of a gap, by type and reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub missed: BTreeMap<ObjectType, BTreeMap<String, NamedCount>>,
    /// The names of skipped objects, by type and reason; at most one hundred of each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub skipped_details: BTreeMap<ObjectType, BTreeMap<String, BTreeSet<String>>>,
    /// The schema findings, with similar ones counted together.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub findings: Vec<FindingCount>,
    /// The numbers of quarantined objects, by type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub quarantined: BTreeMap<ObjectType, u64>,
    /// The keys of quarantined objects, by type; at most one hundred of each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub quarantined_details: BTreeMap<ObjectType, BTreeSet<String>>,
    /// The number of parents that the configuration excludes, so that no data was requested under them.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub excluded_parents: u64,
    /// The number of parents whose objects were kept from the previous snapshot, because the parent is unchanged.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub kept_parents: u64,
    /// The requests to the provider.
    pub usage: Usage,
}

impl StepReport {
    /// Creates the report of a step without objects, gaps, and requests.
    pub fn new(id: StepId, name: impl Into<String>, status: StepStatus) -> Self {
        Self {
            id,
            name: name.into(),
            depends_on: Vec::new(),
            declared_types: BTreeSet::new(),
            amends: BTreeSet::new(),
            amended_properties: BTreeSet::new(),
            merges: BTreeSet::new(),
            partial_types: BTreeSet::new(),
            encountered_types: BTreeSet::new(),
            encountered_type_counts: BTreeMap::new(),
            status,
            disabled_reason: None,
            start_time: None,
            end_time: None,
            duration: 0,
            error: None,
            gaps: Vec::new(),
            skipped: BTreeMap::new(),
            missed: BTreeMap::new(),
            skipped_details: BTreeMap::new(),
            findings: Vec::new(),
            quarantined: BTreeMap::new(),
            quarantined_details: BTreeMap::new(),
            excluded_parents: 0,
            kept_parents: 0,
            usage: Usage::default(),
        }
    }

    /// Returns whether the step has run, or its result was reused.
    pub fn has_run(&self) -> bool {
        !matches!(self.status, StepStatus::Disabled | StepStatus::Pending)
    }

    /// Returns the code and the cause of the gap that a step without a run leaves; `None` if it has run.
    pub fn not_run(&self) -> Option<(ErrorCode, String)> {
        if self.has_run() {
            return None;
        }
        Some(match self.disabled_reason {
            Some(DisabledReason::NotSelected) => {
                (ErrorCode::StepNotSelected, "the job did not select the step".to_owned())
            }
            Some(reason) => {
                (ErrorCode::StepDisabled, format!("the step is disabled: {}", reason.as_str().replace('_', " ")))
            }
            None => (ErrorCode::NotCollected, "the step did not run".to_owned()),
        })
    }

    /// Returns whether the job did not select the step.
    pub fn is_not_selected(&self) -> bool {
        self.status == StepStatus::Disabled && self.disabled_reason == Some(DisabledReason::NotSelected)
    }

    /// Returns whether the step is switched off, so that its types are not part of the graph on purpose.
    pub fn is_switched_off(&self) -> bool {
        self.status == StepStatus::Disabled && self.gaps.is_empty() && !self.is_not_selected()
    }

    /// Returns the gaps that the step itself caused.
    pub fn own_gaps(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(|gap| gap.is_own())
    }

    /// Returns whether the step skipped objects of the type because their parent may be gone.
    pub fn has_vanished(&self, object_type: &ObjectType) -> bool {
        self.skipped.get(object_type).is_some_and(|reasons| reasons.contains_key(VANISHED))
    }

    /// Returns whether objects of a type may be missing that the job should have collected.
    pub fn may_lack(&self, object_type: &ObjectType) -> bool {
        self.partial_types.contains(object_type) && !self.is_switched_off() || self.has_vanished(object_type)
    }

    /// Returns whether objects of a type under a parent may be missing that the job should have collected.
    ///
    /// A parent that may be gone is not named by the report, so it stands for all parents.
    pub fn may_lack_under(&self, object_type: &ObjectType, parent: &ObjectKey) -> bool {
        let of_type = || self.gaps.iter().filter(|gap| gap.types.contains(object_type));
        let concerns = |gap: &Gap| gap.parent.as_ref().is_none_or(|of| of.key == *parent);
        self.may_lack(object_type)
            && (self.has_vanished(object_type) || of_type().next().is_none() || of_type().any(concerns))
    }

    /// Returns the number of objects that the step added.
    pub fn objects(&self) -> u64 {
        self.encountered_type_counts.values().sum()
    }
}
