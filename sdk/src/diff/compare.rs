//! The walk over two graphs, object by object in the order of types and keys.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::graph::{ObjectKey, ObjectType};
use crate::store::{Count, JobStore, Kind, StoreError, Stored};

use super::coverage::Coverage;
use super::judge::{self, Absence, Change, Lone};
use super::pages::Pages;

/// One of the two graphs.
pub struct Side<'a> {
    /// The job that owns the objects.
    pub job: &'a JobStore,
    /// The number of objects of each type.
    pub counts_by_step_and_type: &'a [Count],
    /// The gaps of the job.
    pub coverage: &'a Coverage,
}

/// An object of one or both graphs, with its change.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The object in the older graph.
    pub before: Option<Stored>,
    /// The object in the newer graph.
    pub now: Option<Stored>,
    /// The change.
    pub change: Change,
}

/// Compares two graphs and passes every object of either one to `visit`.
///
/// Entities come before relationships, and each type is in key order. Types that `wanted` rejects are skipped.
///
/// # Errors
/// [`StoreError`] if a store fails.
pub async fn compare(
    older: Side<'_>,
    newer: Side<'_>,
    wanted: impl Fn(&ObjectType) -> bool,
    mut visit: impl FnMut(Difference),
) -> Result<(), StoreError> {
    let mut kinds: BTreeMap<&ObjectType, Kind> = BTreeMap::new();
    for count in [&older, &newer].into_iter().flat_map(|side| side.counts_by_step_and_type) {
        kinds.entry(&count.object_type).or_insert(count.kind);
    }
    let mut walk = Walk {
        older: Half { absent: HashMap::new(), side: &older },
        newer: Half { absent: HashMap::new(), side: &newer },
    };
    let types: BTreeSet<(Kind, &ObjectType)> = kinds.into_iter().map(|(name, kind)| (kind, name)).collect();
    for (kind, object_type) in types {
        // The absence of an entity determines the change of its relationships, so entities are compared even if they
        // are not visited.
        if kind == Kind::Entity || wanted(object_type) {
            let shown = wanted(object_type);
            walk.of_type(object_type, &mut |difference| {
                if shown {
                    visit(difference)
                }
            })
            .await?;
        }
    }
    Ok(())
}

/// A digest of a key, which needs only 16 bytes.
type KeyDigest = [u8; 16];

struct Half<'a> {
    side: &'a Side<'a>,
    /// The entities that are missing from this graph.
    absent: HashMap<KeyDigest, Absence>,
}

struct Walk<'a> {
    older: Half<'a>,
    newer: Half<'a>,
}

impl Walk<'_> {
    async fn of_type(
        &mut self,
        object_type: &ObjectType,
        visit: &mut (impl FnMut(Difference) + ?Sized),
    ) -> Result<(), StoreError> {
        let mut before = Pages::of(self.older.side.job, object_type);
        let mut now = Pages::of(self.newer.side.job, object_type);
        loop {
            let keys = (before.peek().await?.map(|old| &old.row.key), now.peek().await?.map(|new| &new.row.key));
            let (takes_old, takes_new) = match keys {
                (None, None) => return Ok(()),
                (Some(old), Some(new)) => (old <= new, new <= old),
                (old, new) => (old.is_some(), new.is_some()),
            };
            let old = if takes_old { before.take() } else { None };
            let new = if takes_new { now.take() } else { None };
            let change = match (&old, &new) {
                (Some(old), None) => match lone(old, &mut self.newer, &self.older) {
                    Absence::Observed => Change::Removed,
                    Absence::Unknown => Change::Unknown,
                },
                (None, Some(new)) => match lone(new, &mut self.older, &self.newer) {
                    Absence::Observed => Change::Added,
                    Absence::Unknown => Change::Unknown,
                },
                (Some(old), Some(new)) => {
                    let (older, newer) = (self.older.side.coverage, self.newer.side.coverage);
                    judge::difference(object_type, &old.json().joined(), &new.json().joined(), older, newer)
                }
                (None, None) => continue,
            };
            visit(Difference { before: old, now: new, change });
        }
    }
}

/// Returns the kind of absence of an object that only `has` contains.
fn lone(object: &Stored, lacks: &mut Half<'_>, has: &Half<'_>) -> Absence {
    let object_type = &object.row.object_type;
    // A key that belongs to another type in the other graph is absent from neither.
    let absence_of = |key: &ObjectKey| {
        let digest = digest(key);
        lacks.absent.get(&digest).filter(|_| !has.absent.contains_key(&digest)).copied()
    };
    let ends = match (&object.row.ends, object.row.kind) {
        (Some((from, to)), _) => [absence_of(from), absence_of(to)],
        (None, Kind::MappedRelationship) => [source_of(&object.properties).as_ref().and_then(absence_of), None],
        (None, _) => [None, None],
    };
    let absence = judge::absence(&Lone { object_type, ends }, lacks.side.coverage);
    if object.row.kind == Kind::Entity {
        lacks.absent.insert(digest(&object.row.key), absence);
    }
    absence
}

fn digest(key: &ObjectKey) -> KeyDigest {
    let mut digest = KeyDigest::default();
    digest.copy_from_slice(&Sha256::digest(key.as_str().as_bytes())[..16]);
    digest
}

/// Returns the source entity of a mapped relationship.
fn source_of(json: &str) -> Option<ObjectKey> {
    #[derive(Deserialize)]
    struct Mapped {
        #[serde(rename = "_mapping")]
        mapping: Mapping,
    }
    #[derive(Deserialize)]
    struct Mapping {
        #[serde(rename = "sourceEntityKey")]
        source: String,
    }
    let Mapped { mapping } = serde_json::from_str(json).ok()?;
    ObjectKey::new(mapping.source).ok()
}
