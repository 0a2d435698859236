//! What ends a command with an error: the message, its causes, what to do, and the exit code.

use std::error::Error;
use std::fmt;
use std::io::IsTerminal;
use std::path::PathBuf;

use integration_sdk::config::ConfigError;
use integration_sdk::dataset::DatasetError;
use integration_sdk::http::EndpointError;
use integration_sdk::plan::{PlanError, PlanErrors};
use integration_sdk::recording::RecordingError;
use integration_sdk::schema::SchemaError;
use integration_sdk::secrets::take_out;
use integration_sdk::store::StoreError;
use integration_sdk::{JobError, SetupError};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use crate::exit;
use crate::scaffold::ScaffoldError;
use crate::style::printable;
use crate::threads::TooFew;
use crate::variables::VariablesError;

/// Why a command did not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error("the graph of job {job} is not written: {source}")]
    Export { job: String, folder: PathBuf, source: Box<DatasetError> },
    #[error("{stays}: {reason}")]
    Kept { stays: String, reason: &'static str },
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error(transparent)]
    Variables(#[from] VariablesError),
    #[error(transparent)]
    Scaffold(#[from] ScaffoldError),
    #[error("there are no jobs in {}", .0.display())]
    NoJobs(PathBuf),
    #[error("there is no job {wanted:?}{}", likely(nearest.as_deref()))]
    UnknownJob { wanted: String, nearest: Option<String> },
    #[error("several jobs begin with {wanted:?}: {}", .matching.join(", "))]
    AmbiguousJob { wanted: String, matching: Vec<String> },
    #[error("the job {0} has no summary yet: it is at work, or its process was killed")]
    UnfinishedJob(String),
    #[error("this integration has no imitation of its provider: --sample cannot be used")]
    NoSample,
    #[error("the imitation of the provider cannot be started: {0}")]
    Sample(#[source] std::io::Error),
    #[error("{0}")]
    Usage(String),
    #[error("{path}: {reason}", path = path.display())]
    Markers { path: PathBuf, reason: &'static str },
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot write to stdout: {0}")]
    Stdout(#[source] std::io::Error),
    #[error("the program cannot be started: {0}")]
    Start(#[source] std::io::Error),
    #[error(transparent)]
    Threads(#[from] TooFew),
}

macro_rules! through_job {
    ($($source:ty),*) => {$(
        impl From<$source> for Failure {
            fn from(error: $source) -> Self {
                Self::Job(error.into())
            }
        }
    )*};
}
through_job!(PlanErrors, PlanError, SetupError, SchemaError, StoreError);

impl From<std::io::Error> for Failure {
    /// That of threads; an error of a file goes through [`Failure::file`], which names it.
    fn from(error: std::io::Error) -> Self {
        Self::Start(error)
    }
}

fn likely(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

impl Failure {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NoJobs(_) | Self::UnknownJob { .. } | Self::AmbiguousJob { .. } => exit::USAGE,
            Self::NoSample | Self::Usage(_) | Self::Scaffold(_) => exit::USAGE,
            Self::Job(JobError::Store(StoreError::Complete { .. }) | JobError::Resume(_)) => exit::USAGE,
            Self::Job(JobError::Plan(errors)) if errors.0.iter().all(is_selection) => exit::USAGE,
            _ => exit::FAILED,
        }
    }

    /// What to do about it.
    fn help(&self, program: &str) -> Option<String> {
        match self {
            Self::Job(JobError::Setup(error)) => setup_help(error, program),
            Self::Job(JobError::Schema(_)) => {
                Some(format!("`{program} validate schemas` checks class and type schemas by themselves"))
            }
            Self::NoJobs(_) => Some(format!("`{program} collect` makes one; --data-dir says where jobs are kept")),
            Self::UnknownJob { .. } | Self::AmbiguousJob { .. } => {
                Some(format!("`{program} jobs list` shows the jobs; the beginning of an id is enough"))
            }
            Self::UnfinishedJob(job) => {
                Some(format!("if its process is gone, go on with it: `{program} collect --resume {job}`"))
            }
            Self::Dataset(DatasetError::Missing { .. }) => {
                Some("name the folder that was given to `collect --output`: it holds a folder `graph`".to_owned())
            }
            Self::Export { job, folder, .. } => Some(format!(
                "the job is kept, and the folder stays as it was; `{program} export {job} --output {}` writes the graph again",
                folder.display()
            )),
            Self::Kept { .. } => {
                Some(format!("`{program} jobs list` shows the jobs; `{program} export JOB` writes another one"))
            }
            Self::Job(JobError::Store(StoreError::Complete { job })) => {
                Some(format!("`{program} export {job} --output DIR` writes its graph as files"))
            }
            Self::Variables(VariablesError::Malformed { .. }) => {
                Some("write NAME=value, and put values with line breaks or ` #` into quotes".to_owned())
            }
            Self::Scaffold(ScaffoldError::Name { .. }) => Some(format!("such as `{program} new acme-cloud`")),
            Self::Scaffold(ScaffoldError::Occupied { .. }) => {
                Some("choose another name, or another folder with --folder: nothing is written over".to_owned())
            }
            Self::Scaffold(ScaffoldError::NoSdk { .. }) => {
                Some("--sdk names a checkout of the SDK, the folder that holds the folder `sdk`".to_owned())
            }
            Self::Scaffold(ScaffoldError::NoCheckout) => {
                Some(format!("`{program} new NAME --sdk DIR` names a checkout, the folder that holds the folder `sdk`"))
            }
            Self::Markers { .. } => Some(format!("leave one pair of lines, in this order: {}", markers())),
            _ => None,
        }
    }

    /// The error as people read it: drawn on a terminal, plain elsewhere.
    pub(crate) fn render(&self, program: &str) -> String {
        let mut messages = vec![printable(&take_out(&self.to_string()))];
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = printable(&take_out(&error.to_string()));
            // Many messages end with their cause already.
            if messages.iter().all(|message| !message.contains(&text)) {
                messages.push(text);
            }
            cause = error.source();
        }
        let help = self.help(program);
        let drawn = std::io::stderr().is_terminal().then(|| draw(&messages, help.as_deref())).flatten();
        drawn.unwrap_or_else(|| plain(&messages, help.as_deref()))
    }
}

fn markers() -> String {
    format!("{} and {}", crate::markdown::BEGIN, crate::markdown::END)
}

fn is_selection(error: &PlanError) -> bool {
    matches!(error, PlanError::UnknownStep { .. } | PlanError::UnknownSourceSelection { .. })
}

fn setup_help(error: &SetupError, program: &str) -> Option<String> {
    match error {
        SetupError::Config(ConfigError::Missing { .. }) => {
            Some(format!("`{program} validate config` shows every field and the variables that set it"))
        }
        SetupError::Endpoint(EndpointError::PlainHttp { .. }) => Some("--allow-http allows it".to_owned()),
        SetupError::Config(ConfigError::Invalid { .. }) | SetupError::Endpoint(_) => None,
        SetupError::Clock(_) => {
            Some("set the clock, for example by NTP: certificates and dates depend on it".to_owned())
        }
        SetupError::Provider(error) => match error.code() {
            "PROVIDER_AUTHENTICATION_ERROR" | "PROVIDER_AUTHORIZATION_ERROR" => {
                Some(format!("check the credentials: `{program} validate config` shows where they come from"))
            }
            "PROVIDER_RETRIES_EXCEEDED_ERROR" if error.status() == Some(429) => {
                Some("the provider's rate limit is used up; try again later".to_owned())
            }
            _ => Some("check the network and the address in the configuration, then try again".to_owned()),
        },
    }
}

fn plain(messages: &[String], help: Option<&str>) -> String {
    let first = messages.first().map(String::as_str).unwrap_or_default();
    let causes = messages.iter().skip(1).map(|cause| format!("\n  caused by: {cause}"));
    let help = help.map(|help| format!("\n  help: {help}"));
    format!("error: {first}{}{}", causes.collect::<String>(), help.unwrap_or_default())
}

fn draw(messages: &[String], help: Option<&str>) -> Option<String> {
    let mut drawn: Option<Drawn> = None;
    for (at, message) in messages.iter().enumerate().rev() {
        let help = if at == 0 { help.map(str::to_owned) } else { None };
        drawn = Some(Drawn { message: message.clone(), cause: drawn.map(Box::new), help });
    }
    let mut text = String::new();
    let columns = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
        .with_width(columns.clamp(20, 120))
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation);
    handler.render_report(&mut text, &drawn?).ok()?;
    Some(text.trim_end().to_owned())
}

/// An error as the drawing library wants it.
#[derive(Debug)]
struct Drawn {
    message: String,
    cause: Option<Box<Drawn>>,
    help: Option<String>,
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Drawn {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl Diagnostic for Drawn {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }
}

#[cfg(test)]
mod tests {
    use integration_sdk::graph::StepId;

    use super::*;

    #[test]
    fn a_name_that_is_not_there_is_wrong_usage_and_a_broken_plan_is_not() {
        let step = StepId::literal("fetch-teams");
        let unknown = PlanError::UnknownStep { step: step.clone(), known: Vec::new() };
        assert_eq!(Failure::from(unknown).code(), exit::USAGE);
        let broken = PlanError::NoPublisher { step, data: "x".into() };
        assert_eq!(Failure::from(broken).code(), exit::FAILED);
    }

    #[test]
    fn a_cause_that_the_message_tells_already_is_not_told_twice() {
        let failure = Failure::File { action: "write", path: "x".into(), source: std::io::Error::other("disk full") };
        assert_eq!(plain(&[failure.to_string()], None), "error: cannot write x: disk full");
        assert_eq!(failure.render("space").matches("disk full").count(), 1);
    }
}
