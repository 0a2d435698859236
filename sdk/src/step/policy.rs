//! Checks that every object passes before it enters the graph: redaction and schemas.
//!
//! All steps of a job share them, together with the hooks of the integration. The statistics of the step record the
//! result.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;

use crate::graph::run::PartitionRef;
use crate::graph::{Entity, ObjectJson, ObjectKey, ObjectText, ObjectType, Properties, Relationship, StepId};
use crate::redact::Redaction;
use crate::schema::{Finding, Schemas, Validation};
use crate::secrets;
use crate::store::{JobWriter, ObjectBatch, Row};

use super::pending::PendingObject;
use super::raw_data;
use super::{ObjectError, Partition, StepStats};

/// Changes an entity before it is added, for example to remove private data.
pub type EntityHook = Arc<dyn Fn(&StepId, &mut Entity) + Send + Sync>;
/// Changes a relationship before it is added.
pub type RelationshipHook = Arc<dyn Fn(&StepId, &mut Relationship) + Send + Sync>;

/// The ingest settings that all steps of a job share.
pub(crate) struct IngestPolicy {
    pub(crate) job: Arc<dyn JobWriter>,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) validation: Validation,
    pub(crate) on_entity: Vec<EntityHook>,
    pub(crate) on_relationship: Vec<RelationshipHook>,
    pub(crate) redaction: Redaction,
    /// One permit: a single large object of the job is validated and written at a time.
    pub(crate) large: Semaphore,
}

/// An entity with added properties, before it is written.
pub(super) struct Amended<'a> {
    pub(super) key: &'a ObjectKey,
    /// The properties as stored.
    pub(super) before: &'a Properties,
    /// The entity with the added properties.
    pub(super) object: &'a Value,
}

impl IngestPolicy {
    /// Checks an object and adds it to the rows, unless it is rejected. `scratch` is a scratch buffer for its text.
    ///
    /// # Errors
    /// The rejected object, if the job validates with `fail`.
    pub(super) fn admit(
        &self,
        stats: &StepStats,
        object: PendingObject,
        rows: &mut ObjectBatch,
        scratch: &mut Vec<u8>,
    ) -> Result<(), ObjectError> {
        let is_harmless =
            object.only_keys().is_some_and(|keys| keys.iter().all(|key| secrets::is_harmless(key.as_str())));
        let PendingObject {
            kind,
            key,
            object_type,
            class,
            partition,
            parent,
            ends,
            merge,
            apart: asked,
            text,
            raw_data,
        } = object;
        let text = if is_harmless { text } else { without_credentials(text) };
        let findings = match self.validation {
            _ if asked => Vec::new(),
            Validation::Off => Vec::new(),
            _ => self.schemas.check_text(&text, &object_type, &class),
        };
        let raw = match raw_data::redacted(&raw_data, &self.redaction, scratch) {
            Ok(raw) => raw,
            Err(error) => {
                rows.reject(kind, &key);
                let rejected = ObjectError::RawData { key, object_type, reason: error.to_string() };
                return self.reject(stats, rejected, partition.as_deref());
            }
        };
        let verdict = self.judge(&findings, &key, &object_type).inspect_err(|_| rows.reject(kind, &key))?;
        let apart = asked || verdict == Verdict::Apart;
        let quarantined = apart.then(|| serde_json::json!(findings).to_string());
        if !asked {
            stats.admit((&object_type, &key), apart, findings, partition.as_deref());
        }
        let parent = parent.or_else(|| partition.as_ref().map(|partition| partition.parent().key.clone()));
        let partition = PartitionRef::from(partition.map(|partition| partition.id()));
        let json = ObjectJson { properties: text.as_str(), raw };
        rows.push(Row { kind, key, object_type, class, partition, parent, ends, merge, quarantined }, json);
        Ok(())
    }

    /// Records an object that cannot enter the graph. The step continues without it, unless the job validates with
    /// `fail`.
    pub(super) fn reject(
        &self,
        stats: &StepStats,
        error: ObjectError,
        partition: Option<&Partition>,
    ) -> Result<(), ObjectError> {
        if self.validation == Validation::Fail {
            return Err(error);
        }
        tracing::warn!(%error, "an object is rejected");
        stats.reject(error, partition);
        Ok(())
    }

    fn check(&self, object: &Value) -> Vec<Finding> {
        if self.validation == Validation::Off { Vec::new() } else { self.schemas.check(object) }
    }

    /// Decides about an object with these findings: admitted, quarantined, or an error that fails the step.
    fn judge(&self, findings: &[Finding], key: &ObjectKey, object_type: &ObjectType) -> Result<Verdict, ObjectError> {
        match (self.validation, findings.first()) {
            (Validation::Fail, Some(first)) => {
                let (key, object_type) = (key.clone(), object_type.clone());
                Err(ObjectError::Invalid { key, object_type, finding: first.to_string() })
            }
            (Validation::Quarantine, Some(_)) => Ok(Verdict::Apart),
            _ => Ok(Verdict::Admitted),
        }
    }

    /// Returns whether an amended entity may be written. Counts the findings that the stored entity does not have.
    pub(super) fn check_amended(
        &self,
        stats: &StepStats,
        partition: Option<&Partition>,
        amended: Amended<'_>,
    ) -> Result<bool, ObjectError> {
        let Amended { key, before, object } = amended;
        let mut findings = self.check(object);
        let Some(object_type) = object["_type"].as_str().and_then(|name| ObjectType::new(name).ok()) else {
            return Ok(true);
        };
        let verdict = self.judge(&findings, key, &object_type)?;
        if !findings.is_empty() {
            let known = self.check(&Value::Object(before.clone()));
            findings.retain(|finding| !known.contains(finding));
        }
        let is_new = stats.find(findings, partition);
        if verdict == Verdict::Apart && is_new {
            stats.skip(&object_type, "amended properties violate the schema", partition);
        }
        Ok(verdict == Verdict::Admitted)
    }
}

/// Removes credentials from the properties. Most objects contain none, and their text is returned unchanged.
fn without_credentials(text: ObjectText) -> ObjectText {
    if !secrets::may_be_in(text.as_str()) {
        return text;
    }
    let Ok(mut properties) = text.to_properties() else { return text };
    Redaction::clean_properties(&mut properties);
    ObjectText::from(&properties)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Admitted,
    Apart,
}
