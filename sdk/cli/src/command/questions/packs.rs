//! The question files of a command.

use std::collections::BTreeSet;
use std::path::PathBuf;

use integration_query::syntax;
use integration_questions::{Pack, Question};
use integration_sdk::input;

use super::Chosen;
use crate::asking;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::text::list;
use crate::style::printable_path;

/// A pack with its origin.
struct OfFile {
    name: String,
    /// The file, unless the pack belongs to the integration or comes from stdin.
    path: Option<PathBuf>,
    pack: Pack,
}

/// A question with its file.
pub(super) struct ChosenQuestion {
    pub(super) question: Question,
    pub(super) file: Option<PathBuf>,
}

/// Packs with the names of their files.
pub(super) struct Packs(Vec<OfFile>);

/// Reads files, or the integration's own pack; `-` stands for stdin. An error concerns the first unreadable file.
pub(super) fn read(context: &Context<'_>, files: &[PathBuf]) -> Result<Packs, Failure> {
    let parsed = |name: String, path: Option<PathBuf>, text: &str| match Pack::parse(text) {
        Ok(pack) => Ok(OfFile { name, path, pack }),
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
        let of_file = |OfFile { path, pack, .. }| {
            let questions = pack.questions.into_iter();
            questions.map(move |question| ChosenQuestion { question, file: path.clone() })
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

    /// Returns the violated rules and the syntax errors of all packs.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for OfFile { name, pack, .. } in &self.0 {
            problems.extend(pack.problems().into_iter().map(|problem| format!("{name}: {problem}")));
            for question in &pack.questions {
                for query in &question.queries {
                    // The values of variables are known when the question is asked.
                    let any = syntax::variables(&query.query).into_iter().map(|name| (name.value, "x".to_owned()));
                    let filled = syntax::substitute(&query.query, &any.collect()).unwrap_or_default();
                    if let Err(errors) = syntax::parse(&filled) {
                        problems.push(format!(
                            "{name}: query {} of question {}\n{}",
                            query.name,
                            question.id,
                            errors.render(&filled)
                        ));
                    }
                }
            }
        }
        problems
    }
}
