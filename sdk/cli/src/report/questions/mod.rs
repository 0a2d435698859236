//! The results of questions: text, Markdown, JSON, or SARIF.

mod markdown;
mod text;

use std::path::PathBuf;

use integration_questions::{Compliance, PackQuery, Question, ResultsAre, Verdict};
use serde_json::{Value, json};

use super::sarif::{self, Checked, Violation};
use super::{Level, answer};
use crate::console::WARNING;
use crate::failure::Failure;
use crate::visible::visible_json;

pub(crate) use markdown::markdown;
pub(crate) use text::{list, problems, text};

/// The remark about results of a query for objects that may be missing from the graph.
const DOUBT: &str = "Results can be wrong: the query looks for absent objects, and the graph lacks data about them.";

/// A question that was asked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) question: Question,
    /// The file of the question, unless it belongs to the integration.
    pub(crate) file: Option<PathBuf>,
    pub(crate) queries: Vec<AskedQuery>,
    pub(crate) verdict: Verdict,
}

/// A query that was asked.
#[derive(Debug)]
pub(crate) struct AskedQuery {
    pub(crate) query: PackQuery,
    pub(crate) outcome: Outcome,
}

/// The outcome of a query.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered {
        columns: Vec<String>,
        rows: Vec<Vec<Value>>,
        results: u64,
        warnings: Vec<String>,
        incomplete: Vec<String>,
        /// Whether a row can be there only because data is missing.
        may_have_wrong_rows: bool,
    },
    Failed {
        /// The error in one line.
        error: String,
        /// The error with its place in the query, in several lines.
        shown: String,
    },
}

impl Asked {
    /// Returns whether a query has no result because of an error.
    pub(crate) fn has_failed(&self) -> bool {
        self.queries.iter().any(|query| matches!(query.outcome, Outcome::Failed { .. }))
    }

    /// Returns whether the graph lacks data that a query reads, or names that it mentions.
    pub(crate) fn is_unsure(&self) -> bool {
        self.queries.iter().any(|query| match &query.outcome {
            Outcome::Answered { incomplete, warnings, .. } => !incomplete.is_empty() || !warnings.is_empty(),
            Outcome::Failed { .. } => false,
        })
    }

    /// Returns whether a person must read more than the verdict.
    fn needs_attention(&self) -> bool {
        matches!(self.verdict, Verdict::Bad | Verdict::Unknown) || self.is_unsure()
    }
}

/// Returns one JSON document.
pub(crate) fn json(results: &[Asked]) -> Result<String, Failure> {
    let count = |verdict| results.iter().filter(|result| result.verdict == verdict).count();
    let document = json!({
        "counts": {
            "bad": count(Verdict::Bad),
            "unknown": count(Verdict::Unknown),
            "good": count(Verdict::Good),
            "informative": count(Verdict::Informative),
        },
        "questions": results.iter().map(of_question).collect::<Vec<Value>>(),
    });
    document_text(&document)
}

fn of_question(asked: &Asked) -> Value {
    let Question { id, title, description, tags, compliance, .. } = &asked.question;
    json!({
        "id": id,
        "title": title,
        "description": description,
        "tags": tags,
        "compliance": compliance,
        "verdict": asked.verdict,
        "queries": asked.queries.iter().map(of_query).collect::<Vec<Value>>(),
    })
}

fn of_query(asked: &AskedQuery) -> Value {
    let mut value = json!({
        "name": asked.query.name,
        "query": asked.query.query,
        "resultsAre": asked.query.results_are,
    });
    match &asked.outcome {
        Outcome::Failed { error, .. } => value["error"] = error.as_str().into(),
        Outcome::Answered { columns, rows, results, warnings, incomplete, may_have_wrong_rows } => {
            let row = |row: &Vec<Value>| -> Value { columns.iter().cloned().zip(row.iter().cloned()).collect() };
            value["total"] = (*results).into();
            value["data"] = rows.iter().map(row).collect();
            value["warnings"] = warnings.clone().into();
            value["incomplete"] = incomplete.clone().into();
            value["mayHaveWrongRows"] = (*may_have_wrong_rows).into();
        }
    }
    value
}

/// Returns SARIF with a rule for each question, an error for each one that is bad, and a warning for each unknown one.
pub(crate) fn sarif(program: &str, results: &[Asked]) -> Result<String, Failure> {
    let level = |asked: &Asked| match asked.question.queries.iter().any(|query| query.results_are == ResultsAre::Bad) {
        true => Level::Error,
        false => Level::Warning,
    };
    let rules: Vec<Checked> = results
        .iter()
        .map(|asked| Checked {
            id: asked.question.id.clone(),
            title: asked.question.title.clone(),
            help: help(&asked.question),
            level: level(asked),
        })
        .collect();
    let found = |asked: &Asked| matches!(asked.verdict, Verdict::Bad | Verdict::Unknown);
    let violations: Vec<Violation> = results
        .iter()
        .enumerate()
        .filter(|(_, asked)| found(asked))
        .map(|(rule, asked)| Violation {
            rule,
            level: if asked.verdict == Verdict::Bad { Level::Error } else { Level::Warning },
            message: message(asked),
            count: asked.queries.iter().map(judged).sum::<u64>().max(1),
            file: asked.file.clone(),
            object: Some((asked.question.id.clone(), String::new())),
            suppression: None,
        })
        .collect();
    document_text(&sarif::log(program, &rules, &violations))
}

/// Returns the probable mistakes in a query, and the reasons why its result may be incomplete or wrong, as sentences.
fn remarks(asked: &AskedQuery) -> Vec<String> {
    let Outcome::Answered { results, warnings, incomplete, may_have_wrong_rows, .. } = &asked.outcome else {
        return Vec::new();
    };
    let warnings = warnings.iter().map(|warning| format!("{WARNING}{warning}"));
    let doubt = (*may_have_wrong_rows && *results > 0).then(|| DOUBT.to_owned());
    warnings.chain(doubt).chain(answer::limited(incomplete)).collect()
}

fn help(question: &Question) -> String {
    let standards: Vec<String> = question.compliance.iter().map(standard).collect();
    let about = if question.description.trim().is_empty() { &question.title } else { &question.description };
    match standards.is_empty() {
        true => about.clone(),
        false => format!("{about} Standards: {}", standards.join("; ")),
    }
}

/// Describes the requirements of a standard.
fn standard(compliance: &Compliance) -> String {
    let numbers: Vec<&str> = compliance.requirements.iter().chain(&compliance.controls).map(String::as_str).collect();
    format!("{} {}", compliance.standard, numbers.join(", ")).trim_end().to_owned()
}

/// The number of results that are bad or need a review.
fn judged(query: &AskedQuery) -> u64 {
    match (&query.outcome, query.query.results_are) {
        (Outcome::Answered { results, .. }, ResultsAre::Bad | ResultsAre::Unknown) => *results,
        _ => 0,
    }
}

fn message(asked: &Asked) -> String {
    let results: u64 = asked.queries.iter().map(judged).sum();
    let mut parts = vec![format!("{} {}", asked.question.title, super::text::counted(results, "result", "results"))];
    for query in &asked.queries {
        match &query.outcome {
            Outcome::Answered { incomplete, warnings, .. } => {
                parts.extend(warnings.iter().chain(incomplete).cloned());
            }
            Outcome::Failed { error, .. } => parts.push(error.clone()),
        }
    }
    parts.join(". ")
}

fn document_text(document: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Failure::Stdout(error.into()))?;
    Ok(visible_json(&text) + "\n")
}
