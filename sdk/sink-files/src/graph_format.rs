//! Formats of graphs in one file.

use std::io;

use integration_sink::{Manifest, Record, Replacement};
use integration_store::SnapshotId;

use crate::output::Output;

/// A format of graphs in one file.
pub(crate) trait GraphFormat: Send {
    fn needs_columns(&self) -> bool;
    fn takes_raw(&self) -> bool;
    /// The text that the files of the format begin with. It names this program, so that no other file is replaced.
    fn mark(&self) -> &'static str;
    /// Writes everything between the mark and the first node.
    fn begin(&mut self, manifest: &Manifest, out: &mut Output) -> io::Result<()>;
    fn node(&mut self, node: &Node<'_>, out: &mut Output) -> io::Result<()>;
    fn edge(&mut self, edge: &Edge<'_>, out: &mut Output) -> io::Result<()>;
    fn end(&mut self, out: &mut Output) -> io::Result<()>;
    /// The characters that the format has no place for.
    fn replaces(&self) -> Option<Replacement> {
        None
    }
    /// The form of a second document, if the format has one.
    fn companion(&self) -> Option<Companion> {
        None
    }
    /// Returns the text of the second document.
    fn companion_text(&self) -> String {
        String::new()
    }
}

/// A second document next to the graph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Companion {
    /// The ending of its name.
    pub(crate) ending: &'static str,
    /// Returns whether a text is such a document of this program.
    pub(crate) is_own: fn(&[u8]) -> bool,
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
