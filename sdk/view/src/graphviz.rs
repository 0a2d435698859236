//! Common parts of the Graphviz pictures: the head, and the box of a missing item.

use crate::escape::dot as escaped;

/// The properties in which the pictures differ.
pub(crate) struct Look {
    /// The space between columns.
    pub(crate) columns_apart: &'static str,
    /// The colour of arrow labels.
    pub(crate) label: &'static str,
    /// The size of arrow labels.
    pub(crate) label_size: u8,
}

/// Returns the lines before the boxes. Lines have a grey that is visible on white and on black.
pub(crate) fn head(name: &str, title: &str, missing: &[String], look: &Look) -> String {
    let Look { columns_apart, label, label_size } = look;
    let font = "fontname=\"Helvetica,Arial,sans-serif\"";
    let mut out = format!(
        "digraph {name} {{\n  \
         graph [rankdir=LR, ranksep={columns_apart}, nodesep=0.35, labelloc=t, {font}];\n  \
         node [shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\", color=\"#87919c\", {font}, fontsize=12, \
         margin=\"0.2,0.1\"];\n  \
         edge [color=\"#87919c\", fontcolor=\"{label}\", {font}, fontsize={label_size}, arrowsize=0.8];\n"
    );
    let lines = [title].into_iter().chain(missing.iter().map(String::as_str));
    let lines: Vec<String> = lines.filter(|line| !line.trim().is_empty()).map(escaped).collect();
    if !lines.is_empty() {
        out += &format!("  label=\"{}\";\n", lines.join("\\n"));
    }
    out.push('\n');
    out
}

/// The box of an item that is referenced but missing.
pub(crate) fn missing(id: &str, name: &str, why: &str) -> String {
    let name = escaped(name);
    format!("  {id} [label=\"{name}\\n{why}\", style=\"rounded,dashed\", color=\"#cf222e\", fontcolor=\"#cf222e\"];\n")
}
