//! The results of questions as Markdown, by standard and requirement.
//!
//! All text of the provider is within code spans, so that it cannot mention people, link, or format.

use std::collections::BTreeMap;
use std::fmt::Write;

use integration_questions::{ResultsAre, Verdict};

use super::{Asked, Outcome};
use crate::report::answer;
use crate::report::code_span;
use crate::report::code_span::code;
use crate::report::text::{counted, list};
use crate::visible::{visible, visible_lines};

/// Returns the report.
pub(crate) fn markdown(results: &[Asked], limit: usize) -> String {
    let count = |verdict| results.iter().filter(|result| result.verdict == verdict).count();
    let mut text = format!(
        "**{}: {} bad, {} unknown, {} good, {} informative.**\n\n| Verdict | Question | Standards |\n| --- | --- | --- |\n",
        counted(results.len() as u64, "question", "questions"),
        count(Verdict::Bad),
        count(Verdict::Unknown),
        count(Verdict::Good),
        count(Verdict::Informative)
    );
    for asked in results {
        let standards = list(asked.question.compliance.iter().map(|of| cell(&super::standard(of))));
        let _ = writeln!(text, "| {} | {} | {standards} |", word(asked.verdict), cell(&asked.question.title));
    }
    text += &by_standard(results);
    for asked in results.iter().filter(|asked| asked.needs_attention()) {
        text += &details(asked, limit);
    }
    text
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Bad => "bad",
        Verdict::Unknown => "unknown",
        Verdict::Good => "good",
        Verdict::Informative => "informative",
    }
}

/// The worst verdict for each requirement.
fn by_standard(results: &[Asked]) -> String {
    let mut worst: BTreeMap<(&str, &str), (Verdict, Vec<&str>)> = BTreeMap::new();
    for asked in results {
        for compliance in &asked.question.compliance {
            for requirement in compliance.requirements.iter().chain(&compliance.controls) {
                let entry =
                    worst.entry((&compliance.standard, requirement)).or_insert((Verdict::Informative, Vec::new()));
                entry.0 = entry.0.min(asked.verdict);
                entry.1.push(&asked.question.id);
            }
        }
    }
    if worst.is_empty() {
        return String::new();
    }
    let mut text =
        "\n## Standards\n\n| Standard | Requirement | Verdict | Questions |\n| --- | --- | --- | --- |\n".to_owned();
    for ((standard, requirement), (verdict, ids)) in worst {
        let ids = list(ids.iter().map(|id| code_span::cell(id)));
        let _ = writeln!(text, "| {} | {} | {} | {ids} |", cell(standard), cell(requirement), word(verdict));
    }
    text
}

fn details(asked: &Asked, limit: usize) -> String {
    let mut text = format!(
        "\n## {}: {}\n\n{}\n",
        word(asked.verdict),
        cell(&asked.question.title),
        cell(&asked.question.description)
    );
    for query in &asked.queries {
        let _ = write!(text, "\n```\n{}\n```\n", fenced(&query.query.query));
        match &query.outcome {
            Outcome::Failed { shown, .. } => {
                let _ = write!(text, "\n```\n{}\n```\n", fenced(shown));
            }
            Outcome::Answered { columns, rows, results, .. } => {
                if matches!(query.query.results_are, ResultsAre::Bad | ResultsAre::Unknown) && *results > 0 {
                    let names: Vec<String> = columns.iter().map(|name| cell(name)).collect();
                    let _ = writeln!(text, "\n| {} |\n|{}", names.join(" | "), " --- |".repeat(columns.len()));
                    for row in rows.iter().take(limit) {
                        let cells = columns
                            .iter()
                            .zip(row)
                            .map(|(column, value)| code_span::cell(&answer::shown(column, value)));
                        let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
                    }
                    if *results > limit as u64 {
                        let _ = writeln!(text, "\n{} more.", *results - limit as u64);
                    }
                }
                for remark in super::remarks(query) {
                    let _ = writeln!(text, "\n{}", code(&remark));
                }
            }
        }
    }
    text
}

/// Text within a fence.
fn fenced(text: &str) -> String {
    visible_lines(text.trim()).replace("```", "'''")
}

/// Text of a question file: packs come from others, so it must not link, format, or add markup either.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in visible(text).chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '|' | '#' | '@' | '!') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_adds_no_markup() {
        assert_eq!(cell("<img src=x> [a](b) | *c*\n# d"), "\\<img src=x\\> \\[a\\](b) \\| \\*c\\* \\# d");
    }
}
