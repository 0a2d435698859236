//! The data model of an integration as Markdown, and the place for it in a file.

use std::collections::BTreeMap;
use std::fmt::Write;

use integration_sdk::config::Values;
use integration_sdk::graph::Direction;
use integration_sdk::{Integration, Plan};

use crate::report::text::list;

pub(crate) const BEGIN: &str = "<!-- data-model:begin -->";
pub(crate) const END: &str = "<!-- data-model:end -->";

/// A file around the place of the generated part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<'a> {
    before: &'a str,
    after: &'a str,
    has_markers: bool,
}

impl<'a> Page<'a> {
    /// Finds the markers; a file without any has the place at its end.
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (begins, ends): (Vec<_>, Vec<_>) = (lines_that_are(text, BEGIN), lines_that_are(text, END));
        match (begins.as_slice(), ends.as_slice()) {
            ([], []) => Ok(Self { before: text, after: "", has_markers: false }),
            ([begin], [end]) if begin < end => {
                Ok(Self { before: &text[..*begin], after: &text[*end + END.len()..], has_markers: true })
            }
            ([_], [_]) => Err("the markers of the data model stand in the wrong order"),
            ([], _) => Err("the data model has a marker of its end and none of its beginning"),
            (_, []) => Err("the data model has a marker of its beginning and none of its end"),
            _ => Err("there are several markers of the data model"),
        }
    }

    /// The file with a model in the place, with the line ends that the file has.
    pub(crate) fn with(&self, model: &str) -> String {
        let windows = self.before.contains("\r\n") || self.after.contains("\r\n");
        let gap = match (self.has_markers || self.before.is_empty(), self.before.ends_with('\n')) {
            (true, _) => "",
            (false, true) => "\n",
            (false, false) => "\n\n",
        };
        let after = if self.has_markers { self.after } else { "\n" };
        let part = format!("{gap}{BEGIN}\n{model}\n{END}");
        let part = if windows { part.replace('\n', "\r\n") } else { part };
        let after = if windows && !self.has_markers { "\r\n" } else { after };
        format!("{}{part}{after}", self.before)
    }
}

fn lines_that_are(text: &str, marker: &str) -> Vec<usize> {
    let is_line = |at: &usize| {
        let line = text[..*at].rfind('\n').map_or(0, |end| end + 1)..;
        text[line].lines().next().is_some_and(|line| line.trim() == marker)
    };
    text.match_indices(marker).map(|(at, _)| at).filter(is_line).collect()
}

/// Everything that an integration declares.
pub(crate) fn data_model(integration: &Integration, plan: &Plan) -> String {
    let by =
        format!("<!-- Written by `integration-{} document`: changes made by hand are lost. -->\n", integration.id());
    let parts = [
        by,
        entities(integration),
        relationships(integration),
        mapped_relationships(integration),
        steps(plan),
        sources(integration),
        configuration(integration),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// A heading and a table; nothing where there are no rows.
fn table<const N: usize>(title: &str, heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut text = format!("### {title}\n\n| {} |\n|{}\n", heads.join(" | "), " --- |".repeat(N));
    let mut empty = true;
    for row in rows {
        empty = false;
        let cells = row.map(|cell| cell.replace('|', "\\|").replace(['\n', '\r'], " "));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    if empty { String::new() } else { text }
}

fn code(name: impl std::fmt::Display) -> String {
    format!("`{name}`")
}

fn codes<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    list(names.into_iter().map(code))
}

fn yes(fact: bool) -> String {
    if fact { "yes" } else { "no" }.to_owned()
}

fn entities(integration: &Integration) -> String {
    let declared = integration.steps().iter().flat_map(|step| &step.declaration().entities);
    let by_type: BTreeMap<_, _> = declared.map(|entity| (&entity.object_type, entity)).collect();
    let rows = by_type.into_values().map(|entity| {
        let (name, classes) = (code(&entity.object_type), codes(entity.classes.iter().map(|class| class.as_str())));
        [entity.resource.clone(), name, classes, entity.description.clone()]
    });
    table("Entities", ["Resource", "`_type`", "`_class`", "Description"], rows)
}

fn relationships(integration: &Integration) -> String {
    let declared = integration.steps().iter().flat_map(|step| &step.declaration().relationships);
    let by_type: BTreeMap<_, _> = declared.map(|relationship| (&relationship.object_type, relationship)).collect();
    let rows = by_type.into_values().map(|relationship| {
        let (from, to) = (code(&relationship.from), code(&relationship.to));
        [from, format!("**{}**", relationship.class), to, code(&relationship.object_type)]
    });
    table("Relationships", ["From", "`_class`", "To", "`_type`"], rows)
}

fn mapped_relationships(integration: &Integration) -> String {
    let declared = integration.steps().iter().flat_map(|step| &step.declaration().mapped_relationships);
    let by_type: BTreeMap<_, _> = declared.map(|relationship| (&relationship.object_type, relationship)).collect();
    let rows = by_type.into_values().map(|relationship| {
        let direction = match relationship.direction {
            Direction::Forward => "forward",
            Direction::Reverse => "reverse",
        };
        let (source, target) = (code(&relationship.source), code(&relationship.target));
        [source, format!("**{}**", relationship.class), target, direction.to_owned(), code(&relationship.object_type)]
    });
    table("Mapped relationships", ["Source", "`_class`", "Target", "Direction", "`_type`"], rows)
}

fn steps(plan: &Plan) -> String {
    let rows = plan.steps().map(|step| {
        let declaration = step.declaration();
        let after = codes(plan.dependencies(step.id()).into_iter().map(|(id, _)| id));
        let source = declaration.source.as_ref().map(code).unwrap_or_default();
        [
            code(step.id()),
            declaration.name.clone(),
            after,
            codes(declaration.emits()),
            codes(&declaration.scopes),
            source,
        ]
    });
    table("Steps", ["Step", "Name", "Waits for", "Adds", "Scopes", "Source"], rows)
}

fn sources(integration: &Integration) -> String {
    let rows = integration
        .sources()
        .iter()
        .map(|source| [code(&source.id), source.title.clone(), yes(source.on_by_default), source.description.clone()]);
    table("Ingestion sources", ["Source", "Title", "On by default", "Description"], rows)
}

fn configuration(integration: &Integration) -> String {
    let names = Values::new(integration.id(), []);
    let rows = integration.fields().iter().map(|field| {
        [
            code(field.name),
            codes(names.variables_of(field.name)),
            field.kind.to_owned(),
            yes(!field.optional),
            yes(field.masked),
            field.default.map(code).unwrap_or_default(),
            field.description.to_owned(),
        ]
    });
    let heads = ["Field", "Variables", "Type", "Required", "Secret", "Default", "Description"];
    table("Configuration", heads, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_everything_around_its_place_and_is_stable() {
        let old = format!("# Space\n\n{BEGIN}\nold\n{END}\n\nMore.\n");
        let new = Page::parse(&old).expect("one pair").with("new");
        assert_eq!(new, format!("# Space\n\n{BEGIN}\nnew\n{END}\n\nMore.\n"));
        assert_eq!(Page::parse(&new).expect("one pair").with("new"), new);
    }

    #[test]
    fn a_page_without_markers_gets_them_at_its_end() {
        let new = Page::parse("# Space").expect("no markers").with("new");
        assert_eq!(new, format!("# Space\n\n{BEGIN}\nnew\n{END}\n"));
        assert_eq!(Page::parse(&new).expect("one pair").with("new"), new);
    }

    #[test]
    fn a_page_keeps_the_line_ends_of_windows() {
        let new = Page::parse("# Space\r\n").expect("no markers").with("a\nb");
        assert_eq!(new, format!("# Space\r\n\r\n{BEGIN}\r\na\r\nb\r\n{END}\r\n"));
        assert_eq!(Page::parse(&new).expect("one pair").with("a\nb"), new);
    }

    #[test]
    fn markers_that_do_not_pair_are_an_error_and_quoted_ones_are_text() {
        let wrong = [format!("{END}\n{BEGIN}\n"), BEGIN.to_owned(), format!("{BEGIN}\n{BEGIN}\n{END}\n")];
        assert!(wrong.iter().all(|text| Page::parse(text).is_err()));
        let quoted = format!("Between `{BEGIN}` and `{END}`.\n");
        assert!(!Page::parse(&quoted).expect("text").has_markers);
    }
}
