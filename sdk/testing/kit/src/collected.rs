//! The result of a run, in memory because graphs of tests are small.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use integration_sdk::prelude::TryStreamExt;
use integration_sdk::runtime::StepReport;
use integration_sdk::store::{Kind, Selection, Snapshot as Graph};
use integration_sdk::{Integration, Summary};
use serde_json::Value;
use tempfile::TempDir;

use crate::coverage::Coverage;
use crate::{Gap, RunError};

/// A collected graph and the summary of its job.
///
/// Objects are the exported JSON, raw data included: `collected.entity("team-1")["displayName"]`.
pub struct Collected {
    /// The summary of the job.
    pub summary: Summary,
    entities: BTreeMap<String, Value>,
    relationships: BTreeMap<String, Value>,
    coverage: Coverage,
    graph: Graph,
    /// The temporary folder of the store; removed on drop.
    _folder: TempDir,
}

impl fmt::Debug for Collected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collected").field("state", &self.summary.state).field("counts", &self.counts()).finish()
    }
}

impl Collected {
    pub(crate) async fn read(
        integration: &Integration,
        graph: Graph,
        summary: Summary,
        folder: TempDir,
    ) -> Result<Self, RunError> {
        let (mut entities, mut relationships) = (BTreeMap::new(), BTreeMap::new());
        let mut batches = graph.scan(Selection::default().with_raw());
        while let Some(batch) = batches.try_next().await? {
            for object in batch {
                let objects = if object.kind == Kind::Entity { &mut entities } else { &mut relationships };
                let json = serde_json::from_str(&object.json().joined()).map_err(unreadable)?;
                objects.insert(object.key.to_string(), json);
            }
        }
        let coverage = Coverage::of(integration, &summary, entities.values().chain(relationships.values()));
        Ok(Self { summary, entities, relationships, coverage, graph, _folder: folder })
    }

    /// Returns the entity with a key.
    ///
    /// # Panics
    /// Panics if the entity does not exist.
    #[track_caller]
    pub fn entity(&self, key: &str) -> &Value {
        match self.find_entity(key) {
            Some(entity) => entity,
            None => panic!("there is no entity {key:?}; {}", known(&self.entities)),
        }
    }

    /// Returns the relationship with a key, mapped relationships included.
    ///
    /// # Panics
    /// Panics if the relationship does not exist.
    #[track_caller]
    pub fn relationship(&self, key: &str) -> &Value {
        match self.find_relationship(key) {
            Some(relationship) => relationship,
            None => panic!("there is no relationship {key:?}; {}", known(&self.relationships)),
        }
    }

    /// Returns the entity with a key, if there is one.
    pub fn find_entity(&self, key: &str) -> Option<&Value> {
        self.entities.get(key)
    }

    /// Returns the relationship with a key, if there is one.
    pub fn find_relationship(&self, key: &str) -> Option<&Value> {
        self.relationships.get(key)
    }

    /// Returns all entities in key order.
    pub fn entities(&self) -> impl Iterator<Item = &Value> {
        self.entities.values()
    }

    /// Returns all relationships in key order, mapped ones included.
    pub fn relationships(&self) -> impl Iterator<Item = &Value> {
        self.relationships.values()
    }

    /// Returns the objects of a type in key order.
    pub fn of_type(&self, object_type: &str) -> Vec<&Value> {
        self.objects().filter(|object| object["_type"] == object_type).collect()
    }

    /// Returns the number of objects of each collected type.
    pub fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for object_type in self.objects().filter_map(|object| object["_type"].as_str()) {
            *counts.entry(object_type).or_default() += 1;
        }
        counts
    }

    /// Returns the report of a step.
    ///
    /// # Panics
    /// Panics if the step does not exist.
    #[track_caller]
    pub fn step(&self, id: &str) -> &StepReport {
        let steps = &self.summary.integration_step_results;
        match steps.iter().find(|step| step.id.as_str() == id) {
            Some(step) => step,
            None => {
                let known: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
                panic!("there is no step {id:?}; there are: {}", known.join(", "))
            }
        }
    }

    /// Returns the gaps by type and parent, regardless of the step that reports them.
    pub fn gaps(&self) -> BTreeSet<Gap> {
        let gaps = self.summary.integration_step_results.iter().flat_map(|step| &step.gaps);
        let each = gaps.flat_map(|gap| {
            let parent = gap.parent.as_ref().map(|under| under.key.to_string());
            gap.types
                .iter()
                .map(move |object_type| Gap { object_type: object_type.to_string(), parent: parent.clone() })
        });
        each.collect()
    }

    /// Compares the declarations of the integration with this run.
    pub fn coverage(&self) -> Coverage {
        self.coverage.clone()
    }

    /// Returns the graph in its store, for example for [`export`](integration_sdk::dataset::export).
    pub fn stored(&self) -> &Graph {
        &self.graph
    }

    fn objects(&self) -> impl Iterator<Item = &Value> {
        self.entities().chain(self.relationships())
    }
}

fn unreadable(error: serde_json::Error) -> RunError {
    RunError::Store(integration_sdk::store::StoreError::Corrupt(error.to_string()))
}

/// The first few keys as a hint for error messages.
fn known(objects: &BTreeMap<String, Value>) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = objects.keys().take(SHOWN).map(|key| format!("{key:?}")).collect();
    match objects.len() {
        0 => "there are none".to_owned(),
        count if count > SHOWN => format!("there are: {} and {} more", shown.join(", "), count - SHOWN),
        _ => format!("there are: {}", shown.join(", ")),
    }
}
