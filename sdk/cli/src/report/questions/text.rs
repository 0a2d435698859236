//! The results of questions for people.

use std::fmt::Write;

use clap::builder::styling::Style;
use comfy_table::{Cell, Color};
use integration_questions::{Question, ResultsAre, Verdict};

use super::{Asked, AskedQuery, Outcome};
use crate::report::answer::grid;
use crate::report::table;
use crate::report::text::{counted, list as joined, paragraph};
use crate::style::{BOLD, CYAN, GREEN, RED, YELLOW, paint, printable};
use crate::visible::visible_lines;

/// Lists all questions with their verdicts, then the results that need attention.
pub(crate) fn text(results: &[Asked], limit: usize, width: usize) -> String {
    let mut text = overview(results, width);
    for asked in results.iter().filter(|asked| asked.needs_attention()) {
        text += &details(asked, limit, width);
    }
    let count = |verdict| results.iter().filter(|result| result.verdict == verdict).count();
    let _ = write!(
        text,
        "\n{}: {} bad, {} unknown, {} good, {} informative.\n",
        counted(results.len() as u64, "question", "questions"),
        count(Verdict::Bad),
        count(Verdict::Unknown),
        count(Verdict::Good),
        count(Verdict::Informative)
    );
    text
}

fn overview(results: &[Asked], width: usize) -> String {
    let mut table = table::plain();
    table.set_header([Cell::new("Verdict"), table::right("Results"), Cell::new("Question")]);
    for asked in results {
        let verdict = Cell::new(of_verdict(asked.verdict).1).fg(colour(asked.verdict));
        let number: u64 = asked.queries.iter().map(results_of).sum();
        table.add_row([verdict, table::right(number), Cell::new(printable(&asked.question.title))]);
    }
    table::fitted(&mut table, width)
}

fn of_verdict(verdict: Verdict) -> (Style, &'static str) {
    match verdict {
        Verdict::Bad => (RED, "✗ bad"),
        Verdict::Unknown => (YELLOW, "? unknown"),
        Verdict::Good => (GREEN, "✓ good"),
        Verdict::Informative => (CYAN, "i informative"),
    }
}

fn colour(verdict: Verdict) -> Color {
    match verdict {
        Verdict::Bad => Color::DarkRed,
        Verdict::Unknown => Color::DarkYellow,
        Verdict::Good => Color::DarkGreen,
        Verdict::Informative => Color::DarkCyan,
    }
}

fn results_of(query: &AskedQuery) -> u64 {
    match &query.outcome {
        Outcome::Answered { results, .. } => *results,
        Outcome::Failed { .. } => 0,
    }
}

fn details(asked: &Asked, limit: usize, width: usize) -> String {
    let (style, word) = of_verdict(asked.verdict);
    let mut text = format!("\n{} {}\n", paint(style, word), paint(BOLD, printable(&asked.question.title)));
    text += &paragraph(&printable(&asked.question.description), width, 2, 0);
    for query in &asked.queries {
        match &query.outcome {
            Outcome::Failed { shown, .. } => {
                text += &paragraph(&format!("{}:", printable(&query.query.name)), width, 2, 2);
                text.extend(visible_lines(shown).lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n"));
            }
            Outcome::Answered { columns, rows, results, .. } => {
                let needs_attention = matches!(query.query.results_are, ResultsAre::Bad | ResultsAre::Unknown);
                if needs_attention && *results > 0 {
                    let shown = &rows[..rows.len().min(limit)];
                    let drawn = grid::text(columns, shown, width.saturating_sub(2));
                    text.extend(drawn.lines().map(|line| format!("  {line}\n")));
                    if *results > shown.len() as u64 {
                        let _ = writeln!(text, "  … {} more", *results - shown.len() as u64);
                    }
                }
                for remark in super::remarks(query) {
                    text += &paragraph(&printable(&remark), width, 2, 2);
                }
            }
        }
    }
    text
}

/// Lists questions without asking them.
pub(crate) fn list(questions: &[Question], width: usize) -> String {
    let mut table = table::plain();
    table.set_header(["Id", "Question", "Tags"]);
    for question in questions {
        table.add_row([printable(&question.id), printable(&question.title), printable(&joined(&question.tags))]);
    }
    table::fitted(&mut table, width)
}

/// Lists the problems and the warnings of question files.
pub(crate) fn problems(problems: &[String], warnings: &[String], questions: usize) -> String {
    let mut text: String =
        problems.iter().chain(warnings).map(|found| format!("{}\n", visible_lines(found).trim_end())).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text += &counted(questions as u64, "question", "questions");
    text += &match problems.len() as u64 {
        0 => ", no problem found".to_owned(),
        count => format!(", {}", counted(count, "problem", "problems")),
    };
    if !warnings.is_empty() {
        text += &format!(", {}", counted(warnings.len() as u64, "warning", "warnings"));
    }
    text + ".\n"
}
