//! The files of a graph, written into a separate folder.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use futures::TryStreamExt;

use crate::dataset::{DatasetError, Wrapper};
use crate::owner_only::Folder;
use crate::store::{Count, Kind, Selection, Snapshot};

use super::Exported;
use super::manifest::GraphFile;

/// The maximum number of objects in a file, for tools that read whole files.
const FILE: u64 = 10_000;

/// Returns the files that a graph with these objects consists of.
pub(super) fn planned(counts_by_step_and_type: &[Count]) -> Vec<GraphFile> {
    counts_by_step_and_type
        .iter()
        .flat_map(|count| (1..=count.objects.div_ceil(FILE)).map(|number| file(count, number)))
        .collect()
}

fn file(count: &Count, number: u64) -> GraphFile {
    GraphFile {
        step: count.step.to_string(),
        wrapper: wrapper(count).folder().to_owned(),
        name: format!("{}-{number:05}.json", count.object_type),
    }
}

fn wrapper(count: &Count) -> Wrapper {
    if count.kind == Kind::Entity { Wrapper::Entities } else { Wrapper::Relationships }
}

/// Writes all objects of a job below `graph`.
pub(super) async fn write(
    snapshot: &Snapshot,
    graph: &Folder,
    counts_by_step_and_type: &[Count],
) -> Result<Exported, DatasetError> {
    let mut exported = Exported::default();
    let mut steps: HashMap<&str, Folder> = HashMap::new();
    let mut folders: HashMap<(&str, &str), Folder> = HashMap::new();
    for count in counts_by_step_and_type {
        let (step, wrapper) = (count.step.as_str(), wrapper(count).folder());
        let of_step = match steps.entry(step) {
            Entry::Occupied(folder) => folder.into_mut(),
            Entry::Vacant(place) => place.insert(create(graph, step)?),
        };
        let folder = match folders.entry((step, wrapper)) {
            Entry::Occupied(folder) => folder.into_mut(),
            Entry::Vacant(place) => place.insert(create(of_step, wrapper)?),
        };
        exported.files += write_type(snapshot, folder, count).await?;
        match count.kind {
            Kind::Entity => exported.entities += count.objects,
            _ => exported.relationships += count.objects,
        }
    }
    Ok(exported)
}

fn create(folder: &Folder, name: &str) -> Result<Folder, DatasetError> {
    folder.create_folder(name).map_err(DatasetError::io("make", folder.path().join(name)))
}

/// Writes the counted objects of one step and type.
async fn write_type(snapshot: &Snapshot, folder: &Folder, count: &Count) -> Result<u64, DatasetError> {
    let mut open: Option<ObjectFile> = None;
    let (mut files, mut objects) = (0, 0);
    let mut batches = snapshot.scan(Selection::of_type(count.object_type.clone()).by(count.step.clone()).with_raw());
    while let Some(batch) = batches.try_next().await? {
        for object in batch {
            if objects % FILE == 0 {
                if let Some(full) = open.take() {
                    full.finish()?;
                }
                if objects == count.objects {
                    return Err(DatasetError::Changed { job: snapshot.info().job.clone() });
                }
                files += 1;
                open = Some(ObjectFile::begin(folder, file(count, files).name, wrapper(count))?);
            }
            if let Some(file) = &mut open {
                file.add(&object.json().joined())?;
            }
            objects += 1;
        }
    }
    if let Some(file) = open {
        file.finish()?;
    }
    if objects == count.objects { Ok(files) } else { Err(DatasetError::Changed { job: snapshot.info().job.clone() }) }
}

/// A file of the layout that is being written, with one object per line.
struct ObjectFile {
    path: PathBuf,
    out: BufWriter<File>,
    is_empty: bool,
}

impl ObjectFile {
    fn begin(folder: &Folder, name: String, wrapper: Wrapper) -> Result<Self, DatasetError> {
        let path = folder.path().join(&name);
        let file = folder.create_new(name).map_err(DatasetError::io("write", &path))?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        write!(out, "{{\"{}\":[", wrapper.folder()).map_err(DatasetError::io("write", &path))?;
        Ok(Self { path, out, is_empty: true })
    }

    fn add(&mut self, json: &str) -> Result<(), DatasetError> {
        let separator: &[u8] = if self.is_empty { b"\n" } else { b",\n" };
        self.is_empty = false;
        let written = self.out.write_all(separator).and_then(|()| self.out.write_all(json.as_bytes()));
        written.map_err(DatasetError::io("write", &self.path))
    }

    /// Completes the file and waits until it is on disk, because the earlier graph is removed afterwards.
    fn finish(mut self) -> Result<(), DatasetError> {
        let written = self.out.write_all(b"\n]}\n").and_then(|()| self.out.flush());
        written.and_then(|()| self.out.get_ref().sync_data()).map_err(DatasetError::io("write", &self.path))
    }
}
