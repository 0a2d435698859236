//! The question files of a command.

use std::collections::BTreeSet;
use std::path::PathBuf;

use integration_query::syntax;
use integration_questions::{Pack, Question};
use integration_sdk::input;

use super::Chosen;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::text::list;
use crate::style::printable_path;

/// Packs with the names of their files.
pub(super) struct Packs(Vec<(String, Pack)>);

/// Reads files, or the integration's own pack.
pub(super) fn read(context: &Context<'_>, files: &[PathBuf]) -> Result<Packs, Failure> {
    let pack = |name: String, text: &str| match Pack::parse(text) {
        Ok(pack) => Ok((name, pack)),
        Err(source) => Err(Failure::Pack { name, source }),
    };
    if files.is_empty() {
        let Some(own) = context.questions else {
            return Err(Failure::Usage("this integration has no questions of its own: name a file".to_owned()));
        };
        return Ok(Packs(vec![pack("the questions of this integration".to_owned(), own)?]));
    }
    let read = |path: &PathBuf| {
        let text = input::read_to_string(path, input::DOCUMENT).map_err(Failure::file("read", path))?;
        pack(printable_path(path), &text)
    };
    files.iter().map(read).collect::<Result<_, _>>().map(Packs)
}

impl Packs {
    /// Returns the questions that the options select; there is at least one.
    pub(super) fn chosen(self, chosen: &Chosen) -> Result<Vec<Question>, Failure> {
        let all: Vec<Question> = self.0.into_iter().flat_map(|(_, pack)| pack.questions).collect();
        let ids: BTreeSet<&str> = all.iter().map(|question| question.id.as_str()).collect();
        if let Some(unknown) = chosen.question.iter().find(|id| !ids.contains(id.as_str())) {
            let nearest = ids
                .iter()
                .copied()
                .max_by(|a, b| strsim::jaro_winkler(a, unknown).total_cmp(&strsim::jaro_winkler(b, unknown)));
            let hint = nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
            return Err(Failure::Usage(format!("there is no question {unknown:?}{hint}")));
        }
        let tags: BTreeSet<&str> = all.iter().flat_map(|question| &question.tags).map(String::as_str).collect();
        if let Some(unknown) = chosen.tag.iter().find(|tag| !tags.contains(tag.as_str())) {
            return Err(Failure::Usage(format!("no question has the tag {unknown:?}; the tags are: {}", list(tags))));
        }
        let wanted = |question: &Question| {
            (chosen.question.is_empty() || chosen.question.contains(&question.id))
                && (chosen.tag.is_empty() || question.tags.iter().any(|tag| chosen.tag.contains(tag)))
        };
        let found: Vec<Question> = all.into_iter().filter(wanted).collect();
        match found.is_empty() {
            true => Err(Failure::Usage("no question has both a wanted id and a wanted tag".to_owned())),
            false => Ok(found),
        }
    }

    /// Returns the violated rules and the syntax errors of all packs.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, pack) in &self.0 {
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
