//! The tree of a query's result as a picture.

use integration_sdk::graph::Properties;
use integration_view::explorer;
use integration_view::graph::{self, Change, GraphEdge, GraphNode, GraphPicture, Limit};
use serde_json::Value;

use crate::failure::Failure;
use crate::report::answer;
use crate::report::text::counted;

/// A form of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PictureForm {
    /// A page for a browser.
    Page,
    Svg,
    Dot,
    Mermaid,
}

/// Draws the walked entities and relationships.
pub(super) fn draw(
    form: PictureForm,
    title: &str,
    vertices: &[Properties],
    edges: &[Properties],
) -> Result<String, Failure> {
    let limit = match form {
        PictureForm::Dot => Limit::DOT,
        PictureForm::Mermaid => Limit::MERMAID,
        PictureForm::Svg => Limit::SVG,
        PictureForm::Page => Limit::PAGE,
    };
    let (entities, relationships) = (vertices.len() as u64, edges.len() as u64);
    if !limit.allows(entities, relationships) {
        return Err(Failure::Usage(format!(
            "the result is too large for a picture: it has {} and {}; add a filter or LIMIT",
            counted(entities, "entity", "entities"),
            counted(relationships, "relationship", "relationships")
        )));
    }
    let picture = GraphPicture {
        title: title.to_owned(),
        subtitle: "result of a query".to_owned(),
        missing: Vec::new(),
        nodes: vertices.iter().map(node).collect(),
        edges: edges.iter().map(edge).collect(),
    };
    Ok(match form {
        PictureForm::Dot => graph::dot(&picture),
        PictureForm::Mermaid => graph::mermaid(&picture),
        PictureForm::Svg => graph::svg(&picture),
        PictureForm::Page => {
            let mut page = Vec::new();
            // Writing to memory does not fail.
            explorer::write_html(&picture, &mut page).map_err(Failure::Stdout)?;
            String::from_utf8_lossy(&page).into_owned()
        }
    })
}

fn node(entity: &Properties) -> GraphNode {
    let classes = match entity.get("_class") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(name)) => vec![name.clone()],
        _ => Vec::new(),
    };
    GraphNode {
        key: text(entity, "_key"),
        object_type: text(entity, "_type"),
        classes,
        name: answer::name_of(entity).unwrap_or_default().to_owned(),
        json: Value::Object(entity.clone()).to_string(),
        change: Change::Same,
    }
}

fn edge(relationship: &Properties) -> GraphEdge {
    GraphEdge {
        key: text(relationship, "_key"),
        object_type: text(relationship, "_type"),
        class: text(relationship, "_class"),
        from: text(relationship, "_fromEntityKey"),
        to: text(relationship, "_toEntityKey"),
        json: Value::Object(relationship.clone()).to_string(),
        change: Change::Same,
    }
}

fn text(object: &Properties, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
