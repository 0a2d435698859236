//! The explorer: a collected graph as one HTML file that a browser opens from disk.
//!
//! ```
//! use integration_view::explorer::{self, GraphEdge, GraphNode, GraphPicture};
//!
//! let node = |key: &str, object_type: &str| GraphNode {
//!     key: key.into(),
//!     object_type: object_type.into(),
//!     ..GraphNode::default()
//! };
//! let graph = GraphPicture {
//!     title: "Heroku".into(),
//!     nodes: vec![node("account-1", "heroku_account"), node("team-1", "heroku_team")],
//!     edges: vec![GraphEdge {
//!         key: "account-1|has|team-1".into(),
//!         object_type: "heroku_account_has_team".into(),
//!         class: "HAS".into(),
//!         from: "account-1".into(),
//!         to: "team-1".into(),
//!         ..GraphEdge::default()
//!     }],
//!     ..GraphPicture::default()
//! };
//! let mut page = Vec::new();
//! explorer::write_html(&graph, &mut page)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The stages of a page:
//!
//! ```text
//!   GraphPicture ─> index: numbers for keys ─> hierarchy: one owner per node ─> discs: the map, laid out by rings
//!                                                                                   and forces ─> data ─> page
//! ```
//!
//! Positions are computed here, in parallel, so that the page only draws. Equal graphs yield equal bytes, independent
//! of the order of the objects and the number of threads. Names and properties enter the page as data, never as markup.
//! The policy of the page allows its own script by hash, and forbids loading or sending anything.

mod data;
mod discs;
mod forces;
mod hierarchy;
mod index;
mod page;
mod rim;
mod rings;
mod script_safe;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write};

pub use crate::graph::{Change, GraphEdge, GraphNode, GraphPicture};

use crate::escape::xml;
use index::Index;

/// Writes the page. It fails only if `out` fails.
pub fn write_html(graph: &GraphPicture, out: &mut impl Write) -> io::Result<()> {
    let index = Index::of(graph);
    let map = discs::map(&index);
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let title = if graph.title.trim().is_empty() { "Integration" } else { &graph.title };
    out.write_all(page::head(title).as_bytes())?;
    out.write_all(b"<body>\n")?;
    let missing: String = graph.missing.iter().map(|line| format!("<p>{}</p>", xml(line))).collect();
    let missing = match missing.is_empty() {
        true => String::new(),
        false => format!("<div id=\"missing\" role=\"note\">{missing}</div>\n"),
    };
    let body = page::body(title, &graph.subtitle, &missing);
    out.write_all(body.as_bytes())?;
    out.write_all(b"<script type=\"application/json\" id=\"graph\">")?;
    data::write_columns(graph, &index, &map, &mut out)?;
    write!(out, "</script>\n<script>{}</script>\n", page::script())?;
    data::write_objects(&index, &map, &mut out)?;
    out.write_all(b"</body>\n</html>\n")?;
    out.flush()
}
