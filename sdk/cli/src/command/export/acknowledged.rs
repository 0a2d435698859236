//! The snapshots that each target contains, for `--changes-since last`.
//!
//! The record is a JSON file next to the store. It is replaced as a whole after a target has completed a transfer, under
//! a lock, so that exports at the same time keep each other's entries. Databases keep their own record.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use integration_sdk::input;
use integration_sdk::owner_only;
use integration_sink::Manifest;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const FILE: &str = "exports.json";
const LOCK: &str = "exports.lock";
const VERSION: u32 = 1;

/// The publications that a target contains, by [integration and instance](instance).
pub(crate) type Publications = BTreeMap<String, Publication>;

/// The snapshots of all targets.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Acknowledged {
    version: u32,
    targets: BTreeMap<String, Publications>,
}

/// A publication of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Publication {
    pub(super) job: String,
    /// A job that is resumed publishes again, with another number.
    pub(super) number: u64,
}

impl Acknowledged {
    /// Reads the record of a data directory. A missing one is empty.
    pub(super) fn read(data_dir: &Path) -> Result<Self, Failure> {
        let path = data_dir.join(FILE);
        let text = match input::read_to_string(&path, input::DOCUMENT) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Failure::file("read", path)(error)),
        };
        let record: Self = serde_json::from_str(&text).map_err(|error| Failure::file("read", &path)(error.into()))?;
        match record.version > VERSION {
            true => Err(Failure::file("read", path)(std::io::Error::other("a newer version of this program wrote it"))),
            false => Ok(record),
        }
    }

    /// Returns the publications that a target contains.
    pub(super) fn of(mut self, target: &str) -> Option<Publications> {
        self.targets.remove(target)
    }

    /// Stores that a target contains the snapshots of a transfer.
    pub(super) fn store(data_dir: &Path, target: &str, manifest: &Manifest) -> Result<(), Failure> {
        let lock = data_dir.join(LOCK);
        // The lock ends with the file. It is held for one replacement of the record.
        let locked = owner_only::open(&lock).and_then(|file| file.lock().map(|()| file));
        let _lock = locked.map_err(Failure::file("lock", &lock))?;
        let mut record = Self::read(data_dir)?;
        let of_target = record.targets.entry(target.to_owned()).or_default();
        for snapshot in &manifest.snapshots {
            let publication = Publication { job: snapshot.id.job.to_string(), number: snapshot.id.number };
            of_target.insert(instance(&snapshot.id.integration, snapshot.id.instance.as_str()), publication);
        }
        record.version = VERSION;
        let path = data_dir.join(FILE);
        let put = || owner_only::replace(&path, &serde_json::to_vec_pretty(&record)?);
        put().map_err(Failure::file("write", &path))
    }
}

/// Returns the name of an instance in the record.
pub(super) fn instance(integration: &str, instance: &str) -> String {
    format!("{integration}/{instance}")
}
