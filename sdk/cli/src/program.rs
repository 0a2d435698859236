//! The program of an integration, with all commands.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ColorChoice, Command, FromArgMatches};
use integration_sdk::Integration;
use integration_sdk::http::Network;
use integration_server::{Clock, Options, Server};

use crate::arguments::{self, Arguments};
use crate::console::Console;
use crate::context::Context;
use crate::offer::{Offer, Offers};
use crate::sample::Sample;
use crate::serving::{self, RulePlaces, Settings};
use crate::shell::called;
use crate::threads::Threads;
use crate::visible::{visible, visible_lines};
use crate::{command, exit, failure::Failure, interrupt, logs};

/// The maximum number of threads that check objects and read the store; each one uses additional memory.
const BLOCKING_THREADS: usize = 8;

/// The program of one or more integrations.
///
/// With several integrations, each command works on the first one, or on the one that `--integration` selects. They
/// share the data directory, so a query spans the graphs of all of them:
///
/// ```no_run
/// # use integration_cli::Program;
/// # use integration_sdk::Integration;
/// let space = Integration::without_provider::<()>("space", "Space");
/// let crew = Integration::without_provider::<()>("crew", "the crew");
/// Program::new(space).questions("questions: []").also(crew).main();
/// ```
pub struct Program {
    offers: Offers,
    version: Option<&'static str>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let integrations: Vec<_> = self.offers.iter().map(|offer| &offer.integration).collect();
        f.debug_struct("Program").field("integrations", &integrations).finish_non_exhaustive()
    }
}

impl Program {
    /// Creates a program without a fake provider.
    pub fn new(integration: Integration) -> Self {
        Self { offers: Offers::new(Offer::of(integration)), version: None }
    }

    /// Sets the output of `--version`; usually `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = Some(version);
        self
    }

    /// Adds another integration, which `--integration` selects by its id.
    ///
    /// The following questions, rules, and fake provider belong to it.
    #[must_use]
    pub fn also(mut self, integration: Integration) -> Self {
        self.offers.add(Offer::of(integration));
        self
    }

    /// Adds a pack of questions, in the form of `questions.yaml`, which `questions run` asks without a file.
    #[must_use]
    pub fn questions(mut self, pack: &'static str) -> Self {
        self.offers.last_mut().questions = Some(pack);
        self
    }

    /// Adds rules in YAML, which `rules run` evaluates without a file.
    #[must_use]
    pub fn rules(mut self, rules: &'static str) -> Self {
        self.offers.last_mut().rules = Some(rules);
        self
    }

    /// Adds `--sample`, which collects from a fake provider.
    #[must_use]
    pub fn sample<F, Fut>(mut self, start: F) -> Self
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = std::io::Result<Sample>> + 'static,
    {
        self.offers.last_mut().sample = Some(Box::new(move || Box::pin(start())));
        self
    }

    /// Opens the server of the command `serve`, with another clock.
    ///
    /// A program that embeds the server needs it, and so does a test of long times. The server has no endpoint, and handles
    /// no signals; the caller [runs](Server::run) it.
    ///
    /// # Errors
    /// An error if the rules are not usable, or if another server works on the data directory.
    pub fn server(
        &self,
        data_dir: &Path,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Server, Box<dyn std::error::Error + Send + Sync>> {
        let settings = Settings {
            data_dir: data_dir.to_owned(),
            integrations: self.offers.iter().map(|offer| offer.integration.clone()).collect(),
            network: Network::from_variables(|name| std::env::var_os(name)),
            allow_http: false,
            rules: RulePlaces::Store { packs: self.offers.iter().filter_map(|offer| offer.rules).collect() },
            allow_commands: false,
            agent: format!("integration-{}", self.offers.first().id()),
            clock,
        };
        settings.rules.read(data_dir).map_err(|failure| failure.to_string())?;
        Ok(serving::open(&settings, options)?)
    }

    /// Runs the command that is given on the command line of this process.
    pub fn main(self) -> ExitCode {
        ExitCode::from(self.run(std::env::args_os().collect()))
    }

    fn run(&self, words: Vec<OsString>) -> u8 {
        let name = self.name(words.first());
        let is_odd = words.iter().any(is_odd);
        let line = arguments::command_line(&self.offers, &name, self.version);
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
        logs::begin(&arguments.globals, &console, arguments.command.is_service());
        let outcome = self.execute(&arguments, line, &name, console.clone());
        outcome.unwrap_or_else(|failure| {
            let globals = &arguments.globals;
            console.fail(&failure.render(&called(&name, globals.integration.as_deref(), &globals.data_dir)));
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
        let offer = self.offers.selected(arguments.globals.integration.as_deref());
        let context = Context {
            integration: &offer.integration,
            offers: &self.offers,
            start_sample: offer.sample.as_ref(),
            questions: offer.questions,
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
        called.map_or_else(|| format!("integration-{}", self.offers.first().id()), visible)
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
