//! Writing a job's graph in the exchange layout.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::graph::ObjectKey;
use crate::store::{Count, JobStore, Kind};
use crate::summary::Summary;

use super::{DatasetError, Wrapper};

/// Objects a file: little enough for tools that read files whole.
const FILE: usize = 10_000;
/// Objects in memory at once.
const PAGE: usize = 1_000;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Entities.
    pub entities: u64,
    /// Relationships, mapped ones included.
    pub relationships: u64,
    /// Files of the graph.
    pub files: u64,
}

/// Writes the graph and the summary of a job into a folder, in the place of what an earlier export left there.
///
/// # Errors
/// [`DatasetError`] where the store or the folder cannot be used, or `directory/graph` holds something else.
pub async fn export(job: &JobStore, directory: &Path, summary: &Summary) -> Result<Exported, DatasetError> {
    check_folder(directory)?;
    let graph = directory.join("graph");
    let (fresh, stale) = (directory.join(".graph.new"), directory.join(".graph.old"));
    remove(&fresh)?;
    remove(&stale)?;
    fs::create_dir_all(&fresh).map_err(DatasetError::io("make", &fresh))?;
    let mut exported = Exported::default();
    for count in job.census().await? {
        write_type(job, &fresh, &count, &mut exported).await?;
    }
    if graph.exists() {
        fs::rename(&graph, &stale).map_err(DatasetError::io("replace", &graph))?;
    }
    fs::rename(&fresh, &graph).map_err(DatasetError::io("replace", &graph))?;
    remove(&stale)?;
    write_summary(directory, summary)?;
    Ok(exported)
}

fn remove(path: &Path) -> Result<(), DatasetError> {
    if path.exists() { fs::remove_dir_all(path).map_err(DatasetError::io("remove", path)) } else { Ok(()) }
}

/// Whether an export may go into a folder: what lies in `graph` must be an earlier export, a folder a step with the two
/// wrappers' folders in it.
///
/// # Errors
/// [`DatasetError::Foreign`] names what does not belong there.
pub fn check_folder(directory: &Path) -> Result<(), DatasetError> {
    let graph = &directory.join("graph");
    let wrappers = [Wrapper::Entities.folder(), Wrapper::Relationships.folder()];
    for step in names(graph)? {
        let foreign = match names(&graph.join(&step)) {
            Ok(inside) => {
                inside.into_iter().find(|name| !wrappers.contains(&name.as_str())).map(|name| format!("{step}/{name}"))
            }
            Err(_) => Some(step),
        };
        if let Some(found) = foreign {
            return Err(DatasetError::Foreign { path: graph.to_owned(), found });
        }
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>, DatasetError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(DatasetError::io("read", folder))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    names.collect::<Result<_, _>>().map_err(DatasetError::io("read", folder))
}

async fn write_type(job: &JobStore, graph: &Path, count: &Count, exported: &mut Exported) -> Result<(), DatasetError> {
    let wrapper = if count.kind == Kind::Entity { Wrapper::Entities } else { Wrapper::Relationships };
    let folder = graph.join(count.step.as_str()).join(wrapper.folder());
    fs::create_dir_all(&folder).map_err(DatasetError::io("make", &folder))?;
    let mut after: Option<ObjectKey> = None;
    let mut file: Option<ObjectFile> = None;
    let mut files = 0;
    loop {
        let page = job.step_page(count.step.clone(), count.object_type.clone(), after, PAGE).await?;
        for (_, json) in page.objects.iter() {
            if file.as_ref().is_none_or(|file| file.objects == FILE) {
                if let Some(full) = file.take() {
                    full.finish()?;
                }
                files += 1;
                file = Some(ObjectFile::begin(folder.join(format!("{}-{files:05}.json", count.object_type)), wrapper)?);
            }
            if let Some(file) = &mut file {
                file.add(json)?;
            }
            match wrapper {
                Wrapper::Entities => exported.entities += 1,
                Wrapper::Relationships => exported.relationships += 1,
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    exported.files += files;
    file.map_or(Ok(()), ObjectFile::finish)
}

/// A file of the layout while it is written: one object a line.
struct ObjectFile {
    path: PathBuf,
    out: BufWriter<File>,
    objects: usize,
}

impl ObjectFile {
    fn begin(path: PathBuf, wrapper: Wrapper) -> Result<Self, DatasetError> {
        let file = File::create(&path).map_err(DatasetError::io("write", &path))?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        write!(out, "{{\"{}\":[", wrapper.folder()).map_err(DatasetError::io("write", &path))?;
        Ok(Self { path, out, objects: 0 })
    }

    fn add(&mut self, json: &str) -> Result<(), DatasetError> {
        let separator: &[u8] = if self.objects == 0 { b"\n" } else { b",\n" };
        self.objects += 1;
        let written = self.out.write_all(separator).and_then(|()| self.out.write_all(json.as_bytes()));
        written.map_err(DatasetError::io("write", &self.path))
    }

    fn finish(mut self) -> Result<(), DatasetError> {
        let written = self.out.write_all(b"\n]}\n").and_then(|()| self.out.flush());
        written.map_err(DatasetError::io("write", &self.path))
    }
}

fn write_summary(directory: &Path, summary: &Summary) -> Result<(), DatasetError> {
    let (fresh, path) = (directory.join(".summary.json.new"), directory.join("summary.json"));
    let written =
        serde_json::to_vec_pretty(summary).map_err(std::io::Error::other).and_then(|json| fs::write(&fresh, json));
    written.and_then(|()| fs::rename(&fresh, &path)).map_err(DatasetError::io("write", &path))
}
