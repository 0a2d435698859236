//! The types as a page: the drawing, then tables of the entities and the relationships.

use super::links::{Links, facts};
use super::model::TypeGraph;
use super::svg::svg;
use crate::html::{Cell, Column, Page, Table};
use crate::number::grouped;
use crate::svg::Setting;

pub(super) fn html(graph: &TypeGraph) -> String {
    let page = Page {
        title: &graph.title,
        facts: &facts(graph),
        drawing: &svg(graph, Setting::InPage),
        tables: &[entities(graph), relationships(graph)],
    };
    page.html()
}

fn entities(graph: &TypeGraph) -> Table {
    let declared = graph.entities.iter().map(|entity| {
        let owner = if entity.mapped { "another source" } else { "this integration" };
        vec![
            Cell::words(entity.name()),
            Cell::code(std::slice::from_ref(&entity.object_type)),
            Cell { words: entity.classes.clone(), ..Cell::default() },
            Cell::words(owner),
            count(entity.count),
        ]
    });
    let missing = Links::of(graph).missing.into_iter().map(|object_type| {
        let remark = Cell { class: "state missing", ..Cell::words("✗ declared by nobody") };
        vec![Cell::words(""), Cell::code(&[object_type]), Cell::default(), remark, Cell::default()]
    });
    let mut columns = ["Resource", "Type", "Class", "Owner"].map(Column::text).to_vec();
    columns.push(Column::number("Count"));
    Table { caption: "Entities", columns, rows: declared.chain(missing).collect() }
}

fn relationships(graph: &TypeGraph) -> Table {
    let row = |edge: &super::TypeEdge| {
        vec![
            Cell::code(std::slice::from_ref(&edge.object_type)),
            Cell::code(std::slice::from_ref(&edge.from)),
            Cell::words(&edge.class),
            Cell::code(std::slice::from_ref(&edge.to)),
            Cell::words(if edge.mapped { "mapped" } else { "direct" }),
            count(edge.count),
        ]
    };
    let mut columns = ["Type", "From", "Class", "To", "Kind"].map(Column::text).to_vec();
    columns.push(Column::number("Count"));
    Table { caption: "Relationships", columns, rows: graph.relationships.iter().map(row).collect() }
}

fn count(count: Option<u64>) -> Cell {
    Cell { class: "number", words: count.map(grouped).into_iter().collect(), ..Cell::default() }
}
