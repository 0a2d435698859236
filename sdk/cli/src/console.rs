//! The two streams: results on stdout, everything else on stderr, above the progress that may be shown there.

use std::io::{self, ErrorKind, IsTerminal, Write};

use indicatif::MultiProgress;
use integration_sdk::Timestamp;
use serde_json::json;

use crate::options::Format;

/// Wider lines are hard to read, however wide the window is.
const WIDEST: usize = 140;

/// Stdout and stderr, as all parts of the program share them.
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

    /// Where progress bars live.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a person watches stderr.
    pub(crate) fn is_watched(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        !self.quiet && !dumb && self.format == Format::Text && io::stderr().is_terminal()
    }

    /// Writes a line to stderr as it is.
    pub(crate) fn line(&self, line: &str) {
        self.bars.suspend(|| {
            // There is nobody left to tell that stderr is gone.
            let _ = writeln!(anstream::stderr(), "{line}");
        });
    }

    /// Tells the user something that must not be missed.
    pub(crate) fn say(&self, message: &str) {
        self.tell("INFO", message);
    }

    /// Tells the user something, unless the program is to be quiet.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            self.tell("INFO", message);
        }
    }

    /// Tells the user what went wrong.
    pub(crate) fn fail(&self, message: &str) {
        self.tell("ERROR", message);
    }

    fn tell(&self, level: &str, message: &str) {
        match self.format {
            Format::Text => self.line(message),
            Format::Json => {
                let message = anstream::adapter::strip_str(message).to_string();
                let now = Timestamp::now().millis();
                self.line(&json!({"timestamp": now, "level": level, "message": message}).to_string());
            }
        }
    }

    /// Writes a result to stdout. A reader that has had enough is no error.
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        let written = self.bars.suspend(|| {
            let mut out = anstream::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()
        });
        written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
    }
}

/// The columns of text on stdout; without bound where that is no terminal.
pub(crate) fn width() -> usize {
    match terminal_size::terminal_size_of(io::stdout()) {
        Some((terminal_size::Width(columns), _)) => usize::from(columns).clamp(20, WIDEST),
        None => usize::MAX,
    }
}

/// Whether colours are wanted on stdout.
pub(crate) fn coloured() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}
