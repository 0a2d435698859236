//! Synchronization jobs, as plain data.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The owner of the uploaded objects. A finished job replaces all earlier objects of the same owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum JobSource {
    /// An instance of an integration that JupiterOne manages.
    IntegrationManaged {
        /// The id of the instance.
        integration_instance_id: String,
        /// The id of a job that exists already; otherwise the service creates one.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_job_id: Option<String>,
    },
    /// An instance of an integration that runs outside JupiterOne.
    IntegrationExternal {
        /// The id of the instance.
        integration_instance_id: String,
        /// The id of a job that exists already; otherwise the service creates one.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_job_id: Option<String>,
    },
    /// A scope of the API, without an instance.
    Api {
        /// The name of the scope.
        scope: String,
    },
}

impl JobSource {
    /// The name of the source, such as `integration-managed`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::IntegrationManaged { .. } => "integration-managed",
            Self::IntegrationExternal { .. } => "integration-external",
            Self::Api { .. } => "api",
        }
    }

    /// The id of the instance, or the scope.
    pub fn owner(&self) -> &str {
        match self {
            Self::IntegrationManaged { integration_instance_id: owner, .. }
            | Self::IntegrationExternal { integration_instance_id: owner, .. }
            | Self::Api { scope: owner } => owner,
        }
    }
}

/// The state of a synchronization job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncStatus {
    /// The job accepts uploads.
    AwaitingUploads,
    /// The job was closed, and the service has not begun to process it.
    FinalizePending,
    /// The service processes entities.
    FinalizingEntities,
    /// The service processes relationships.
    FinalizingRelationships,
    /// The graph of the service contains the uploaded objects.
    Finished,
    /// The job was aborted and changed nothing.
    Aborted,
    /// The job failed, for example `ERROR_BAD_DATA`.
    Error(String),
    /// A state that this version does not know. It is treated like one that lasts.
    Other(String),
}

impl SyncStatus {
    fn of(name: &str) -> Self {
        match name {
            "AWAITING_UPLOADS" => Self::AwaitingUploads,
            "FINALIZE_PENDING" => Self::FinalizePending,
            "FINALIZING_ENTITIES" => Self::FinalizingEntities,
            "FINALIZING_RELATIONSHIPS" => Self::FinalizingRelationships,
            "FINISHED" => Self::Finished,
            "ABORTED" => Self::Aborted,
            name if name.starts_with("ERROR") => Self::Error(name.to_owned()),
            name => Self::Other(name.to_owned()),
        }
    }

    /// The name that the service uses.
    pub fn name(&self) -> &str {
        match self {
            Self::AwaitingUploads => "AWAITING_UPLOADS",
            Self::FinalizePending => "FINALIZE_PENDING",
            Self::FinalizingEntities => "FINALIZING_ENTITIES",
            Self::FinalizingRelationships => "FINALIZING_RELATIONSHIPS",
            Self::Finished => "FINISHED",
            Self::Aborted => "ABORTED",
            Self::Error(name) | Self::Other(name) => name,
        }
    }

    /// Returns whether the job cannot change its state any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Finished | Self::Aborted | Self::Error(_))
    }
}

impl fmt::Display for SyncStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for SyncStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for SyncStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(&String::deserialize(deserializer)?))
    }
}

/// A synchronization job, as the service describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncJob {
    /// The id.
    pub id: String,
    /// The state.
    pub status: SyncStatus,
    /// The integration job that the events belong to; absent for the source `api`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_job_id: Option<String>,
    /// The counts of the service, such as `numEntitiesCreated`.
    #[serde(flatten, deserialize_with = "counts")]
    pub counts: BTreeMap<String, u64>,
}

impl SyncJob {
    /// Returns a count of the service, or zero.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    /// Returns the number of objects that the service reports as errors.
    pub fn errors(&self) -> u64 {
        self.counts.iter().filter(|(name, _)| name.contains("Error")).map(|(_, count)| count).sum()
    }
}

/// Keeps the counts of a job, and ignores its other members.
fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, u64>, D::Error> {
    let members = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let counts = members.into_iter().filter(|(name, _)| name.starts_with("num"));
    Ok(counts.filter_map(|(name, count)| Some((name, count.as_u64()?))).collect())
}

/// A message in the log of an integration job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobEvent {
    /// The kind of the event, in snake case.
    pub name: String,
    /// The text for people.
    pub description: String,
    /// The severity.
    pub level: EventLevel,
}

/// The severity of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventLevel {
    /// An information.
    Info,
    /// A warning, such as incomplete data.
    Warn,
    /// An error.
    Error,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_is_read_with_its_counts_and_without_everything_else() {
        let job: SyncJob = serde_json::from_value(json!({
            "id": "7", "status": "FINISHED", "numEntitiesCreated": 3, "numEntityCreateErrors": 2, "source": "api",
            "startTimestamp": 17, "numFuture": "many", "done": null,
        }))
        .unwrap();
        assert_eq!((job.status.clone(), job.count("numEntitiesCreated"), job.errors()), (SyncStatus::Finished, 3, 2));
        assert_eq!(job.counts.len(), 2);
        assert_eq!(job.integration_job_id, None);
    }

    #[test]
    fn unknown_states_last_and_unknown_errors_are_final() {
        assert!(!SyncStatus::of("PONDERING").is_final());
        assert!(SyncStatus::of("ERROR_UNEXPECTED").is_final() && SyncStatus::of("ABORTED").is_final());
        assert!(!SyncStatus::of("AWAITING_UPLOADS").is_final());
    }

    #[test]
    fn a_source_is_written_as_the_service_reads_it() {
        let managed =
            JobSource::IntegrationManaged { integration_instance_id: "i".to_owned(), integration_job_id: None };
        assert_eq!(
            serde_json::to_value(&managed).unwrap(),
            json!({"source": "integration-managed", "integrationInstanceId": "i"})
        );
        let api = JobSource::Api { scope: "s".to_owned() };
        assert_eq!(serde_json::to_value(&api).unwrap(), json!({"source": "api", "scope": "s"}));
        assert_eq!((api.owner(), managed.owner(), managed.name()), ("s", "i", "integration-managed"));
    }
}
