//! A program: an integration with every command.

use std::ffi::OsString;
use std::fmt;
use std::num::NonZero;
use std::path::Path;
use std::process::ExitCode;

use clap::{ColorChoice, Command, FromArgMatches};
use integration_sdk::Integration;

use crate::arguments::{self, Arguments};
use crate::console::Console;
use crate::context::Context;
use crate::sample::{Sample, StartSample};
use crate::threads::Threads;
use crate::{command, exit, failure::Failure, interrupt, logs};

/// Threads that check objects and read the store, at the most: each keeps memory of its own.
const BLOCKING_THREADS: usize = 8;

/// The program of an integration.
pub struct Program {
    integration: Integration,
    version: Option<&'static str>,
    sample: Option<StartSample>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("integration", &self.integration).finish_non_exhaustive()
    }
}

impl Program {
    /// The program of an integration, without an imitation of its provider.
    pub fn new(integration: Integration) -> Self {
        Self { integration, version: None, sample: None }
    }

    /// What `--version` prints; usually `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = Some(version);
        self
    }

    /// Offers `--sample`, which collects from an imitation of the provider.
    #[must_use]
    pub fn sample<F, Fut>(mut self, start: F) -> Self
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = std::io::Result<Sample>> + 'static,
    {
        self.sample = Some(Box::new(move || Box::pin(start())));
        self
    }

    /// Does what the command line of this process asks for.
    pub fn main(self) -> ExitCode {
        ExitCode::from(self.run(std::env::args_os().collect()))
    }

    fn run(&self, words: Vec<OsString>) -> u8 {
        let name = self.name(words.first());
        let line = arguments::command_line(&self.integration, &name, self.version, self.sample.is_some());
        let matches = line.clone().try_get_matches_from(words);
        let arguments = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
            Ok(arguments) => arguments,
            Err(error) => {
                // There is nobody left to tell where the stream is gone.
                let _ = error.print();
                return if error.use_stderr() { exit::USAGE } else { exit::SUCCESS };
            }
        };
        use_colours(arguments.globals.color);
        let console = Console::new(arguments.globals.quiet, arguments.globals.log_format);
        logs::begin(&arguments.globals, &console);
        let outcome = self.execute(&arguments, line, &name, console.clone());
        outcome.unwrap_or_else(|failure| {
            console.fail(&failure.render(&name));
            failure.code()
        })
    }

    fn execute(&self, arguments: &Arguments, line: Command, name: &str, console: Console) -> Result<u8, Failure> {
        // More than the processors can run at once would not be faster.
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = Threads::allowed(processors, BLOCKING_THREADS)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.workers)
            .max_blocking_threads(threads.blocking)
            .enable_all()
            .build()
            .map_err(Failure::Start)?;
        let context = Context {
            integration: &self.integration,
            start_sample: self.sample.as_ref(),
            program: name,
            line,
            globals: &arguments.globals,
            console,
        };
        runtime.block_on(async {
            interrupt::survive_full_files();
            command::run(&context, &arguments.command).await
        })
    }

    /// As it was called, so that what we advise can be typed.
    fn name(&self, called: Option<&OsString>) -> String {
        let called = called.and_then(|path| Path::new(path).file_stem()).and_then(|name| name.to_str());
        called.map_or_else(|| format!("integration-{}", self.integration.id()), str::to_owned)
    }
}

fn use_colours(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}
