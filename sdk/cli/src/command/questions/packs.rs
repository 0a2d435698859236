//! The question files of a command.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use integration_query::diagnostic::{Diagnostic, Diagnostics};
use integration_query::graph::AccountGraph;
use integration_query::{Options, QueryError, syntax};
use integration_questions::{Pack, Question};
use integration_sdk::input;
use serde_json::Value;

use super::Chosen;
use crate::account_graph;
use crate::asking;
use crate::console::WARNING;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::text::list;
use crate::style::printable_path;

/// A pack with its origin.
struct OfFile {
    name: String,
    /// The file, unless the pack belongs to the integration or comes from stdin.
    path: Option<PathBuf>,
    /// Whether the pack belongs to the integration.
    is_own: bool,
    pack: Pack,
}

/// A question with its file.
pub(super) struct ChosenQuestion {
    pub(super) question: Question,
    pub(super) file: Option<PathBuf>,
    /// Whether the question belongs to the integration.
    pub(super) is_own: bool,
}

/// Packs with the names of their files.
pub(super) struct Packs(Vec<OfFile>);

/// Reads files, or the integration's own pack; `-` stands for stdin. An error concerns the first unreadable file.
pub(super) fn read(context: &Context<'_>, files: &[PathBuf]) -> Result<Packs, Failure> {
    let parsed = |name: String, path: Option<PathBuf>, text: &str| match Pack::parse(text) {
        Ok(pack) => Ok(OfFile { name, path, is_own: files.is_empty(), pack }),
        Err(source) => Err(Failure::Pack { name, source }),
    };
    if files.is_empty() {
        let Some(own) = context.questions else {
            return Err(Failure::Usage("this integration has no questions of its own: name a file".to_owned()));
        };
        return Ok(Packs(vec![parsed("the questions of this integration".to_owned(), None, own)?]));
    }
    let read = |path: &PathBuf| match path.as_os_str() == "-" {
        true => parsed("stdin".to_owned(), None, &asking::stdin()?),
        false => {
            let text = input::read_to_string(path, input::DOCUMENT).map_err(Failure::file("read", path))?;
            parsed(printable_path(path), Some(path.clone()), &text)
        }
    };
    files.iter().map(read).collect::<Result<_, _>>().map(Packs)
}

impl Packs {
    /// Returns the questions that the options select; there is at least one.
    pub(super) fn chosen(self, chosen: &Chosen) -> Result<Vec<ChosenQuestion>, Failure> {
        let of_file = |OfFile { path, pack, is_own, .. }| {
            let questions = pack.questions.into_iter();
            questions.map(move |question| ChosenQuestion { question, file: path.clone(), is_own })
        };
        let names: Vec<String> = self.0.iter().map(|file| file.name.clone()).collect();
        let all: Vec<ChosenQuestion> = self.0.into_iter().flat_map(of_file).collect();
        if all.is_empty() {
            return Err(Failure::Usage(format!("there are no questions in {}", list(names))));
        }
        let ids: BTreeSet<&str> = all.iter().map(|of| of.question.id.as_str()).collect();
        if let Some(unknown) = chosen.question.iter().find(|id| !ids.contains(id.as_str())) {
            let likeness = |id: &&str| strsim::jaro_winkler(id, unknown);
            let nearest = ids.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let hint = nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
            return Err(Failure::Usage(format!("there is no question {unknown:?}{hint}")));
        }
        let tags: BTreeSet<&str> = all.iter().flat_map(|of| &of.question.tags).map(String::as_str).collect();
        if let Some(unknown) = chosen.tag.iter().find(|tag| !tags.contains(tag.as_str())) {
            return Err(Failure::Usage(format!("no question has the tag {unknown:?}; the tags are: {}", list(tags))));
        }
        let wanted = |ChosenQuestion { question, .. }: &ChosenQuestion| {
            (chosen.question.is_empty() || chosen.question.contains(&question.id))
                && (chosen.tag.is_empty() || question.tags.iter().any(|tag| chosen.tag.contains(tag)))
        };
        let found: Vec<ChosenQuestion> = all.into_iter().filter(wanted).collect();
        match found.is_empty() {
            true => Err(Failure::Usage("no question has both a wanted id and a wanted tag".to_owned())),
            false => Ok(found),
        }
    }

    /// Returns the violated rules, the errors in queries, and the names in queries that no integration declares.
    pub(super) fn checked(&self, names: &DeclaredNames) -> Checked {
        let mut checked = Checked::default();
        for OfFile { name, pack, .. } in &self.0 {
            checked.problems.extend(pack.problems().into_iter().map(|problem| format!("{name}: {problem}")));
            for question in &pack.questions {
                for query in &question.queries {
                    let place = format!("{name}: query {} of question {}", query.name, question.id);
                    // The values of variables are known when the question is asked.
                    let variables = syntax::variables(&query.query);
                    let has_variables = !variables.is_empty();
                    let any = variables.into_iter().map(|name| (name.value, "x".to_owned()));
                    let filled = syntax::substitute(&query.query, &any.collect()).unwrap_or_default();
                    let found = match syntax::parse(&filled) {
                        Err(errors) => Err(errors),
                        // A variable may stand for a name.
                        Ok(_) if has_variables => Ok(Vec::new()),
                        Ok(_) => names.check(&filled),
                    };
                    match found {
                        Ok(warnings) => {
                            let warnings = warnings.iter().map(|warning| warning.render(&filled));
                            checked.warnings.extend(warnings.map(|warning| format!("{place}\n{WARNING}{warning}")));
                        }
                        Err(errors) => checked.problems.push(format!("{place}\n{}", errors.render(&filled))),
                    }
                }
            }
        }
        checked
    }
}

/// The findings of a check.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) problems: Vec<String>,
    /// Names that a query may mention, but probably does not mean.
    pub(super) warnings: Vec<String>,
}

/// The names that integrations declare, without the objects of a graph, so that a check gives the same everywhere.
pub(super) struct DeclaredNames {
    nothing: AccountGraph,
    options: Options,
}

impl DeclaredNames {
    pub(super) async fn of(context: &Context<'_>) -> Result<Self, Failure> {
        let catalogue = account_graph::catalogue(context.offers.iter().map(|offer| &offer.integration));
        let options = Options { catalogue: Arc::new(catalogue), ..Options::default() };
        Ok(Self { nothing: AccountGraph::open(Vec::new()).await?, options })
    }

    /// Returns the probable mistakes in the names of a query, or its errors.
    fn check(&self, text: &str) -> Result<Vec<Diagnostic>, Diagnostics> {
        // The values of parameters are known when the question is asked.
        let names = text.split("${param.").skip(1).filter_map(|rest| rest.split_once('}'));
        let parameters = names.map(|(name, _)| (name.to_owned(), Value::from("x"))).collect();
        match integration_query::check(text, &self.nothing, &Options { parameters, ..self.options.clone() }) {
            Ok(warnings) => Ok(warnings),
            Err(QueryError::Invalid(errors)) => Err(errors),
            // A graph without objects has no other errors.
            Err(_) => Ok(Vec::new()),
        }
    }
}
