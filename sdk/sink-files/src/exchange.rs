//! The exchange layout: the graph of one instance for tools that read `graph/` and `summary.json`.
//!
//! The files of the graph are the same as those of `dataset::export` in integration-sdk. The layout has no place for
//! the limits of a transfer, and its readers delete everything that is absent, so it takes whole snapshots of one
//! instance only.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use integration_files::owner_only::Folder;
use integration_files::staging::Staging;
use integration_graph::run::Summary as JobSummary;
use integration_graph::{ObjectType, StepId};
use integration_sink::{Batch, BlockingSink, Capabilities, Manifest, Record, Report, Scope, SinkError, TransferKind};
use integration_store::Kind;

use crate::folder_manifest::{self, Earlier};
use crate::output::Output;
use crate::table_folder::file_name;

const GRAPH: &str = "graph";
const SUMMARY: &str = "summary.json";
/// The maximum number of objects in a file, for tools that read whole files.
const OBJECTS: u64 = 10_000;

/// A sink that writes the exchange layout.
pub struct Exchange {
    path: PathBuf,
    summary: JobSummary,
    transfer: Option<Transfer>,
}

struct Transfer {
    staging: Staging,
    root: Folder,
    graph: Folder,
    folders: BTreeMap<String, Folder>,
    manifest: Manifest,
    /// The files of the current type by step.
    open: BTreeMap<StepId, ObjectFile>,
    current: Option<(Kind, ObjectType)>,
    files: Vec<String>,
    report: Report,
    bytes: u64,
}

/// A file with one object per line.
struct ObjectFile {
    out: Output,
    path: String,
    objects: u64,
    number: u64,
}

impl Exchange {
    /// Creates a sink that writes this folder, with the summary of the job that published the graph.
    pub fn new(path: &Path, summary: JobSummary) -> Self {
        Self { path: path.to_owned(), summary, transfer: None }
    }
}

impl Transfer {
    fn object(&mut self, batch: &Batch, record: &Record) -> io::Result<()> {
        let step = &record.object.step;
        let number = match self.open.get(step) {
            Some(file) if file.objects < OBJECTS => None,
            Some(file) => Some(file.number + 1),
            None => Some(1),
        };
        if let Some(number) = number {
            if let Some(full) = self.open.remove(step) {
                self.bytes += full.finish()?;
            }
            let file = self.create(batch, step, number)?;
            self.open.insert(step.clone(), file);
        }
        match self.open.get_mut(step) {
            Some(file) => file.add(&record.object.json().joined()),
            None => Ok(()),
        }
    }

    fn create(&mut self, batch: &Batch, step: &StepId, number: u64) -> io::Result<ObjectFile> {
        let wrapper = if batch.kind == Kind::Entity { "entities" } else { "relationships" };
        if !self.folders.contains_key(step.as_str()) {
            self.folders.insert(step.to_string(), self.graph.create_folder(step.as_str())?);
        }
        let inner = format!("{step}/{wrapper}");
        if !self.folders.contains_key(&inner) {
            let folder = self.folders[step.as_str()].create_folder(wrapper)?;
            self.folders.insert(inner.clone(), folder);
        }
        let name = format!("{}-{number:05}.json", file_name(&batch.object_type));
        let mut out = Output::new(self.folders[&inner].create_new(&name)?);
        write!(out, "{{\"{wrapper}\":[")?;
        let path = format!("{GRAPH}/{inner}/{name}");
        self.files.push(path.clone());
        Ok(ObjectFile { out, path, objects: 0, number })
    }

    fn end_type(&mut self) -> io::Result<()> {
        for file in std::mem::take(&mut self.open).into_values() {
            self.bytes += file.finish()?;
        }
        Ok(())
    }
}

impl ObjectFile {
    fn add(&mut self, json: &str) -> io::Result<()> {
        let separator: &[u8] = if self.objects == 0 { b"\n" } else { b",\n" };
        self.objects += 1;
        self.out.write_all(separator)?;
        self.out.write_all(json.as_bytes())
    }

    fn finish(mut self) -> io::Result<u64> {
        let written = self.out.write_all(b"\n]}\n").and_then(|()| self.out.finish());
        written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path)))
    }
}

impl BlockingSink for Exchange {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: false, changes: false, raw: true }
    }

    fn begin(&mut self, manifest: &Manifest) -> Result<(), SinkError> {
        let is_whole = manifest.transfer == TransferKind::Whole && manifest.scope == Scope::All;
        if !is_whole || manifest.snapshots.len() > 1 {
            let message = "the exchange layout contains the whole graph of one instance, because its readers delete \
                           absent objects; select one instance and all types, or choose ndjson";
            return Err(SinkError::Unsuitable(message.to_owned()));
        }
        let target = self.path.display().to_string();
        let staging = Staging::open(&self.path).map_err(SinkError::target("write to", &target))?;
        Earlier::read(&staging, &target)?;
        let root = staging.create_folder().map_err(SinkError::target("write to", &target))?;
        let graph = root.create_folder(GRAPH).map_err(SinkError::target("write to", &target))?;
        self.transfer = Some(Transfer {
            staging,
            root,
            graph,
            folders: BTreeMap::new(),
            manifest: manifest.clone(),
            open: BTreeMap::new(),
            current: None,
            files: Vec::new(),
            report: Report::default(),
            bytes: 0,
        });
        Ok(())
    }

    fn add(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let Some(transfer) = &mut self.transfer else { return Err(SinkError::Stopped) };
        let write = |transfer: &mut Transfer| {
            let current = Some((batch.kind, batch.object_type.clone()));
            if transfer.current != current {
                transfer.end_type()?;
                transfer.current = current;
            }
            batch.records.iter().try_for_each(|record| transfer.object(batch, record))
        };
        write(transfer).map_err(SinkError::target("write", &batch.object_type))?;
        transfer.report.of(batch.kind, &batch.object_type).written += batch.records.len() as u64;
        Ok(())
    }

    fn end(&mut self) -> Result<Report, SinkError> {
        let Some(mut transfer) = self.transfer.take() else { return Err(SinkError::Stopped) };
        let target = self.path.display().to_string();
        let failed = || SinkError::target::<io::Error>("write to", &target);
        transfer.end_type().map_err(failed())?;
        let Transfer { staging, root, graph, folders, manifest, mut files, mut report, bytes, .. } = transfer;
        let summarise = || {
            let mut file = root.create_new(SUMMARY)?;
            file.write_all(&serde_json::to_vec_pretty(&self.summary)?)?;
            file.sync_all()
        };
        summarise().map_err(failed())?;
        report.files = Some(files.len() as u64);
        files.push(SUMMARY.to_owned());
        folder_manifest::write(&root, "exchange", &manifest, &[], &files).map_err(failed())?;
        folders.values().chain([&graph, &root]).try_for_each(Folder::sync).map_err(failed())?;
        Earlier::read(&staging, &target)?;
        staging.publish_folder().map_err(failed())?;
        report.bytes = Some(bytes);
        Ok(report)
    }

    fn discard(&mut self) {
        self.transfer = None;
    }
}
