//! Amendments of entities: read, merge, validate, and write if nothing has changed in between.
//!
//! ```text
//!   entities(keys) ─▶ merge, schemas ─▶ amend(expected revision) ─▶ amended
//!                          ▲                        │
//!                          └─────── current state ──┘ conflict
//! ```
//!
//! Several steps may amend one entity at the same time. The step validates the entity as a whole, so it must know all
//! properties. If another step was faster, the store returns the current state, and only this entity is computed again.

use std::collections::{HashSet, VecDeque};

use serde_json::Value;

use crate::graph::{ObjectKey, ObjectText, Properties, merge};
use crate::store::{AmendOutcome, Amendment, CollectedEntity, StoreError};

use super::policy::{Amended, IngestPolicy};
use super::{ObjectError, Partition, StepResult, StepStats};

/// An amendment that has not been written: the entity as last read, and the properties to add.
struct Pending {
    key: ObjectKey,
    entity: CollectedEntity,
    added: Properties,
}

/// Amends entities in the order of the list; returns the number of applied amendments.
///
/// Amendments of unknown keys are left out, and so are those that violate the schemas under `--validation quarantine`.
///
/// # Errors
/// The first amendment that fails its step. Later ones are not applied.
pub(super) async fn all(
    policy: &IngestPolicy,
    stats: &StepStats,
    partition: Option<&Partition>,
    amendments: Vec<(ObjectKey, Properties)>,
) -> StepResult<usize> {
    let keys = amendments.iter().map(|(key, _)| key.clone()).collect();
    let found = policy.job.entities(keys).await?;
    let known = amendments.into_iter().zip(found);
    let mut pending: VecDeque<Pending> =
        known.filter_map(|((key, added), entity)| Some(Pending { key, entity: entity?, added })).collect();
    let (mut amended, mut rejected) = (0, None);
    while !pending.is_empty() {
        let (sent, left, error) = prepare(policy, stats, partition, std::mem::take(&mut pending))?;
        rejected = error.or(rejected);
        let (waiting, changes): (Vec<Pending>, Vec<Amendment>) = sent.into_iter().unzip();
        for (mut waiting, outcome) in waiting.into_iter().zip(policy.job.amend(changes).await?) {
            match outcome {
                AmendOutcome::Amended => amended += 1,
                AmendOutcome::Conflict(entity) => {
                    waiting.entity = entity;
                    pending.push_back(waiting);
                }
                AmendOutcome::Absent => {}
            }
        }
        pending.extend(left);
    }
    rejected.map_or(Ok(amended), |error: ObjectError| Err(error.into()))
}

/// The amendments to write, those that follow on the same entities, and the error that ends the list.
type Prepared = (Vec<(Pending, Amendment)>, Vec<Pending>, Option<ObjectError>);

/// Merges and validates at most one amendment of each entity.
fn prepare(
    policy: &IngestPolicy,
    stats: &StepStats,
    partition: Option<&Partition>,
    pending: VecDeque<Pending>,
) -> StepResult<Prepared> {
    let (mut sent, mut left, mut met) = (Vec::new(), Vec::new(), HashSet::new());
    for waiting in pending {
        // The entity of a second amendment is known only when the first one is written.
        if !met.insert(waiting.key.clone()) {
            left.push(waiting);
            continue;
        }
        let before = parse(&waiting)?;
        // A resumed step may add the same properties again. A merged list is sorted, and this one may not be.
        let mut added = waiting.added.clone();
        added.retain(|name, value| before.get(name) != Some(value));
        let object = Value::Object(merge(before.clone(), added));
        let amended = Amended { key: &waiting.key, before: &before, object: &object };
        match policy.check_amended(stats, partition, amended) {
            Ok(false) => {}
            Ok(true) => {
                let Value::Object(properties) = &object else { continue };
                let properties = ObjectText::from(properties).as_str().to_owned();
                let (key, expected) = (waiting.key.clone(), waiting.entity.revision);
                sent.push((waiting, Amendment { key, expected, properties }));
            }
            Err(error) => return Ok((sent, left, Some(error))),
        }
    }
    Ok((sent, left, None))
}

fn parse(waiting: &Pending) -> Result<Properties, StoreError> {
    let unreadable = |error| StoreError::Corrupt(format!("the entity {}: {error}", waiting.key));
    serde_json::from_str(&waiting.entity.properties).map_err(unreadable)
}
