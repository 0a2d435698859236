//! The output formats of a query's result.

use std::path::Path;

use clap::ValueEnum;
use integration_query::{Answer, QueryResult};
use serde_json::{Value, json};

use super::picture;
use crate::console;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::answer::{self, csv};
use crate::style::printable_path;
use crate::visible::visible_json;

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

/// Writes an answer to a file or to stdout.
pub(super) fn write(context: &Context<'_>, form: Form, output: Option<&Path>, answer: &Answer) -> Result<(), Failure> {
    let width = if output.is_some() { usize::MAX } else { console::width() };
    let text = match form {
        Form::Text => answer::text(&answer.result, width),
        Form::Json => document(answer)?,
        Form::Ndjson => lines(answer),
        Form::Csv => {
            let (columns, rows) = answer::columns(&answer.result);
            csv::text(&columns, &rows)
        }
        Form::Html | Form::Svg | Form::Dot | Form::Mermaid => {
            let QueryResult::Tree { vertices, edges } = &answer.result else {
                return Err(Failure::Usage(
                    "a picture shows entities and relationships: end the query with RETURN TREE".to_owned(),
                ));
            };
            picture::draw(form, context.integration.title(), vertices, edges)?
        }
    };
    context.deliver(output, &text)
}

/// The document of JupiterOne's API, with the reasons why the result may be incomplete.
fn document(answer: &Answer) -> Result<String, Failure> {
    let mut document = answer.result.to_api_json(answer.total, true);
    document["incomplete"] = answer::reasons(answer).into_iter().map(|reason| json!({"reason": reason})).collect();
    document["warnings"] = answer::warnings(answer).collect();
    let text = serde_json::to_string_pretty(&document).map_err(|error| Failure::Stdout(error.into()))?;
    Ok(visible_json(&text) + "\n")
}

fn lines(answer: &Answer) -> String {
    let document = answer.result.to_api_json(answer.total, false);
    let rows: Vec<Value> = match &document["data"] {
        Value::Array(rows) => rows.clone(),
        // A tree has two lists; each line names its own.
        Value::Object(tree) => tree
            .iter()
            .flat_map(|(list, objects)| {
                objects.as_array().into_iter().flatten().map(move |object| json!({list: object}))
            })
            .collect(),
        _ => Vec::new(),
    };
    rows.iter().map(|row| visible_json(&row.to_string()) + "\n").collect()
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
