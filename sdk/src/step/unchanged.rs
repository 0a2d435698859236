//! The objects under unchanged parents, which a job with `--only-changed` keeps instead of requesting them.
//!
//! ```text
//!   parent ──same properties as in the newest snapshot?──▶ yes: copy its objects from the snapshot
//!                                                       └▶ no, or a gap: request them
//! ```
//!
//! The copies are collected objects in a completed partition, so publication confirms them. A parent is requested if it
//! is new, if one of the properties of its [`ChangeSign`] differs, or if the snapshot may lack objects under it: because
//! of a gap, because some of them are stale, or because the earlier job excluded the parent.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures::TryStreamExt;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::graph::history::SnapshotGap;
use crate::graph::run::{ErrorCode, Parent};
use crate::graph::{ObjectKey, ObjectType, OnDuplicateKey, StepId};
use crate::store::{GraphReader, Kind, ReadError, Selection, StoredObject};

use super::{ChangeSign, SelectedParents, Step, StepError, StepResult};

/// The newest snapshot as a source of objects for one step.
pub(crate) struct Unchanged {
    graph: Arc<dyn GraphReader>,
    sign: ChangeSign,
    step: StepId,
    emits: BTreeSet<ObjectType>,
    /// The types whose entities are merged.
    merges: BTreeSet<ObjectType>,
    /// The function that computes the parents that the earlier job selected, with the configuration.
    selected: Option<(SelectedParents, Arc<dyn Any + Send + Sync>)>,
    /// The index, read by the first partition; `None` if nothing can be kept.
    index: OnceCell<Option<Index>>,
}

/// The names of the objects that the step collected, by parent. Their contents are read when they are copied.
#[derive(Debug, Default)]
struct Index {
    /// The values of the sign, by parent, for the parents under which nothing is missing.
    parents: HashMap<ObjectKey, String>,
    objects: HashMap<ObjectKey, Vec<(ObjectType, ObjectKey)>>,
    /// The entities that several parents describe, with their types.
    shared: HashMap<ObjectKey, ObjectType>,
}

impl Unchanged {
    /// Creates the source for a step; `None` if the step declares no sign of changes.
    ///
    /// Properties that a step adds to entities of other steps, and job data, are not part of its objects. A step with
    /// such results requests everything.
    pub(crate) fn of(step: &Step, graph: &Arc<dyn GraphReader>, config: &Arc<dyn Any + Send + Sync>) -> Option<Self> {
        let declaration = step.declaration();
        let sign = declaration.changes_with.clone()?;
        if !declaration.amends.is_empty() || !declaration.publishes.is_empty() {
            return None;
        }
        let merged = declaration.entities.iter().filter(|of| of.on_duplicate_key == OnDuplicateKey::Merge);
        Some(Self {
            graph: Arc::clone(graph),
            sign,
            step: declaration.id.clone(),
            emits: declaration.emits(),
            merges: merged.map(|of| of.object_type.clone()).collect(),
            selected: step.selected_parents().map(|selected| (Arc::clone(selected), Arc::clone(config))),
            index: OnceCell::new(),
        })
    }

    /// Returns the objects under a parent, with the properties that it has now; `None` if they must be requested.
    ///
    /// # Errors
    /// [`StepError::Other`] if the snapshot cannot be read, for example because it was pruned.
    pub(crate) async fn under(&self, parent: &Parent, properties: &str) -> StepResult<Option<Vec<StoredObject>>> {
        if parent.object_type != self.sign.object_type {
            return Ok(None);
        }
        let Some(index) = self.index.get_or_try_init(|| self.index()).await? else { return Ok(None) };
        let same = index.parents.get(&parent.key).filter(|values| self.values(properties).as_ref() == Some(values));
        if same.is_none() {
            return Ok(None);
        }
        let names = index.objects.get(&parent.key).cloned().unwrap_or_default();
        let Some(mut objects) = self.read(names).await? else { return Ok(None) };
        let ends = objects.iter().filter_map(|object| object.ends.as_ref()).flat_map(|(from, to)| [from, to]);
        let shared: HashSet<_> = ends.filter_map(|end| Some((index.shared.get(end)?.clone(), end.clone()))).collect();
        let Some(shared) = self.read(shared.into_iter().collect()).await? else { return Ok(None) };
        objects.extend(shared);
        Ok(Some(objects))
    }

    /// Returns whether the entities of a type are merged with further descriptions.
    pub(crate) fn merges(&self, object_type: &ObjectType) -> bool {
        self.merges.contains(object_type)
    }

    async fn read(&self, names: Vec<(ObjectType, ObjectKey)>) -> StepResult<Option<Vec<StoredObject>>> {
        if names.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let objects = self.graph.objects(names).await.map_err(unreadable)?;
        Ok(objects.into_iter().collect())
    }

    /// Returns the values of the sign as text; `None` without the first property.
    fn values(&self, properties: &str) -> Option<String> {
        let properties: BTreeMap<String, Value> = serde_json::from_str(properties).ok()?;
        let values: Vec<&Value> =
            self.sign.properties.iter().map(|name| properties.get(name).unwrap_or(&Value::Null)).collect();
        values.first().filter(|first| !first.is_null())?;
        serde_json::to_string(&values).ok()
    }

    async fn index(&self) -> StepResult<Option<Index>> {
        let gaps = self.graph.gaps().await.map_err(unreadable)?;
        let gaps = gaps.into_iter().filter(|gap| gap.step == self.step);
        let (choices, gaps): (Vec<SnapshotGap>, Vec<SnapshotGap>) = gaps.partition(is_choice);
        if gaps.iter().any(|gap| gap.parent.is_none()) {
            return Ok(None);
        }
        let mut index = Index::default();
        let mut incomplete: HashSet<ObjectKey> = gaps.into_iter().filter_map(|gap| Some(gap.parent?.key)).collect();
        let mut known = HashSet::new();
        let mut batches = self.graph.scan(Selection::of_type(self.sign.object_type.clone()));
        while let Some(batch) = batches.try_next().await.map_err(unreadable)? {
            for parent in batch {
                known.insert(parent.key.clone());
                match self.values(&parent.properties) {
                    Some(values) if !parent.is_stale => drop(index.parents.insert(parent.key, values)),
                    _ => drop(incomplete.insert(parent.key)),
                }
            }
        }
        for object_type in &self.emits {
            let mut batches = self.graph.scan(Selection::of_type(object_type.clone()).by(self.step.clone()));
            while let Some(batch) = batches.try_next().await.map_err(unreadable)? {
                for object in batch {
                    match object.parent {
                        Some(parent) if known.contains(&parent) => {
                            if object.is_stale {
                                incomplete.insert(parent.clone());
                            }
                            index.objects.entry(parent).or_default().push((object.object_type, object.key));
                        }
                        None if object.kind == Kind::Entity => {
                            index.shared.insert(object.key, object.object_type);
                        }
                        // A partition inside of another one, or a relationship that several partitions describe: the
                        // objects under a parent are not known.
                        _ => return Ok(None),
                    }
                }
            }
        }
        incomplete.iter().for_each(|parent| drop(index.parents.remove(parent)));
        if !choices.is_empty() {
            self.retain_selected(&mut index).await?;
        }
        Ok(Some(index))
    }

    /// Removes the parents that the earlier job excluded: nothing was requested under them.
    ///
    /// The same configuration can select other parents in another graph. Without a function that computes the earlier
    /// selection, only an object proves that a parent was selected.
    async fn retain_selected(&self, index: &mut Index) -> StepResult {
        let selected = match &self.selected {
            Some((selected, config)) => selected(Arc::clone(config), Arc::clone(&self.graph)).await?,
            None => None,
        };
        let Index { parents, objects, .. } = index;
        parents.retain(|parent, _| match &selected {
            Some(selected) => selected.contains(parent),
            None => objects.contains_key(parent),
        });
        Ok(())
    }
}

/// Returns whether a gap is a choice of the user.
fn is_choice(gap: &SnapshotGap) -> bool {
    gap.code == ErrorCode::ParentsExcluded
}

fn unreadable(error: ReadError) -> StepError {
    StepError::Other(format!("the newest snapshot cannot be read: {error}"))
}
