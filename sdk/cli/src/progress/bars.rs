//! Progress for a terminal: one line per running step, and one for the job.

use std::collections::BTreeMap;

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};
use integration_sdk::graph::StepId;
use integration_sdk::plan::StartState;
use integration_sdk::runtime::{Envelope, StepReport};
use integration_sdk::{Event, Timestamp};

use crate::console::Console;
use crate::report::text::counted;

use super::Consumer;

/// The maximum width of a step id, which leaves space in a narrow terminal.
const WIDEST_ID: usize = 28;

pub(super) struct Bars {
    bars: MultiProgress,
    job: ProgressBar,
    running: BTreeMap<StepId, Running>,
    id_width: usize,
    ended: Totals,
    steps: u64,
    steps_ended: u64,
    /// The number of requests in flight, from the latest event.
    in_flight: usize,
    /// The time until which requests wait for the rate limit, from the latest event.
    waiting_until: Option<Timestamp>,
}

struct Running {
    bar: ProgressBar,
    so_far: Totals,
}

impl Running {
    /// Describes the totals and the speed of the step.
    fn words(&self) -> String {
        let seconds = self.bar.elapsed().as_secs();
        match self.so_far.objects.checked_div(seconds) {
            Some(rate) if rate > 0 => format!("{}, {} a second", self.so_far.words(), HumanCount(rate)),
            _ => self.so_far.words(),
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Totals {
    objects: u64,
    requests: u64,
}

impl Totals {
    fn words(self) -> String {
        let objects = counted(self.objects, "object", "objects");
        match self.requests {
            0 => objects,
            requests => format!("{objects}, {}", counted(requests, "request", "requests")),
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants, so an invalid one is noticed in the first collection.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Bars {
    pub(super) fn new(console: &Console) -> Self {
        let job = console.bars().add(ProgressBar::new_spinner());
        job.set_style(style("{spinner:.cyan} {wide_msg} {elapsed:.dim}"));
        job.set_message("Connecting");
        Self {
            bars: console.bars().clone(),
            job,
            running: BTreeMap::new(),
            id_width: 0,
            ended: Totals::default(),
            steps: 0,
            steps_ended: 0,
            in_flight: 0,
            waiting_until: None,
        }
    }

    fn begin(&mut self, step: &StepId) {
        let bar = self.bars.insert_before(&self.job, ProgressBar::new_spinner());
        let width = self.id_width;
        bar.set_style(style(&format!("  {{spinner:.green}} {{prefix:{width}!}}  {{wide_msg:.dim}} {{elapsed:.dim}}")));
        bar.set_prefix(step.to_string());
        self.running.insert(step.clone(), Running { bar, so_far: Totals::default() });
    }

    fn end(&mut self, report: &StepReport) {
        self.ended.objects += report.objects();
        self.ended.requests += report.usage.total.requests;
        self.steps_ended += 1;
        if let Some(running) = self.running.remove(&report.id) {
            running.bar.finish_and_clear();
            self.bars.remove(&running.bar);
        }
    }

    fn sum_up(&self) {
        let mut totals = self.ended;
        for running in self.running.values() {
            totals.objects += running.so_far.objects;
            totals.requests += running.so_far.requests;
        }
        let waits = self.waiting_until.filter(|until| *until > Timestamp::now());
        let waits = waits.map(|until| format!(", waiting for the rate limit until {until}")).unwrap_or_default();
        let flying = if self.in_flight > 0 { format!(", {} in flight", self.in_flight) } else { String::new() };
        let (ended, steps) = (self.steps_ended, self.steps);
        self.job.set_message(format!("{ended} of {steps} steps, {}{flying}{waits}", totals.words()));
    }
}

impl Consumer for Bars {
    fn tick(&self) {
        self.running.values().for_each(|running| running.bar.tick());
        self.job.tick();
    }

    fn take(&mut self, envelope: &Envelope) {
        match &envelope.event {
            Event::JobStarted { steps } => {
                let enabled = steps.iter().filter(|step| step.start == StartState::Enabled);
                self.steps = enabled.clone().count() as u64;
                self.id_width = enabled.map(|step| step.id.as_str().len()).max().unwrap_or(0).min(WIDEST_ID);
            }
            Event::StepStarted { step } => self.begin(step),
            Event::StepProgress { step, objects, requests, in_flight } => {
                self.in_flight = *in_flight;
                if let Some(running) = self.running.get_mut(step) {
                    running.so_far = Totals { objects: *objects, requests: *requests };
                    running.bar.set_message(running.words());
                }
            }
            Event::StepFailed { report } | Event::StepFinished { report } => self.end(report),
            Event::Waiting { until } => self.waiting_until = Some(*until),
            _ => {}
        }
        self.sum_up();
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.job.finish_and_clear();
        self.running.values().for_each(|running| running.bar.finish_and_clear());
    }
}
