//! The output streams: results on stdout, everything else on stderr, above the progress bars.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use indicatif::MultiProgress;
use integration_sdk::Timestamp;
use serde_json::{Value, json};

use crate::limits::{BUFFER, Limits};
use crate::options::Format;
use crate::plain::Plain;
use crate::visible::{visible, visible_json, visible_lines};

/// The maximum line width; longer lines are hard to read.
const WIDEST: usize = 140;

/// The beginning of a remark about a probable mistake.
pub(crate) const WARNING: &str = "Warning: ";

/// Stdout and stderr, shared by all parts of the program.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    bars: MultiProgress,
    quiet: bool,
    format: Format,
}

impl Console {
    pub(crate) fn new(quiet: bool, format: Format) -> Self {
        Self { bars: MultiProgress::new(), quiet, format }
    }

    /// The container of the progress bars.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }

    /// Returns whether stderr is an interactive terminal that shows progress.
    pub(crate) fn is_watched(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        !self.quiet && !dumb && self.format == Format::Text && io::stderr().is_terminal()
    }

    /// Writes a line to stderr unchanged.
    pub(crate) fn line(&self, line: &str) {
        self.bars.suspend(|| {
            // A failure to write to stderr cannot be reported anywhere.
            let _ = writeln!(anstream::stderr(), "{line}");
        });
    }

    /// Writes a JSON document on one line, without characters that control a terminal or mislead a reader.
    pub(crate) fn json_line(&self, document: &Value) {
        self.line(&visible_json(&document.to_string()));
    }

    /// Writes a warning that is shown even with `--quiet`.
    pub(crate) fn warn(&self, message: &str) {
        let prefix = if self.format == Format::Text { "WARN " } else { "" };
        self.message("WARN", &format!("{prefix}{}", visible(message)));
    }

    /// Writes a message that is shown even with `--quiet`.
    pub(crate) fn say(&self, message: &str) {
        self.message("INFO", &visible(message));
    }

    /// Writes a message unless `--quiet` is set.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            self.message("INFO", &visible(message));
        }
    }

    /// Writes remarks of several lines that are shown even with `--quiet`, because a result may mislead without them.
    pub(crate) fn remarks(&self, remarks: &[String]) {
        for remark in remarks {
            // The level of an event is a field of its own.
            let bare = remark.strip_prefix(WARNING).filter(|_| self.format == Format::Json);
            self.message("WARN", visible_lines(bare.unwrap_or(remark)).trim_end());
        }
    }

    /// Writes an error message.
    pub(crate) fn fail(&self, message: &str) {
        self.message("ERROR", message);
    }

    fn message(&self, level: &str, message: &str) {
        match self.format {
            Format::Text => self.line(message),
            Format::Json => {
                let message = anstream::adapter::strip_str(message).to_string();
                let now = Timestamp::now().millis();
                let event = json!({"timestamp": now, "level": level, "message": message});
                self.json_line(&event);
            }
        }
    }

    /// Writes a result to stdout. A closed pipe is not an error.
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        let written = self.bars.suspend(|| {
            let mut out = anstream::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()
        });
        unless_closed(written)
    }

    /// Writes a result to stdout piece by piece, within the limits of its query. A closed pipe is not an error.
    pub(crate) fn stream(
        &self,
        limits: &Limits,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let written = self.bars.suspend(|| {
            let inner: Box<dyn Write> = match coloured() {
                true => Box::new(limits.writer(anstream::stdout().lock())),
                false => Box::new(Plain::new(limits.writer(io::stdout().lock()))),
            };
            let mut out = BufWriter::with_capacity(BUFFER, inner);
            write(&mut out)?;
            out.flush()
        });
        unless_closed(written)
    }
}

fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// The width of stdout in columns; unlimited if it is not a terminal.
pub(crate) fn width() -> usize {
    match terminal_size::terminal_size_of(io::stdout()) {
        Some((terminal_size::Width(columns), _)) => usize::from(columns).clamp(20, WIDEST),
        None => usize::MAX,
    }
}

/// Returns whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Returns whether stdout shows colours.
pub(crate) fn coloured() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}
