//! Common parts of the Mermaid pictures: the head, the box of a missing item, and classes.

use crate::escape::{mermaid as escaped, quoted};

/// The style of missing items.
pub(crate) const MISSING: &str = "stroke:#cf222e,stroke-dasharray:5 4";

/// Returns the lines before the boxes. The title lists missing data, because every renderer shows it.
pub(crate) fn head(title: &str, missing: &[String]) -> String {
    let parts: Vec<&str> = [title].into_iter().chain(missing.iter().map(String::as_str)).collect();
    let title = parts.into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(" · ");
    let title = if title.is_empty() { String::new() } else { format!("---\ntitle: {}\n---\n", quoted(&title)) };
    title + "flowchart LR\n"
}

/// The box of an item that is referenced but missing.
pub(crate) fn missing(id: &str, name: &str, why: &str) -> String {
    format!("  {id}[\"{}<br/>{why}\"]\n", escaped(name))
}

/// Applies a style to boxes. It sets borders only, so that the reader's theme determines all other colours.
pub(crate) fn class(name: &str, style: &str, members: &[String]) -> String {
    if members.is_empty() {
        return String::new();
    }
    format!("  classDef {name} {style}\n  class {} {name}\n", members.join(","))
}
