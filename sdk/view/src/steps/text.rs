//! The steps for a terminal: a tree of stages with inputs and outputs.

use anstyle::Style;

use super::links::{Link, Links};
use super::model::{RunStatus, StepGraph, StepNode, StepRun};
use crate::escape::visible;
use crate::measure::columns;
use crate::terminal::{BLUE, BOLD, FAINT, GREEN, MAGENTA, PLAIN, RED, Terminal, YELLOW, padded};

/// The maximum width to which ids and names are aligned.
const WIDEST_COLUMN: usize = 34;

pub(super) fn text(graph: &StepGraph, width: usize, colour: bool) -> String {
    let links = Links::of(graph);
    let mut listing =
        Listing { graph, links: &links, out: Terminal::new(width, colour), widths: Widths::of(graph, width) };
    listing.head();
    listing.steps();
    listing.out.finish()
}

struct Listing<'a> {
    graph: &'a StepGraph,
    links: &'a Links,
    out: Terminal,
    widths: Widths,
}

/// The widths of the columns in the first lines of all steps.
struct Widths {
    number: usize,
    id: usize,
    name: usize,
    /// Whether the result fits after the name, or needs a separate line.
    one_line: bool,
}

impl Widths {
    fn of(graph: &StepGraph, width: usize) -> Widths {
        let widest = |texts: &mut dyn Iterator<Item = &str>| {
            texts.map(|text| columns(&visible(text))).max().unwrap_or(0).min(WIDEST_COLUMN)
        };
        let id = widest(&mut graph.steps.iter().map(|step| step.id.as_str()));
        let name = widest(&mut graph.steps.iter().map(|step| step.name.as_str()));
        let number = graph.steps.len().to_string().len();
        let tail = graph.steps.iter().filter_map(StepNode::shown_run).map(|run| columns(&tail(run))).max().unwrap_or(0);
        Widths { number, id, name, one_line: number + 6 + id + 2 + name + 2 + tail <= width }
    }
}

impl Listing<'_> {
    fn head(&mut self) {
        if !self.graph.title.trim().is_empty() {
            self.out.line(&[(BOLD, &visible(&self.graph.title))]);
        }
        let facts = self.links.facts(self.graph);
        for fact in &facts[..facts.len() - self.graph.missing.len()] {
            self.out.line(&[(FAINT, &visible(fact))]);
        }
        self.out.notes(&self.graph.missing);
        for id in &self.links.missing {
            self.out.line(&[(RED, "✗ no such step: "), (BOLD, &visible(id))]);
        }
    }

    fn steps(&mut self) {
        let mut order: Vec<usize> = (0..self.graph.steps.len()).collect();
        order.sort_by_key(|&step| self.links.stage[step]);
        let mut stages: Vec<usize> = order.iter().map(|&step| self.links.stage[step]).collect();
        stages.dedup();
        for (position, &at) in order.iter().enumerate() {
            let stage = self.links.stage[at];
            let begins = position == 0 || self.links.stage[order[position - 1]] != stage;
            let last = position + 1 == order.len();
            let number = stages.binary_search(&stage).map_or(0, |found| found + 1);
            let rail = format!("{} {} ", " ".repeat(self.widths.number), if position == 0 { " " } else { "│" });
            self.out.line(&[(FAINT, &rail)]);
            let number = if begins { number.to_string() } else { String::new() };
            let branch = match (position == 0, last) {
                (true, true) => "──",
                (true, false) => "┌─",
                (false, true) => "└─",
                (false, false) => "├─",
            };
            let margin = format!("{number:>width$} {branch} ", width = self.widths.number);
            self.first_line(&self.graph.steps[at], &margin);
            let rail = if last { " " } else { "│" };
            let margin = format!("{} {rail}    ", " ".repeat(self.widths.number));
            self.details(at, &margin);
        }
    }

    fn first_line(&mut self, step: &StepNode, margin: &str) {
        let run = step.shown_run();
        let (sign, style) = match (run, step.disabled()) {
            (Some(run), _) => (run.status.sign(), style(run.status)),
            (None, Some(_)) => ('○', FAINT),
            (None, None) => ('●', PLAIN),
        };
        let tail = run.filter(|_| self.widths.one_line).map(tail).unwrap_or_default();
        let critical = if run.is_some_and(|run| run.critical) { MAGENTA } else { BOLD };
        self.out.line(&[
            (FAINT, margin),
            (style, &format!("{sign} ")),
            (critical, &padded(&visible(&step.id), self.widths.id)),
            (PLAIN, &format!("  {}", padded(&visible(&step.name), self.widths.name))),
            (style, &format!("  {tail}")),
        ]);
    }

    fn details(&mut self, at: usize, margin: &str) {
        let step = &self.graph.steps[at];
        if let Some(disabled) = step.disabled() {
            self.out.list(margin, "", YELLOW, &[visible(&disabled)]);
        }
        if let Some(run) = step.shown_run().filter(|_| !self.widths.one_line) {
            let parts = tail_parts(run).map(|part| part.trim().to_owned());
            let tail: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            self.out.list(margin, "", style(run.status), &[tail.join(" · ")]);
        }
        let (reads, after) = self.sources(at);
        self.out.list(margin, "reads   ", PLAIN, &reads);
        self.out.list(margin, "after   ", PLAIN, &after);
        let lists =
            [("emits   ", step.emits.as_slice()), ("scopes  ", &step.scopes), ("source  ", step.source.as_slice())];
        for (label, values) in lists {
            let values: Vec<String> = values.iter().map(|value| visible(value)).collect();
            self.out.list(margin, label, PLAIN, &values);
        }
    }

    /// Returns the input types of a step with their producers, and its other dependencies.
    ///
    /// Types that the step reads have the sign `←`, types that it follows the sign `⇠`.
    fn sources(&self, at: usize) -> (Vec<String>, Vec<String>) {
        let id = |step: usize| visible(self.links.id(self.graph, step));
        let mut types: Vec<&String> = self.graph.steps[at].reads.iter().collect();
        for through in self.links.into(at).flat_map(|link| &link.through) {
            if !types.contains(&through) {
                types.push(through);
            }
        }
        let read = |object_type: &&String| {
            let read_type = *object_type;
            let of_type = self.links.into(at).filter(|link| link.through.contains(object_type));
            let from: Vec<String> = of_type.map(|link| id(link.from)).collect();
            let object_type = visible(object_type);
            let of_type = |link: &&Link| link.through.contains(read_type);
            let streams = self.links.into(at).filter(of_type).all(|link| link.streams);
            let arrow = if streams { "⇠" } else { "←" };
            if from.is_empty() { object_type } else { format!("{object_type} {arrow} {}", from.join(" + ")) }
        };
        let after = self.links.into(at).filter(|link| link.through.is_empty()).map(|link| id(link.from)).collect();
        (types.iter().map(read).collect(), after)
    }
}

/// Returns status, duration, counts, and critical path in columns.
fn tail(run: &StepRun) -> String {
    tail_parts(run).concat()
}

fn tail_parts(run: &StepRun) -> [String; 4] {
    let label = format!("{:<8}", run.status.label());
    let critical = if run.critical { "  critical path" } else { "" };
    match run.status {
        RunStatus::Pending => [label, String::new(), String::new(), critical.into()],
        _ => [label, format!("{:>11}", run.duration()), format!("  {}", run.counts()), critical.into()],
    }
}

fn style(status: RunStatus) -> Style {
    match status {
        RunStatus::Success => GREEN,
        RunStatus::Cached => BLUE,
        RunStatus::Partial => YELLOW,
        RunStatus::Failure => RED,
        RunStatus::Pending => FAINT,
    }
}
