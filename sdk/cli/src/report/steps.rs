//! The steps of a job: a table if it fits, or stacked lines in a narrow terminal.

use std::fmt::Write;

use comfy_table::{Attribute, Cell, Color};
use indicatif::HumanCount;
use integration_sdk::Summary;
use integration_sdk::graph::run::{DisabledReason, StepReport, StepStatus};

use crate::style;

use super::table::{self, right};
use super::text::{counted, duration, list, paragraph};

/// Renders the selected steps, and lists the others in one line.
pub(super) fn table(summary: &Summary, width: usize) -> String {
    let (unselected, shown): (Vec<_>, Vec<_>) =
        summary.integration_step_results.iter().partition(|step| step.is_not_selected());
    let drawn = draw(&shown);
    let mut text = if table::fits(&drawn, width) { drawn } else { shown.iter().map(|step| stacked(step)).collect() };
    if !unselected.is_empty() {
        let names = list(unselected.iter().map(|step| &step.id));
        text.push('\n');
        text += &paragraph(&style::paint(style::FAINT, format!("Not selected: {names}")), width, 0, 2);
    }
    text
}

fn status(step: &StepReport) -> String {
    let reason = match step.disabled_reason {
        Some(DisabledReason::Permission) => "no permission",
        Some(DisabledReason::Config) => "by configuration",
        Some(DisabledReason::UserConfig) => "switched off",
        Some(DisabledReason::ParentDisabled) => "needs a disabled step",
        Some(DisabledReason::ApiVersion) => "by API version",
        Some(DisabledReason::Beta) => "beta",
        _ => return step.status.label().to_owned(),
    };
    format!("{}: {reason}", step.status.label())
}

fn colour(status: StepStatus) -> Option<Color> {
    match status {
        StepStatus::Success => Some(Color::DarkGreen),
        StepStatus::Cached => Some(Color::DarkCyan),
        StepStatus::Partial => Some(Color::DarkYellow),
        StepStatus::Failure => Some(Color::DarkRed),
        StepStatus::Disabled | StepStatus::Pending => None,
    }
}

fn ran(step: &StepReport) -> bool {
    step.start_time.is_some()
}

fn draw(steps: &[&StepReport]) -> String {
    let has_requests = steps.iter().any(|step| step.usage.total.requests > 0);
    let mut table = table::plain();
    let heads = [right("Time"), right("Requests"), right("Objects"), Cell::new("Type")];
    let heads = heads.into_iter().enumerate().filter(|(at, _)| has_requests || *at != 1).map(|(_, head)| head);
    table.set_header([Cell::new("Step"), Cell::new("Status")].into_iter().chain(heads));
    for step in steps {
        let (_, sign) = style::of_status(step.status);
        let state = Cell::new(format!("{sign} {}", status(step)));
        let state = match colour(step.status) {
            Some(colour) => state.fg(colour),
            None => state.add_attribute(Attribute::Dim),
        };
        let time = if ran(step) { duration(step.duration) } else { String::new() };
        let requests = if ran(step) { HumanCount(step.usage.total.requests).to_string() } else { String::new() };
        let (counts, types): (Vec<_>, Vec<_>) = counts(step).unzip();
        let mut row = vec![Cell::new(&step.id), state, right(time)];
        if has_requests {
            row.push(right(requests));
        }
        row.extend([right(counts.join("\n")), Cell::new(types.join("\n"))]);
        table.add_row(row);
    }
    table::write(&mut table)
}

fn counts(step: &StepReport) -> impl Iterator<Item = (String, &str)> {
    step.encountered_type_counts.iter().map(|(name, count)| (HumanCount(*count).to_string(), name.as_str()))
}

fn stacked(step: &StepReport) -> String {
    let (style, sign) = style::of_status(step.status);
    let mut facts = vec![style::paint(style, status(step))];
    if ran(step) {
        facts.push(duration(step.duration));
    }
    if step.usage.total.requests > 0 {
        facts.push(counted(step.usage.total.requests, "request", "requests"));
    }
    let mut text =
        format!("{} {}\n  {}\n", style::paint(style, sign), style::paint(style::BOLD, &step.id), facts.join(", "));
    for (count, name) in counts(step) {
        let _ = writeln!(text, "{count:>9} {name}");
    }
    text
}

#[cfg(test)]
mod tests {
    use integration_sdk::http::{RequestCounts, Usage};
    use serde_json::json;

    use super::*;

    fn step(id: &str, status: &str, counts: serde_json::Value) -> serde_json::Value {
        json!({"id": id, "name": id, "dependsOn": [], "declaredTypes": [], "partialTypes": [], "encounteredTypes": [],
               "encounteredTypeCounts": counts, "status": status, "startTime": 0, "endTime": 0, "duration": 65_000,
               "usage": usage(1_200)})
    }

    fn usage(requests: u64) -> Usage {
        Usage { total: RequestCounts { requests, ..RequestCounts::default() }, ..Usage::default() }
    }

    fn plain(width: usize) -> String {
        let mut comets = step("fetch-comets", "disabled", json!({}));
        comets["disabledReason"] = json!(DisabledReason::NotSelected);
        let moons = step(
            "fetch-moons",
            "partial_success_due_to_dependency_failure",
            json!({"space_moon": 12_345, "space_planet_has_moon": 12}),
        );
        let summary = json!({
            "job": "1", "integration": "space", "instance": "default", "state": "partial", "startTime": 0, "endTime": 0,
            "duration": 0, "entities": 0, "relationships": 0, "metadata": {"partialDatasets": {"types": []}},
            "integrationStepResults": [step("fetch-planets", "success", json!({"space_planet": 3})), moons, comets],
            "usage": usage(0),
        });
        let summary = serde_json::from_value(summary).expect("a summary");
        anstream::adapter::strip_str(&table(&summary, width)).to_string()
    }

    #[test]
    fn a_table_is_drawn_if_it_fits() {
        insta::assert_snapshot!(plain(80), @"
        Step           Status           Time  Requests  Objects  Type
        fetch-planets  ✓ success  1 min 05 s     1,200        3  space_planet
        fetch-moons    ◐ partial  1 min 05 s     1,200   12,345  space_moon
                                                             12  space_planet_has_moon

        Not selected: fetch-comets
        ");
    }

    #[test]
    fn a_narrow_window_gets_stacked_lines() {
        insta::assert_snapshot!(plain(40), @"
        ✓ fetch-planets
          success, 1 min 05 s, 1,200 requests
                3 space_planet
        ◐ fetch-moons
          partial, 1 min 05 s, 1,200 requests
           12,345 space_moon
               12 space_planet_has_moon

        Not selected: fetch-comets
        ");
        assert!(plain(40).lines().all(|line| line.chars().count() <= 40));
    }
}
