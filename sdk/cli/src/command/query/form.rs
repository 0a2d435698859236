//! The output formats of a query's result.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;
use integration_query::{Answer, ApiData, ApiObjects, QueryResult};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::{Value, json};

use super::picture::{self, PictureForm};
use crate::console;
use crate::context::Context;
use crate::failure::Failure;
use crate::limits::Limits;
use crate::report::answer::{self, csv};
use crate::style::printable_path;
use crate::visible::VisibleJson;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A table for people
    Text,
    /// One JSON document in the shapes of JupiterOne's API
    Json,
    /// One JSON document for each row
    Ndjson,
    /// Comma-separated values for spreadsheets
    Csv,
    /// A page for a browser; only for RETURN TREE
    Html,
    /// A picture of up to 200 entities; only for RETURN TREE
    Svg,
    /// Source for Graphviz; only for RETURN TREE
    Dot,
    /// Source for Mermaid; only for RETURN TREE
    Mermaid,
}

impl Form {
    /// Returns the format of the option, of the file name, or text.
    pub(super) fn of(format: Option<Form>, output: Option<&Path>) -> Result<Form, Failure> {
        let form = match (format, output) {
            (Some(form), _) => form,
            (None, None) => Form::Text,
            (None, Some(path)) => Self::of_file(path).ok_or_else(|| {
                Failure::Usage(format!(
                    "the name {} does not determine the format: use .txt, .json, .ndjson, .csv, .html, .svg, .dot or .mmd, \
                     or add --format",
                    printable_path(path)
                ))
            })?,
        };
        if form == Form::Html && output.is_none() {
            return Err(Failure::Usage("a page is written to a file: add --output FILE".to_owned()));
        }
        Ok(form)
    }
}

impl Form {
    /// Returns the form of the picture, if the format is one.
    fn picture(self) -> Option<PictureForm> {
        match self {
            Form::Html => Some(PictureForm::Page),
            Form::Svg => Some(PictureForm::Svg),
            Form::Dot => Some(PictureForm::Dot),
            Form::Mermaid => Some(PictureForm::Mermaid),
            Form::Text | Form::Json | Form::Ndjson | Form::Csv => None,
        }
    }

    /// Returns the format for the extension of a file name.
    fn of_file(path: &Path) -> Option<Form> {
        Some(match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" | "text" => Form::Text,
            "json" => Form::Json,
            "ndjson" | "jsonl" => Form::Ndjson,
            "csv" => Form::Csv,
            "html" | "htm" => Form::Html,
            "svg" => Form::Svg,
            "dot" | "gv" => Form::Dot,
            "mmd" | "mermaid" => Form::Mermaid,
            _ => return None,
        })
    }
}

/// Writes an answer to a file or to stdout, within the limits of its query.
///
/// A result that exceeds them leaves no file. What stdout has received cannot be taken back, so the command fails.
pub(super) fn write(
    context: &Context<'_>,
    form: Form,
    output: Option<&Path>,
    limits: &Limits,
    answer: &Answer,
) -> Result<(), Failure> {
    if let Some(form) = form.picture() {
        let QueryResult::Tree { vertices, edges } = &answer.result else {
            return Err(Failure::Usage(
                "a picture shows entities and relationships: end the query with RETURN TREE".to_owned(),
            ));
        };
        return context.deliver(output, &picture::draw(form, context.integration.title(), vertices, edges)?);
    }
    context.stream(output, limits, |out| content(context, form, output.is_none(), answer, out))
}

fn content(context: &Context<'_>, form: Form, is_stdout: bool, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Json => document(context, answer, out),
        Form::Ndjson => lines(answer, out),
        Form::Csv => {
            let (columns, rows) = answer::columns(&answer.result);
            csv::write(&columns, rows, out)
        }
        _ => answer::write_text(&answer.result, if is_stdout { console::width() } else { usize::MAX }, out),
    }
}

/// The document of JupiterOne's API, with the reasons why the result may be incomplete.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    data: Data<'a>,
    incomplete: Vec<Value>,
    total_count: u64,
    r#type: &'static str,
    warnings: Vec<String>,
}

fn document(context: &Context<'_>, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        data: Data(&answer.result),
        incomplete: answer::reasons(context, answer).into_iter().map(|reason| json!({"reason": reason})).collect(),
        total_count: answer.total,
        r#type: answer.result.api_type(),
        warnings: answer::warnings(answer).collect(),
    };
    serde_json::to_writer_pretty(VisibleJson(&mut *out), &document).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// The `data` of the document, serialized object by object.
struct Data<'a>(&'a QueryResult);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.api_data(true) {
            ApiData::Rows(rows) => serializer.collect_seq(rows),
            ApiData::Tree { vertices, edges } => {
                let mut tree = serializer.serialize_struct("tree", 2)?;
                tree.serialize_field("edges", &Objects(RefCell::new(edges)))?;
                tree.serialize_field("vertices", &Objects(RefCell::new(vertices)))?;
                tree.end()
            }
        }
    }
}

/// Objects that can be serialized once.
struct Objects<'a>(RefCell<ApiObjects<'a>>);

impl Serialize for Objects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&mut *self.0.borrow_mut())
    }
}

fn lines(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let mut line = |document: Value| {
        serde_json::to_writer(VisibleJson(&mut *out), &document).map_err(io::Error::from)?;
        out.write_all(b"\n")
    };
    match answer.result.api_data(false) {
        ApiData::Rows(mut rows) => rows.try_for_each(line),
        // A tree has two lists; each line names its own.
        ApiData::Tree { mut vertices, mut edges } => {
            edges.try_for_each(|edge| line(json!({"edges": edge})))?;
            vertices.try_for_each(|vertex| line(json!({"vertices": vertex})))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_selects_the_format_unless_an_option_does() {
        let of = |format, path: &str| Form::of(format, Some(Path::new(path))).expect("a format");
        assert_eq!(of(None, "a.csv"), Form::Csv);
        assert_eq!(of(None, "a.TXT"), Form::Text);
        assert!(["a", "a.png", "-"].iter().all(|name| Form::of(None, Some(Path::new(name))).is_err()));
        assert_eq!(of(Some(Form::Json), "a.csv"), Form::Json);
        assert!(Form::of(Some(Form::Html), None).is_err());
    }
}
