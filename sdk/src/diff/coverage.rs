//! The data that a job may lack, derived from its summary.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::run::{Parent, StepReport, Summary};
use crate::graph::{ObjectType, StepId};

use super::change::CoveringGap;

/// The gaps of a job, by type.
///
/// Steps that were disabled or not selected count as gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    unfinished: bool,
    whole: BTreeSet<ObjectType>,
    parent: BTreeMap<ObjectType, BTreeSet<Parent>>,
    amended: BTreeSet<ObjectType>,
    amenders: BTreeMap<ObjectType, BTreeMap<StepId, Amender>>,
    not_collected: BTreeSet<ObjectType>,
    described: BTreeMap<ObjectType, BTreeSet<MissingDescription>>,
    /// The gaps of types whose names only other programs use.
    foreign: BTreeMap<String, CoveringGap>,
    /// The gaps of each type, as shown to users.
    causes: BTreeMap<ObjectType, BTreeSet<CoveringGap>>,
    /// The gaps of the steps that amend a type.
    amending: BTreeMap<ObjectType, BTreeSet<CoveringGap>>,
}

/// A step that adds properties to entities of other steps.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Amender {
    /// The properties that it added.
    properties: BTreeSet<String>,
    /// Whether the step has a gap or did not run.
    has_gap: bool,
}

/// A missing description of the objects of a type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MissingDescription {
    step: StepId,
    parent: Option<Parent>,
    /// Whether the step ran, so that the extent of the gap is unknown.
    indefinite: bool,
}

/// The part of a type that a job may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap<'a> {
    /// Nothing.
    None,
    /// The objects under these parents.
    Under(&'a BTreeSet<Parent>),
    /// Any object.
    Whole,
}

impl Coverage {
    /// Returns the gaps of an ended job.
    pub fn of(summary: &Summary) -> Self {
        let mut coverage = Self::default();
        for report in &summary.integration_step_results {
            coverage.take(report);
        }
        let listed = summary.metadata.partial_datasets.types.iter();
        let unexplained = listed.filter(|listed| coverage.gap(listed) == Gap::None).cloned().collect::<Vec<_>>();
        unexplained.into_iter().for_each(|listed| coverage.lacks(listed, CoveringGap::listed()));
        coverage
    }

    /// Adds a gap that covers every object of a type.
    fn lacks(&mut self, object_type: ObjectType, cause: CoveringGap) {
        self.causes.entry(object_type.clone()).or_default().insert(cause);
        self.whole.insert(object_type);
    }

    /// Adds a gap that covers every object of a type of another program.
    pub(super) fn lacks_foreign(&mut self, object_type: &str, cause: CoveringGap) {
        match ObjectType::new(object_type) {
            Ok(object_type) => self.lacks(object_type, cause),
            Err(_) => drop(self.foreign.insert(object_type.to_owned(), cause)),
        }
    }

    /// Returns the gaps of an unfinished job, which may lack any object.
    pub fn unfinished() -> Self {
        Self { unfinished: true, ..Self::default() }
    }

    fn take(&mut self, report: &StepReport) {
        let absent = !report.has_run();
        let gaps = report.gaps.iter().map(|gap| (&gap.types, gap.parent.as_ref()));
        if absent && report.gaps.is_empty() {
            self.not_collected.extend(report.declared_types.iter().cloned());
        }
        self.note_causes(report);
        let gaps: Vec<_> = gaps.chain(absent.then_some((&report.declared_types, None))).collect();
        let has_gap = !gaps.is_empty();
        if has_gap {
            self.amended.extend(report.amends.iter().cloned());
        }
        for object_type in &report.amends {
            let amender = Amender { properties: report.amended_properties.clone(), has_gap };
            self.amenders.entry(object_type.clone()).or_default().insert(report.id.clone(), amender);
        }
        for (types, parent) in gaps {
            for object_type in types {
                match parent {
                    None => drop(self.whole.insert(object_type.clone())),
                    Some(scope) => drop(self.parent.entry(object_type.clone()).or_default().insert(scope.clone())),
                }
                if report.merges.contains(object_type) {
                    let described = self.described.entry(object_type.clone()).or_default();
                    let (step, parent) = (report.id.clone(), parent.cloned());
                    described.insert(MissingDescription { indefinite: parent.is_none() && !absent, step, parent });
                }
            }
        }
    }

    /// Keeps the causes of a step's gaps, which comparisons show.
    fn note_causes(&mut self, report: &StepReport) {
        let mut causes: Vec<(&BTreeSet<ObjectType>, CoveringGap)> =
            report.gaps.iter().map(|gap| (&gap.types, CoveringGap::of(&report.id, gap))).collect();
        if causes.is_empty() {
            causes.extend(CoveringGap::not_run(report).map(|gap| (&report.declared_types, gap)));
        }
        for (types, cause) in causes {
            for object_type in types {
                self.causes.entry(object_type.clone()).or_default().insert(cause.clone());
            }
            for object_type in &report.amends {
                self.amending.entry(object_type.clone()).or_default().insert(cause.clone());
            }
        }
    }

    /// Returns a gap that covers an object of a type, preferably one under its parent or an end.
    ///
    /// If several gaps may cover the object, one of them is returned without its parent, with the number of the others.
    pub(super) fn covering(&self, object_type: &str, related: &[Option<&str>]) -> Option<CoveringGap> {
        if self.unfinished {
            return Some(CoveringGap::unfinished());
        }
        if let Some(cause) = self.foreign.get(object_type) {
            return Some(cause.clone());
        }
        let causes = self.causes.get(object_type)?;
        let certain = |gap: &&CoveringGap| match &gap.parent {
            None => true,
            Some(parent) => related.contains(&Some(parent.key.as_str())),
        };
        causes.iter().find(certain).cloned().or_else(|| CoveringGap::one_of(causes))
    }

    /// Returns a gap that may explain different properties of an object of a type.
    pub(super) fn explaining(&self, object_type: &str) -> Option<CoveringGap> {
        self.amending.get(object_type).and_then(CoveringGap::one_of).or_else(|| self.covering(object_type, &[]))
    }

    /// Returns whether the job has no gaps.
    pub fn is_complete(&self) -> bool {
        !self.unfinished && self.whole.is_empty() && self.parent.is_empty() && self.amended.is_empty()
    }

    /// Returns whether the job has not ended.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// Returns the types with gaps.
    ///
    /// If the job [is unfinished](Self::is_unfinished), further types may be incomplete.
    pub fn types(&self) -> BTreeSet<&ObjectType> {
        self.whole.iter().chain(self.parent.keys()).collect()
    }

    /// Returns the types whose steps were disabled or not selected.
    pub fn not_collected(&self) -> &BTreeSet<ObjectType> {
        &self.not_collected
    }

    /// Returns the types that may lack properties of an amending step.
    pub fn amended(&self) -> &BTreeSet<ObjectType> {
        &self.amended
    }

    /// Returns the part of a type that may be missing.
    pub fn gap(&self, object_type: impl AsRef<str>) -> Gap<'_> {
        let object_type = object_type.as_ref();
        if self.unfinished || self.whole.contains(object_type) || self.foreign.contains_key(object_type) {
            return Gap::Whole;
        }
        self.parent.get(object_type).map_or(Gap::None, Gap::Under)
    }

    /// Returns whether a step that amends the type has a gap.
    pub(super) fn lacks_amendments(&self, object_type: &str) -> bool {
        self.unfinished || self.amended.contains(object_type)
    }

    /// Whether the step that adds a property to the type has a gap in either job.
    pub(super) fn lacks_amender(&self, object_type: &str, property: &str, other: &Self) -> bool {
        let all = || [self, other].into_iter().flat_map(|job| job.amenders.get(object_type)).flatten();
        let has_gap = |step: &StepId| all().any(|(id, amender)| id == step && amender.has_gap);
        all().any(|(step, amender)| {
            amender.properties.contains(property) && (self.unfinished || other.unfinished || has_gap(step))
        })
    }

    /// Returns whether objects of the type may lack one of their merged descriptions.
    pub(super) fn lacks_descriptions(&self, object_type: &str) -> bool {
        self.described.contains_key(object_type)
    }

    /// Returns whether objects of the type may lack a description that the other job collected.
    pub(super) fn lacks_more_descriptions(&self, object_type: &str, other: &Coverage) -> bool {
        let others = other.described.get(object_type);
        let more =
            |missing: &MissingDescription| missing.indefinite || !others.is_some_and(|others| others.contains(missing));
        self.described.get(object_type).is_some_and(|missing| missing.iter().any(more))
    }
}
