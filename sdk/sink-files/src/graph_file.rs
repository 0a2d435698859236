//! A graph in one file: nodes, then edges.
//!
//! A node has the id `INTEGRATION/INSTANCE/KEY`, so that instances with equal keys stay apart, and an id stays the
//! same when another instance is added. An edge whose end is not part of the transfer is skipped, because readers
//! reject it.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use integration_files::owner_only::Kind as EntryKind;
use integration_files::staging::Staging;
use integration_graph::ObjectKey;
use integration_sink::{Batch, BlockingSink, Capabilities, Manifest, Record, Report, SinkError};
use integration_store::{Kind, SnapshotId};

use crate::graph_ml::GraphMl;
use crate::json_graph::JsonGraph;
use crate::open_graph::OpenGraph;
use crate::output::Output;

/// A format of graphs in one file.
pub(crate) trait GraphFormat: Send {
    fn needs_columns(&self) -> bool;
    fn takes_raw(&self) -> bool;
    fn begin(&mut self, manifest: &Manifest, out: &mut Output) -> io::Result<()>;
    fn node(&mut self, node: &Node<'_>, out: &mut Output) -> io::Result<()>;
    fn edge(&mut self, edge: &Edge<'_>, out: &mut Output) -> io::Result<()>;
    fn end(&mut self, out: &mut Output) -> io::Result<()>;
    /// Returns a second document with the ending of its name.
    fn companion(&self) -> Option<(&'static str, String)> {
        None
    }
}

/// An entity.
pub(crate) struct Node<'a> {
    pub(crate) id: String,
    /// A digest of the id.
    pub(crate) digest: u64,
    pub(crate) record: &'a Record,
    pub(crate) snapshot: &'a SnapshotId,
}

/// A relationship with the ids and digests of both ends.
pub(crate) struct Edge<'a> {
    pub(crate) from: (String, u64),
    pub(crate) to: (String, u64),
    pub(crate) record: &'a Record,
    pub(crate) snapshot: &'a SnapshotId,
}

/// A sink that writes a graph into one file.
pub struct GraphFile {
    path: PathBuf,
    format: Box<dyn GraphFormat>,
    transfer: Option<Transfer>,
}

struct Transfer {
    staging: Staging,
    out: Output,
    manifest: Manifest,
    /// The digests of the nodes.
    nodes: HashSet<u64>,
    report: Report,
}

impl GraphFile {
    /// Creates a sink for BloodHound. The extension schema has the same name with the ending `.extension.json`.
    pub fn open_graph(path: &Path) -> Self {
        Self::new(path, OpenGraph::default())
    }

    /// Creates a sink for Gephi, yEd, and NetworkX.
    pub fn graph_ml(path: &Path) -> Self {
        Self::new(path, GraphMl::default())
    }

    /// Creates a sink for D3, Cytoscape, and other JavaScript libraries.
    pub fn json_graph(path: &Path) -> Self {
        Self::new(path, JsonGraph::default())
    }

    fn new(path: &Path, format: impl GraphFormat + 'static) -> Self {
        Self { path: path.to_owned(), format: Box::new(format), transfer: None }
    }
}

/// Returns the beginning of the ids of a snapshot's nodes.
pub(crate) fn prefix(snapshot: &SnapshotId) -> String {
    let instance = snapshot.instance.as_str().replace('%', "%25").replace('/', "%2F");
    format!("{}/{instance}/", snapshot.integration)
}

/// Returns the id of a node, and its digest.
pub(crate) fn named(prefix: &str, key: &ObjectKey) -> (String, u64) {
    let id = format!("{prefix}{key}");
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    (id, hasher.finish())
}

impl BlockingSink for GraphFile {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: self.format.needs_columns(), changes: false, raw: self.format.takes_raw() }
    }

    fn begin(&mut self, manifest: &Manifest) -> Result<(), SinkError> {
        let staging = Staging::open(&self.path).map_err(SinkError::target("write to", self.path.display()))?;
        let mut create = || {
            if !matches!(staging.target()?, None | Some(EntryKind::File)) {
                return Err(io::Error::other("it is not a regular file"));
            }
            let mut out = Output::new(staging.create_file()?);
            self.format.begin(manifest, &mut out)?;
            Ok(out)
        };
        let out = create().map_err(SinkError::target("write to", self.path.display()))?;
        let (nodes, report) = (HashSet::new(), Report::default());
        self.transfer = Some(Transfer { staging, out, manifest: manifest.clone(), nodes, report });
        Ok(())
    }

    fn add(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let Some(transfer) = &mut self.transfer else { return Err(SinkError::Stopped) };
        let Transfer { out, manifest, nodes, report, .. } = transfer;
        let snapshot = &manifest.snapshots[batch.snapshot].id;
        let prefix = prefix(snapshot);
        let report = report.of(batch.kind, &batch.object_type);
        let mut object = |record: &Record| {
            let key = &record.object.key;
            match (batch.kind, &record.object.ends) {
                (Kind::Entity, _) => {
                    let (id, digest) = named(&prefix, key);
                    nodes.insert(digest);
                    self.format.node(&Node { id, digest, record, snapshot }, out)?;
                }
                (Kind::Relationship, Some((from, to))) => {
                    let (from, to) = (named(&prefix, from), named(&prefix, to));
                    if !nodes.contains(&from.1) || !nodes.contains(&to.1) {
                        report.skip("an end is not part of the transfer", key.as_str());
                        return Ok(());
                    }
                    self.format.edge(&Edge { from, to, record, snapshot }, out)?;
                }
                _ => {
                    report.skip("it is a mapped relationship, whose target is in another graph", key.as_str());
                    return Ok(());
                }
            }
            report.written += 1;
            Ok::<_, io::Error>(())
        };
        batch.records.iter().try_for_each(&mut object).map_err(SinkError::target("write to", self.path.display()))
    }

    fn end(&mut self) -> Result<Report, SinkError> {
        let Some(Transfer { staging, mut out, mut report, .. }) = self.transfer.take() else {
            return Err(SinkError::Stopped);
        };
        let publish = || {
            self.format.end(&mut out)?;
            report.bytes = Some(out.finish()?);
            report.files = Some(1);
            if let Some((ending, document)) = self.format.companion() {
                let path = self.path.with_extension(ending);
                let second = Staging::open(&path).map_err(io::Error::other)?;
                let mut out = Output::new(second.create_file()?);
                out.write_all(document.as_bytes())?;
                out.finish()?;
                second.publish_file()?;
                report.files = Some(2);
                report.remarks.push(format!("the extension schema is in {}", path.display()));
            }
            staging.publish_file()?;
            Ok::<_, io::Error>(report)
        };
        publish().map_err(SinkError::target("write to", self.path.display()))
    }

    fn discard(&mut self) {
        self.transfer = None;
    }
}
