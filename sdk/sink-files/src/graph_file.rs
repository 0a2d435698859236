//! A graph in one file: nodes, then edges.
//!
//! A node has the id `INTEGRATION/INSTANCE/KEY`, so that instances with equal keys stay apart, and an id stays the
//! same when another instance is added. An edge whose end is not part of the transfer is skipped, because readers
//! reject it.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use integration_files::input;
use integration_files::owner_only::Kind as EntryKind;
use integration_files::staging::Staging;
use integration_graph::ObjectKey;
use integration_sink::{Batch, BlockingSink, Capabilities, Manifest, Record, Report, SinkError};
use integration_store::{Kind, SnapshotId};

use crate::graph_format::{Companion, Edge, GraphFormat, Node};
use crate::graph_ml::GraphMl;
use crate::json_graph::JsonGraph;
use crate::open_graph::OpenGraph;
use crate::output::Output;

/// A sink that writes a graph into one file.
pub struct GraphFile {
    path: PathBuf,
    format: Box<dyn GraphFormat>,
    transfer: Option<Transfer>,
}

struct Transfer {
    staging: Staging,
    companion: Option<(Companion, PathBuf, Staging)>,
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

impl Companion {
    fn check(self, staging: &Staging, path: &Path) -> Result<(), SinkError> {
        let failed = || SinkError::target::<io::Error>("read", path.display());
        let Some(kind) = staging.target().map_err(failed())? else { return Ok(()) };
        let mut text = Vec::new();
        if kind == EntryKind::File {
            let file = staging.target_file().map_err(failed())?;
            file.take(input::DOCUMENT).read_to_end(&mut text).map_err(failed())?;
        }
        if (self.is_own)(&text) { Ok(()) } else { Err(foreign(path)) }
    }
}

/// Checks that a target is absent, or a file of this program.
fn check_mark(staging: &Staging, path: &Path, mark: &str) -> Result<(), SinkError> {
    let check = || Ok(staging.target()?.is_none() || staging.is_marked(mark.as_bytes())?);
    match check().map_err(SinkError::target::<io::Error>("read", path.display()))? {
        true => Ok(()),
        false => Err(foreign(path)),
    }
}

fn foreign(path: &Path) -> SinkError {
    SinkError::Unsuitable(format!(
        "{} is not a file that an export wrote; choose another name, or remove it first",
        path.display()
    ))
}

impl BlockingSink for GraphFile {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: self.format.needs_columns(), changes: false, raw: self.format.takes_raw() }
    }

    fn begin(&mut self, manifest: &Manifest) -> Result<(), SinkError> {
        let open = |path: &Path| Staging::open(path).map_err(SinkError::target("write to", path.display()));
        let staging = open(&self.path)?;
        check_mark(&staging, &self.path, self.format.mark())?;
        let companion = match self.format.companion() {
            Some(companion) => {
                let path = self.path.with_extension(companion.ending);
                let staging = open(&path)?;
                companion.check(&staging, &path)?;
                Some((companion, path, staging))
            }
            None => None,
        };
        let mut create = || {
            let mut out = Output::new(staging.create_file()?);
            out.write_all(self.format.mark().as_bytes())?;
            self.format.begin(manifest, &mut out)?;
            Ok::<_, io::Error>(out)
        };
        let out = create().map_err(SinkError::target("write to", self.path.display()))?;
        let (nodes, report) = (HashSet::new(), Report::default());
        self.transfer = Some(Transfer { staging, companion, out, manifest: manifest.clone(), nodes, report });
        Ok(())
    }

    fn add(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let Some(transfer) = &mut self.transfer else { return Err(SinkError::Stopped) };
        let Transfer { out, manifest, nodes, report, .. } = transfer;
        let snapshot = &manifest.snapshots[batch.snapshot].id;
        let prefix = prefix(snapshot);
        let report = report.of(batch.kind, &batch.object_type);
        let replacement = self.format.replaces();
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
            if let Some(replacement) = &replacement {
                replacement.note(record, report);
            }
            Ok::<_, io::Error>(())
        };
        batch.records.iter().try_for_each(&mut object).map_err(SinkError::target("write to", self.path.display()))
    }

    fn end(&mut self) -> Result<Report, SinkError> {
        let Some(Transfer { staging, companion, mut out, mut report, .. }) = self.transfer.take() else {
            return Err(SinkError::Stopped);
        };
        let failed = || SinkError::target::<io::Error>("write to", self.path.display());
        self.format.end(&mut out).map_err(failed())?;
        report.bytes = Some(out.finish().map_err(failed())?);
        report.files = Some(1);
        // Other files may have got these names while the graph was written.
        check_mark(&staging, &self.path, self.format.mark())?;
        if let Some((companion, path, second)) = companion {
            companion.check(&second, &path)?;
            let write = || {
                let mut out = Output::new(second.create_file()?);
                out.write_all(self.format.companion_text().as_bytes())?;
                out.finish()?;
                second.publish_file()
            };
            write().map_err(SinkError::target("write to", path.display()))?;
            report.files = Some(2);
            report.remarks.push(format!("the extension schema is in {}", path.display()));
        }
        staging.publish_file().map_err(failed())?;
        Ok(report)
    }

    fn discard(&mut self) {
        self.transfer = None;
    }
}
