//! The upload of a folder in the exchange layout, which any program may have written.
//!
//! Objects pass as text, so that nothing of them is changed.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use integration_sdk::dataset::{self, DatasetError, Found, Wrapper};
use integration_sdk::diff::{FolderSummary, folder_summary};
use integration_sink_jupiterone::{Announcement, SyncOutcome, SyncSession, UploadKind};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::progress;
use crate::style::printable_path;

/// The folder of the exchange layout in the project of another SDK.
const PROJECT: &str = ".j1-integration";
/// The size of a message between the reader and the uploads.
const PIECE: usize = 1 << 20;
/// The number of messages that wait.
const WAITING: usize = 2;

/// A folder whose objects were counted and checked.
pub(crate) struct FolderGraph {
    path: PathBuf,
    pub(crate) entities: u64,
    pub(crate) relationships: u64,
    /// The number of objects whose key another object has.
    pub(crate) duplicates: u64,
    pub(crate) summary: FolderSummary,
}

/// The result of an upload.
pub(crate) struct Uploaded {
    pub(crate) outcome: SyncOutcome,
    /// The number of objects whose key another object has.
    pub(crate) duplicates: u64,
}

#[derive(Deserialize)]
struct Keyed {
    #[serde(rename = "_key")]
    key: String,
}

struct Object {
    kind: UploadKind,
    key: String,
    json: Box<str>,
}

impl FolderGraph {
    /// Reads a folder, or the folder of the exchange layout in it.
    ///
    /// Everything is read once before the upload, so that a damaged file is found before JupiterOne is changed.
    pub(crate) async fn read(folder: &Path) -> Result<Self, Failure> {
        if !folder.is_dir() {
            let state = if folder.exists() { "is not a folder" } else { "does not exist" };
            return Err(Failure::Usage(format!("{} {state}", printable_path(folder))));
        }
        let inner = folder.join(PROJECT);
        let path =
            if !folder.join("graph").is_dir() && inner.join("graph").is_dir() { inner } else { folder.to_owned() };
        let summary = folder_summary(&path)?.ok_or_else(|| {
            Failure::Usage(format!(
                "{} has no summary.json. JupiterOne deletes the objects that an upload lacks, except those of the types that \
                 the summary lists as incomplete. For a complete graph, write {{\"metadata\": {{\"partialDatasets\": \
                 {{\"types\": []}}}}}} to this file",
                printable_path(&path)
            ))
        })?;
        let folder = path.clone();
        let counted = tokio::task::spawn_blocking(move || {
            let (mut unusable, mut keys, mut duplicates) = (None, HashSet::new(), 0);
            let read = dataset::read_text(&folder, |found| match serde_json::from_str::<Keyed>(&found.object) {
                Ok(Keyed { key }) => duplicates += u64::from(!keys.insert(digest(&key))),
                Err(_) if unusable.is_none() => unusable = Some(found.file.to_owned()),
                Err(_) => {}
            });
            read.map(|read| (read, unusable, duplicates))
        });
        let (read, unusable, duplicates) = counted.await.map_err(|error| Failure::Start(error.into()))??;
        if let Some(file) = unusable {
            return Err(Failure::Usage(format!("{} contains an object without a `_key`", printable_path(&file))));
        }
        let (entities, relationships) = (read.entities, read.relationships);
        Ok(Self { path, entities, relationships, duplicates, summary })
    }

    pub(crate) fn objects(&self) -> u64 {
        self.entities + self.relationships
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Uploads all objects in a session.
    pub(crate) async fn upload(
        &self,
        session: &mut SyncSession,
        progress: &progress::Transfer,
    ) -> Result<Uploaded, Failure> {
        let announcement = Announcement {
            origin: "a folder".to_owned(),
            objects: self.objects(),
            partial_types: self.summary.partial_types.clone(),
            gaps: self.summary.causes.clone(),
        };
        session.begin(&announcement, progress.events()).await?;
        let (sender, mut pieces) = mpsc::channel(WAITING);
        let folder = self.path.clone();
        let reader = tokio::task::spawn_blocking(move || read(&folder, &sender));
        let (mut done, mut duplicates) = (0, 0);
        while let Some(piece) = pieces.recv().await {
            for Object { kind, key, json } in piece {
                let is_new = session.add(kind, &key, &json).await?;
                duplicates += u64::from(!is_new);
                done += 1;
            }
            progress.written(done, self.objects());
        }
        reader.await.map_err(|error| Failure::Start(error.into()))??;
        Ok(Uploaded { outcome: session.finish().await?, duplicates })
    }
}

/// Returns a digest of a key.
fn digest(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Reads all objects and sends them in pieces. The rest is skipped when the receiver is gone.
fn read(folder: &Path, sender: &mpsc::Sender<Vec<Object>>) -> Result<(), DatasetError> {
    let (mut piece, mut bytes, mut is_gone) = (Vec::new(), 0, false);
    dataset::read_text(folder, |Found { wrapper, object, .. }| {
        if is_gone {
            return;
        }
        let kind = match wrapper {
            Wrapper::Entities => UploadKind::Entities,
            Wrapper::Relationships => UploadKind::Relationships,
        };
        // Objects without a key were found by the first reading.
        let Ok(Keyed { key }) = serde_json::from_str(&object) else { return };
        bytes += object.len();
        piece.push(Object { kind, key, json: object });
        if bytes >= PIECE {
            bytes = 0;
            is_gone = sender.blocking_send(std::mem::take(&mut piece)).is_err();
        }
    })?;
    if !piece.is_empty() {
        // A receiver that is gone has reported its error.
        drop(sender.blocking_send(piece));
    }
    Ok(())
}
