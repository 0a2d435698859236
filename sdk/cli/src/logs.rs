//! Logs on stderr, above the progress.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use integration_sdk::secrets::take_out;
use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::options::{Format, Globals};
use crate::screen::Screen;

/// Warnings of one place in the code that are shown, unless more is asked for. The summary counts all of them.
const ALIKE: u32 = 3;
/// They log what is on the wire from some level on, and have nothing to say about a collection.
const TALKATIVE: [&str; 6] = ["h2", "hyper", "hyper_util", "mio", "reqwest", "rustls"];

/// Begins to log; only the first call of a process counts.
pub(crate) fn begin(globals: &Globals, screen: &Screen) {
    let level = match (globals.quiet, globals.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let noise = TALKATIVE.map(|target| (target, level.min(LevelFilter::WARN)));
    let targets = Targets::new().with_default(level).with_targets(noise);
    let writer = Above(screen.clone());
    let colours = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match globals.log_format {
        Format::Json => tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
        Format::Text if globals.verbose == 0 => tracing_subscriber::fmt::layer()
            .without_time()
            .with_target(false)
            .with_ansi(colours)
            .with_writer(writer)
            .boxed(),
        Format::Text => tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(writer).boxed(),
    };
    let layer = layer.with_filter(targets);
    let begun = if globals.verbose == 0 {
        tracing_subscriber::registry().with(layer.with_filter(Few::default())).try_init()
    } else {
        tracing_subscriber::registry().with(layer).try_init()
    };
    // A second program in one process logs where the first one did.
    drop(begun);
}

/// Lets the first few warnings of each place in the code through.
#[derive(Default)]
struct Few(Mutex<HashMap<Identifier, u32>>);

impl<S> Filter<S> for Few {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        if *event.metadata().level() != Level::WARN {
            return true;
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(event.metadata().callsite()).or_default();
        *count += 1;
        *count <= ALIKE
    }
}

/// Writes each event above the progress.
#[derive(Clone)]
struct Above(Screen);

impl<'a> MakeWriter<'a> for Above {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.line(&take_out(text.trim_end_matches('\n')));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
