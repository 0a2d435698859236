//! The page around a drawing: one self-contained file with tables of the same data.

use crate::escape::xml;
use crate::theme;

/// The contents of the page.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    pub(crate) facts: &'a [String],
    /// The `<svg>` element.
    pub(crate) drawing: &'a str,
    pub(crate) tables: &'a [Table],
}

/// A table whose first column names the subject of the row.
pub(crate) struct Table {
    pub(crate) caption: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// The head of a column.
#[derive(Clone)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) class: &'static str,
}

/// The contents of a cell, line by line.
#[derive(Default)]
pub(crate) struct Cell {
    pub(crate) class: &'static str,
    pub(crate) words: Vec<String>,
    pub(crate) code: Vec<String>,
}

/// The policy of the page, which may load, run, send, or embed nothing.
///
/// Its style sheets cannot refer to addresses either.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

impl Column {
    pub(crate) fn text(title: &'static str) -> Column {
        Column { title, class: "" }
    }

    pub(crate) fn number(title: &'static str) -> Column {
        Column { title, class: "number" }
    }
}

impl Cell {
    pub(crate) fn words(text: impl Into<String>) -> Cell {
        Cell { words: vec![text.into()], ..Cell::default() }
    }

    pub(crate) fn number(text: impl Into<String>) -> Cell {
        Cell { class: "number", ..Cell::words(text) }
    }

    pub(crate) fn code(lines: &[String]) -> Cell {
        Cell { code: lines.to_vec(), ..Cell::default() }
    }

    fn html(&self, tag: &str, scope: &str) -> String {
        let words = self.words.iter().map(|line| xml(line));
        let code = self.code.iter().map(|line| format!("<code>{}</code>", xml(line)));
        let lines: Vec<String> = words.chain(code).collect();
        format!("<{tag}{scope}{}>{}</{tag}>", class(self.class), lines.join("<br>"))
    }
}

impl Page<'_> {
    /// Returns the whole document.
    pub(crate) fn html(&self) -> String {
        let title = if self.title.trim().is_empty() { "Integration" } else { self.title };
        let facts: String = self.facts.iter().map(|fact| format!("<p class=\"lead\">{}</p>\n", xml(fact))).collect();
        let tables: String = self.tables.iter().map(Table::html).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<title>{title}</title>\n<style>{style}</style>\n\
             </head>\n<body>\n<main>\n<h1>{title}</h1>\n{facts}\
             <figure role=\"region\" aria-label=\"Picture\" tabindex=\"0\">\n{drawing}</figure>\n{tables}\
             </main>\n</body>\n</html>\n",
            title = xml(title),
            style = theme::page(),
            drawing = self.drawing,
        )
    }
}

impl Table {
    fn html(&self) -> String {
        let head: String = self
            .columns
            .iter()
            .map(|column| format!("<th scope=\"col\"{}>{}</th>", class(column.class), column.title))
            .collect();
        let rows: String = self.rows.iter().map(|row| format!("<tr>{}</tr>\n", row_html(row))).collect();
        format!(
            "<h2>{caption}</h2>\n<div class=\"sheet\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n<table>\n\
             <caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n",
            caption = self.caption,
        )
    }
}

fn row_html(row: &[Cell]) -> String {
    let mut cells = row.iter();
    let first = cells.next().map(|cell| cell.html("th", " scope=\"row\"")).unwrap_or_default();
    first + &cells.map(|cell| cell.html("td", "")).collect::<String>()
}

fn class(class: &str) -> String {
    if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") }
}
