//! Logs on stderr, above the progress bars.

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

use crate::brief::brief;
use crate::console::Console;
use crate::options::{Format, Globals};
use crate::visible::{visible, visible_json};

/// The number of warnings shown per place in the code without `-v`. The summary counts all of them.
const ALIKE: u32 = 3;
/// Crates that log network traffic and nothing about the collection.
const TALKATIVE: [&str; 6] = ["h2", "hyper", "hyper_util", "mio", "reqwest", "rustls"];

/// Starts logging; only the first call of a process has an effect.
///
/// A service logs information by default, because nobody sees its output. It leaves no warning out, because it runs for
/// months.
pub(crate) fn begin(globals: &Globals, console: &Console, is_service: bool) {
    let verbose = globals.verbose.max(u8::from(is_service));
    let level = match (globals.quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let noise = TALKATIVE.map(|target| (target, level.min(LevelFilter::WARN)));
    let targets = Targets::new().with_default(level).with_targets(noise);
    let writer = Above { console: console.clone(), format: globals.log_format };
    let colours = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match globals.log_format {
        Format::Json => tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
        Format::Text if verbose == 0 => tracing_subscriber::fmt::layer()
            .without_time()
            .with_target(false)
            .with_ansi(colours)
            .with_writer(writer)
            .boxed(),
        Format::Text => tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(writer).boxed(),
    };
    let layer = layer.with_filter(targets);
    let started = if verbose == 0 {
        tracing_subscriber::registry().with(layer.with_filter(Few::default())).try_init()
    } else {
        tracing_subscriber::registry().with(layer).try_init()
    };
    // A second program in the same process uses the logger of the first one.
    drop(started);
}

/// Passes only the first few warnings of each place in the code.
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

/// Writes events above the progress bars.
#[derive(Clone)]
struct Above {
    console: Console,
    format: Format,
}

/// Escapes control characters in an event, except the colours of the formatter, and shortens a long event.
fn harmless(event: &str, format: Format) -> String {
    if format == Format::Json {
        return visible_json(event);
    }
    let plain =
        visible(&COLOURS.iter().fold(event.to_owned(), |text, colour| text.replace(&format!("\u{1b}{colour}"), "")));
    let short = brief(&plain);
    if short != plain {
        return short;
    }
    let mut pieces = event.split('\u{1b}');
    let mut line = visible(pieces.next().unwrap_or_default());
    for piece in pieces {
        let is_colour = COLOURS.iter().any(|colour| piece.starts_with(colour));
        line += &if is_colour { format!("\u{1b}{}", visible(piece)) } else { visible(&format!("\u{1b}{piece}")) };
    }
    line
}

/// The colour sequences that the formatter writes.
const COLOURS: [&str; 9] = ["[0m", "[1m", "[2m", "[3m", "[31m", "[32m", "[33m", "[34m", "[35m"];

impl<'a> MakeWriter<'a> for Above {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let text = take_out(text.trim_end_matches('\n'));
        self.console.line(&harmless(&text, self.format));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// The output of a subscriber for an event with this message and field.
    fn logged(text: &'static str, ansi: bool) -> String {
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl io::Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().expect("not poisoned").write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(ansi).with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::warn!(field = text, path = %text, "{text}");
        });
        let bytes = kept.0.lock().expect("not poisoned").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn an_event_with_a_long_value_is_cut() {
        let long: &'static str = format!("begin{}end", "x".repeat(1_000_000)).leak();
        let many: &'static str = "word \u{1b}[31m".repeat(100_000).leak();
        for (text, ansi) in [(long, false), (long, true), (many, false), (many, true)] {
            let line = harmless(logged(text, ansi).trim_end(), Format::Text);
            assert!(line.len() < 5_000 && line.contains('…') && line.contains("WARN"), "{}", line.len());
        }
        let short = logged("short", true);
        assert_eq!(harmless(short.trim_end(), Format::Text), short.trim_end(), "it keeps its colours");
    }

    #[test]
    fn an_event_is_one_line_without_the_escapes_of_its_values() {
        for ansi in [false, true] {
            let line = harmless(logged("a\u{1b}]52;c;x\u{7}\n::error::b\u{202e}\u{9b}", ansi).trim_end(), Format::Text);
            assert!(!line.contains(['\n', '\u{7}', '\u{202e}', '\u{9b}']) && !line.contains("\u{1b}]"), "{line:?}");
        }
    }
}
