//! The results that a writer reports, and the data that decides them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use integration_graph::history::SnapshotGap;
use integration_graph::run::{ErrorCode, PartitionId};
use integration_graph::{ObjectKey, ObjectType, StepId};

/// Two objects of different types that claim the same key; one of them is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The contested key.
    pub key: ObjectKey,
    /// The type of the rejected object.
    pub object_type: ObjectType,
    /// The step that added the rejected object.
    pub step: StepId,
    /// The type of the object that remains.
    pub other_type: ObjectType,
    /// The step that added the object that remains.
    pub other_step: StepId,
}

/// The outcome of appending one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendReport {
    /// Objects that were rejected in favour of objects of another type.
    pub conflicts: Vec<Conflict>,
    /// One type for each object that the step had added before or that was rejected.
    pub repeated: Vec<ObjectType>,
}

/// Objects of one type of which a step gave several descriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedAgain {
    /// The type.
    pub object_type: ObjectType,
    /// The number of objects.
    pub count: u64,
    /// The keys of these objects; the first [`Self::MOST_KEYS`] in key order if there are more.
    pub keys: Vec<String>,
}

impl DescribedAgain {
    /// The maximum number of keys that are listed for one type.
    pub const MOST_KEYS: usize = 100;

    /// Groups the names of objects, which must be sorted, by type.
    pub fn grouped(objects: impl IntoIterator<Item = (ObjectType, String)>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for (object_type, key) in objects {
            if groups.last().is_none_or(|last| last.object_type != object_type) {
                groups.push(Self { object_type, count: 0, keys: Vec::new() });
            }
            if let Some(last) = groups.last_mut() {
                last.count += 1;
                if last.keys.len() < Self::MOST_KEYS {
                    last.keys.push(key);
                }
            }
        }
        groups
    }
}

/// Relationships of one type and step that belong to superseded descriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superseded {
    /// The step that added the relationships.
    pub step: StepId,
    /// The type of the relationships.
    pub object_type: ObjectType,
    /// The number of relationships removed by this call.
    pub now: u64,
    /// The number of relationships removed since the job started.
    pub in_all: u64,
}

/// Relationships of one type and step that lack one of their ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unattached {
    /// The step that added the relationships.
    pub step: StepId,
    /// The type of the relationships.
    pub object_type: ObjectType,
    /// The number of relationships.
    pub count: u64,
    /// The key of the first relationship in key order.
    pub first: ObjectKey,
}

/// The relationships that a writer removed once no step added objects any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The relationships to entities that are not in the graph, by step and type.
    pub unattached: Vec<Unattached>,
    /// The relationships of superseded descriptions, by step and type.
    pub superseded: Vec<Superseded>,
}

/// The declared types of the ends of relationships, by relationship type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclaredEnds(BTreeMap<ObjectType, [BTreeSet<ObjectType>; 2]>);

impl DeclaredEnds {
    /// Adds the source and, unless the relationship is mapped, the target of a relationship type.
    pub fn add(&mut self, relationship: &ObjectType, from: &ObjectType, to: Option<&ObjectType>) {
        let [sources, targets] = self.0.entry(relationship.clone()).or_default();
        sources.insert(from.clone());
        targets.extend(to.cloned());
    }

    /// Returns whether an end may be of a type. The ends of an undeclared relationship may be of any type.
    ///
    /// `end` is 0 for the source and 1 for the target.
    pub fn allow(&self, relationship: &ObjectType, end: usize, object_type: &ObjectType) -> bool {
        let declared = self.0.get(relationship).and_then(|ends| ends.get(end));
        declared.is_none_or(|types| types.is_empty() || types.contains(object_type))
    }
}

/// The gaps of earlier runs of a job, by step and parent.
///
/// A resumed job discards the report of an incomplete step before it runs the step again. These records outlast that
/// report, so that a gap is closed only by its data, even if a process is killed between two runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EarlierGaps {
    whole: BTreeSet<StepId>,
    parents: HashMap<ObjectKey, BTreeSet<StepId>>,
}

impl EarlierGaps {
    /// Adds a gap. A gap without a parent concerns its whole step.
    pub fn add(&mut self, step: StepId, parent: Option<ObjectKey>) {
        match parent {
            None => self.whole.insert(step),
            Some(parent) => self.parents.entry(parent).or_default().insert(step),
        };
    }

    /// Returns whether a step had a gap that may concern this parent.
    pub fn concern(&self, step: &StepId, parent: &ObjectKey) -> bool {
        self.whole.contains(step) || self.parents.get(parent).is_some_and(|steps| steps.contains(step))
    }

    /// Returns whether any step had a gap under this parent.
    pub fn are_under(&self, parent: &ObjectKey) -> bool {
        self.parents.contains_key(parent)
    }
}

/// The place to which a step returns before it runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewindTo {
    /// The completed partitions stay.
    Checkpoint,
    /// Nothing of the step stays.
    Start,
}

/// The state from which a step is resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumePoint {
    /// The paths of the completed partitions.
    pub done: BTreeSet<String>,
    /// The statistics of the completed partitions, as JSON.
    pub stats: Vec<String>,
    /// The first partition id that is not in use.
    pub next_partition: PartitionId,
}

impl Default for ResumePoint {
    fn default() -> Self {
        Self { done: BTreeSet::new(), stats: Vec::new(), next_partition: PartitionId::FIRST }
    }
}

/// The data for a publication that the objects of the job do not contain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// The gaps of the job.
    pub gaps: Vec<SnapshotGap>,
    /// The types whose objects may lack properties, because a step that adds them has a gap.
    pub lacking_properties: BTreeSet<ObjectType>,
    /// The parents under which a step collected everything, for the steps whose configuration excludes other parents.
    pub collected_parents: BTreeMap<StepId, BTreeSet<ObjectKey>>,
    /// Whether the job can be resumed, so that its working data is kept.
    pub resumable: bool,
}

impl Publication {
    /// Returns whether a confirmed version keeps its step, because that step has a gap.
    ///
    /// Another step that describes the object, such as one of several that list a person, may only have stood in for it.
    /// The snapshot then equals that of a job without gap.
    pub fn keeps_step(&self, step: &StepId, object_type: &ObjectType) -> bool {
        self.gaps.iter().any(|gap| gap.step == *step && gap.types.contains(object_type))
    }

    /// Returns the position of the gap that explains the absence of an object under these parents.
    pub fn covering(&self, object_type: &ObjectType, parents: &[ObjectKey]) -> Option<usize> {
        self.gaps.iter().position(|gap| gap.covers(object_type, parents) && !self.was_observed(gap, parents))
    }

    /// Returns whether a gap concerns a type. Without one, nothing explains the absence of an object of the type.
    pub fn may_hide(&self, object_type: &ObjectType) -> bool {
        self.gaps.iter().any(|gap| gap.types.contains(object_type))
    }

    /// Returns the position of the gap that explains the absence of an entity by that of one of its relationships.
    ///
    /// Several parents can describe one entity, such as teams with a common member, and the entity has the parent that
    /// described it last. A relationship that a gap covers shows that the entity was under the parent of the gap as well.
    /// The gap must concern both types: one that hides the relationship alone tells nothing about the entity.
    pub fn covering_end(&self, entity: &ObjectType, relationship: &ObjectType, parents: &[ObjectKey]) -> Option<usize> {
        let covers = |gap: &SnapshotGap| gap.covers(relationship, parents) && !self.was_observed(gap, parents);
        self.gaps.iter().position(|gap| gap.types.contains(entity) && covers(gap))
    }

    /// Returns whether a gap of excluded parents does not concern an object, because its parent was collected.
    fn was_observed(&self, gap: &SnapshotGap, parents: &[ObjectKey]) -> bool {
        let collected = || self.collected_parents.get(&gap.step).zip(parents.first());
        gap.code == ErrorCode::ParentsExcluded && collected().is_some_and(|(all, parent)| all.contains(parent))
    }
}

#[cfg(test)]
mod tests {
    use integration_graph::run::Parent;

    use super::*;

    #[test]
    fn a_gap_keeps_the_step_of_its_types_and_explains_what_is_absent_under_its_parent() {
        let (teams, apps) = (ObjectType::literal("acme_team"), ObjectType::literal("acme_app"));
        let key = |text: &str| ObjectKey::stored(text).expect("a key");
        let gap = |step, parent: Option<&str>| SnapshotGap {
            step: StepId::literal(step),
            types: [apps.clone()].into(),
            parent: parent.map(|parent| Parent { object_type: teams.clone(), key: key(parent) }),
            code: ErrorCode::ProviderApi,
            cause: String::new(),
        };
        let gaps = vec![gap("fetch-apps", Some("team:1")), gap("fetch-more", None)];
        let publication = Publication { gaps, ..Publication::default() };
        assert!(publication.keeps_step(&StepId::literal("fetch-apps"), &apps));
        assert!(!publication.keeps_step(&StepId::literal("fetch-apps"), &teams));
        assert!(!publication.keeps_step(&StepId::literal("fetch-teams"), &apps));
        assert_eq!(publication.covering(&apps, &[key("team:1")]), Some(0));
        assert_eq!(publication.covering(&apps, &[key("team:2")]), Some(1));
        assert_eq!(publication.covering(&teams, &[key("team:1")]), None);
    }

    #[test]
    fn excluded_parents_explain_what_is_absent_under_parents_that_were_not_collected() {
        let (step, apps) = (StepId::literal("fetch-apps"), ObjectType::literal("acme_app"));
        let key = |text: &str| ObjectKey::stored(text).expect("a key");
        let (types, code) = ([apps.clone()].into(), ErrorCode::ParentsExcluded);
        let gap = SnapshotGap { step: step.clone(), types, parent: None, code, cause: String::new() };
        let collected_parents = [(step, [key("team:1")].into())].into();
        let publication = Publication { gaps: vec![gap], collected_parents, ..Publication::default() };
        assert_eq!(publication.covering(&apps, &[key("team:1"), key("account:1")]), None);
        assert_eq!(publication.covering(&apps, &[key("team:2")]), Some(0));
        assert_eq!(publication.covering(&apps, &[]), Some(0));
    }

    #[test]
    fn a_relationship_that_a_gap_covers_explains_the_absence_of_its_end_if_the_gap_concerns_both() {
        let [users, apps, has] = ["acme_user", "acme_app", "acme_team_has_user"].map(ObjectType::literal);
        let key = |text: &str| ObjectKey::stored(text).expect("a key");
        let parent = Parent { object_type: ObjectType::literal("acme_team"), key: key("team:1") };
        let (step, types) = (StepId::literal("fetch-users"), [users.clone(), has.clone()].into());
        let (code, cause) = (ErrorCode::ProviderApi, String::new());
        let gap = SnapshotGap { step, types, parent: Some(parent), code, cause };
        let publication = Publication { gaps: vec![gap], ..Publication::default() };
        assert_eq!(publication.covering_end(&users, &has, &[key("team:1")]), Some(0));
        assert_eq!(publication.covering_end(&users, &has, &[key("team:2")]), None);
        assert_eq!(publication.covering_end(&apps, &has, &[key("team:1")]), None);
        assert!(publication.may_hide(&users) && publication.may_hide(&has) && !publication.may_hide(&apps));
    }
}
