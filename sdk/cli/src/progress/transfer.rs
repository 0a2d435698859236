//! The progress of a transfer to another system on stderr.

use std::sync::Arc;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use integration_sink::{Event, Events};
use serde_json::json;

use crate::console::Console;
use crate::options::Format;

/// The progress of one transfer: a bar on a terminal, and remarks as lines.
#[derive(Clone)]
pub(crate) struct Transfer {
    shown: Arc<Shown>,
}

struct Shown {
    console: Console,
    format: Format,
    bar: Option<ProgressBar>,
}

impl Transfer {
    /// Begins to show a transfer; `verb` names it, such as `Uploading`.
    pub(crate) fn begin(console: &Console, format: Format, verb: &'static str) -> Self {
        let bar = console.is_watched().then(|| {
            let bar = console.bars().add(ProgressBar::new(0));
            // The template is a constant, so an invalid one is noticed in the first transfer.
            let style =
                ProgressStyle::with_template("{prefix} {bar:30.cyan/dim} {pos}/{len} {wide_msg:.dim} {elapsed:.dim}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(verb);
            bar
        });
        Self { shown: Arc::new(Shown { console: console.clone(), format, bar }) }
    }

    /// The receiver of the events.
    pub(crate) fn events(&self) -> Events {
        let shown = Arc::clone(&self.shown);
        Events::new(move |event| shown.take(event))
    }

    /// Shows the number of objects that the target has taken.
    pub(crate) fn written(&self, objects: u64, total: u64) {
        self.shown.written(objects, total);
    }
}

impl Shown {
    fn take(&self, event: Event) {
        match event {
            Event::Surveyed { objects } => self.message(&format!("reading properties: {}", HumanCount(objects))),
            Event::Written { objects, total, .. } => self.written(objects, total),
            Event::Resumed { objects } => self.remark(&format!("continues after {} objects", HumanCount(objects))),
            Event::Remark(text) => self.remark(&text),
            _ => {}
        }
    }

    fn written(&self, objects: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(objects);
        }
    }

    fn message(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    fn remark(&self, text: &str) {
        self.message(text);
        match (self.format, &self.bar) {
            (Format::Json, _) => self.console.json_line(&json!({"event": "transferRemark", "message": text})),
            (Format::Text, None) => self.console.note(text),
            (Format::Text, Some(_)) => {}
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
