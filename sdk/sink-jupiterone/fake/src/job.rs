//! Synchronization jobs of the fake.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Status {
    AwaitingUploads,
    FinalizePending,
    FinalizingEntities,
    FinalizingRelationships,
    Finished,
    Aborted,
    ErrorBadData,
}

impl Status {
    /// The name in responses.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwaitingUploads => "AWAITING_UPLOADS",
            Self::FinalizePending => "FINALIZE_PENDING",
            Self::FinalizingEntities => "FINALIZING_ENTITIES",
            Self::FinalizingRelationships => "FINALIZING_RELATIONSHIPS",
            Self::Finished => "FINISHED",
            Self::Aborted => "ABORTED",
            Self::ErrorBadData => "ERROR_BAD_DATA",
        }
    }
}

/// An accepted upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// `entities` or `relationships`.
    pub kind: &'static str,
    /// The size of the uncompressed body in bytes.
    pub bytes: usize,
    /// The number of objects.
    pub objects: usize,
    /// Whether the body was compressed.
    pub compressed: bool,
}

/// A synchronization job.
#[derive(Debug, Clone)]
pub struct FakeJob {
    /// The id.
    pub id: String,
    /// The source.
    pub source: String,
    /// The integration instance, or the scope of the API source.
    pub scope: String,
    /// The state.
    pub status: Status,
    /// The uploads by their correlation ids.
    pub uploads: BTreeMap<String, Upload>,
    /// The uploaded objects in the order of their arrival.
    pub objects: Vec<Value>,
    /// The reason of the abort.
    pub abort_reason: Option<String>,
    /// The types of the partial datasets.
    pub partial_types: BTreeSet<String>,
    /// The events.
    pub events: Vec<Value>,
    /// The defects that the finalization found.
    pub defects: Vec<String>,
    pub(crate) digests: BTreeMap<String, u64>,
    pub(crate) polls: u32,
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

impl FakeJob {
    pub(crate) fn new(id: String, source: String, scope: String) -> Self {
        Self {
            id,
            source,
            scope,
            status: Status::AwaitingUploads,
            uploads: BTreeMap::new(),
            objects: Vec::new(),
            abort_reason: None,
            partial_types: BTreeSet::new(),
            events: Vec::new(),
            defects: Vec::new(),
            digests: BTreeMap::new(),
            polls: 0,
            counts: BTreeMap::new(),
        }
    }

    /// The body of a response about the job.
    pub(crate) fn json(&self) -> Value {
        let mut job = json!({
            "id": self.id,
            "source": self.source,
            "status": self.status.name(),
            "startTimestamp": 1_700_000_000_000_u64,
        });
        let own = if self.source == "api" { "scope" } else { "integrationInstanceId" };
        job[own] = self.scope.clone().into();
        if self.source != "api" {
            job["integrationJobId"] = self.id.clone().into();
        }
        for (name, count) in &self.counts {
            job[*name] = (*count).into();
        }
        json!({ "job": job })
    }
}
