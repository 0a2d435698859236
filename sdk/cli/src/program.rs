//! The program of an integration, with all commands.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::process::ExitCode;

use clap::{ColorChoice, Command, FromArgMatches};
use integration_sdk::Integration;

use crate::arguments::{self, Arguments};
use crate::console::Console;
use crate::context::Context;
use crate::sample::{Sample, StartSample};
use crate::shell::called;
use crate::threads::Threads;
use crate::visible::{visible, visible_lines};
use crate::{command, exit, failure::Failure, interrupt, logs};

/// The maximum number of threads that check objects and read the store; each one uses additional memory.
const BLOCKING_THREADS: usize = 8;

/// The program of an integration.
pub struct Program {
    integration: Integration,
    version: Option<&'static str>,
    sample: Option<StartSample>,
    questions: Option<&'static str>,
    rules: Option<&'static str>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("integration", &self.integration).finish_non_exhaustive()
    }
}

impl Program {
    /// Creates a program without a fake provider.
    pub fn new(integration: Integration) -> Self {
        Self { integration, version: None, sample: None, questions: None, rules: None }
    }

    /// Sets the output of `--version`; usually `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = Some(version);
        self
    }

    /// Adds a pack of questions, in the form of `questions.yaml`, which `questions run` asks without a file.
    #[must_use]
    pub fn questions(mut self, pack: &'static str) -> Self {
        self.questions = Some(pack);
        self
    }

    /// Adds rules in YAML, which `rules run` evaluates without a file.
    #[must_use]
    pub fn rules(mut self, rules: &'static str) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Adds `--sample`, which collects from a fake provider.
    #[must_use]
    pub fn sample<F, Fut>(mut self, start: F) -> Self
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = std::io::Result<Sample>> + 'static,
    {
        self.sample = Some(Box::new(move || Box::pin(start())));
        self
    }

    /// Runs the command that is given on the command line of this process.
    pub fn main(self) -> ExitCode {
        ExitCode::from(self.run(std::env::args_os().collect()))
    }

    fn run(&self, words: Vec<OsString>) -> u8 {
        let name = self.name(words.first());
        let is_odd = words.iter().any(is_odd);
        let line = arguments::command_line(&self.integration, &name, self.version, self.sample.is_some());
        let matches = line.clone().try_get_matches_from(words);
        let arguments = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
            Ok(arguments) => arguments,
            Err(error) => {
                // A failure to write the message cannot be reported anywhere.
                let _ = match is_odd && error.use_stderr() {
                    true => write!(std::io::stderr(), "{}", visible_lines(&error.render().to_string())),
                    false => error.print(),
                };
                return if error.use_stderr() { exit::USAGE } else { exit::SUCCESS };
            }
        };
        use_colours(arguments.globals.color);
        let console = Console::new(arguments.globals.quiet, arguments.globals.log_format);
        logs::begin(&arguments.globals, &console);
        let outcome = self.execute(&arguments, line, &name, console.clone());
        outcome.unwrap_or_else(|failure| {
            console.fail(&failure.render(&called(&name, &arguments.globals.data_dir)));
            failure.code()
        })
    }

    fn execute(&self, arguments: &Arguments, line: Command, name: &str, console: Console) -> Result<u8, Failure> {
        // More workers than processors would not be faster.
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
            questions: self.questions,
            rules: self.rules,
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

    /// The name that started the program, so that suggested commands can be copied.
    fn name(&self, called: Option<&OsString>) -> String {
        let called = called.and_then(|path| Path::new(path).file_stem()).and_then(|name| name.to_str());
        called.map_or_else(|| format!("integration-{}", self.integration.id()), visible)
    }
}

/// Whether a word of the command line must not be printed as it is.
fn is_odd(word: &OsString) -> bool {
    let word = word.to_string_lossy();
    visible(&word) != word
}

fn use_colours(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}
