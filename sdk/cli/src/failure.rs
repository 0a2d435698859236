//! Errors that end a command: message, causes, help, and exit code.

use std::error::Error;
use std::fmt;
use std::io::IsTerminal;
use std::path::PathBuf;

use integration_instances::{InstancesError, Misfit};
use integration_query::QueryError;
use integration_query::diagnostic::{Diagnostics, Part};
use integration_query::graph::GraphError;
use integration_questions::PackError;
use integration_recording::RecordingError;
use integration_sdk::config::ConfigError;
use integration_sdk::dataset::DatasetError;
use integration_sdk::diff::FilesError;
use integration_sdk::graph::InstanceId;
use integration_sdk::graph::run::ErrorCode;
use integration_sdk::http::EndpointError;
use integration_sdk::plan::{PlanError, PlanErrors};
use integration_sdk::schema::SchemaError;
use integration_sdk::secrets::take_out;
use integration_sdk::store::StoreError;
use integration_sdk::{JobError, SetupError};
use integration_secrets::{SecretError, VaultError};
use integration_server::ServerError;
use integration_sink::SinkError;
use integration_sink_jupiterone::SyncError;
use integration_watch::{AddError, WatchError};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use crate::dotenv::Reason;
use crate::exit;
use crate::report::diagnostic;
use crate::report::text::list;
use crate::scaffold::ScaffoldError;
use crate::shell::quoted_path;
use crate::style::{BOLD, CYAN, FAINT, RED, paint, printable};
use crate::threads::TooFew;
use crate::variables::VariablesError;
use crate::visible::visible_lines;

/// The error that ended a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error("cannot write the graph of job {job}: {source}")]
    Export { job: String, folder: PathBuf, is_gone: bool, source: Box<DatasetError> },
    #[error("{stays}: {reason}")]
    Kept { stays: String, reason: &'static str },
    #[error(transparent)]
    Files(#[from] FilesError),
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
    #[error("no job of the integration {integration:?} has published a graph")]
    NoGraph { integration: String },
    #[error("job {job} belongs to the integration {integration:?}")]
    OtherIntegration { job: String, integration: String },
    #[error("no job has collected an object with the key {key:?}{}", in_instance(instance.as_ref()))]
    UnknownKey { key: String, instance: Option<InstanceId> },
    #[error("several jobs begin with {wanted:?}: {}", .matching.join(", "))]
    AmbiguousJob { wanted: String, matching: Vec<String> },
    #[error("job {0} has no summary yet: it is still running, or its process was killed")]
    UnfinishedJob(String),
    #[error("job {job} has no graph: it {}", if *ended { "ended before any step ran" } else { "is still running, or its process was killed" })]
    Unpublished { job: String, ended: bool },
    #[error("this integration has no fake provider, so --sample is not available")]
    NoSample,
    #[error("cannot start the fake provider: {0}")]
    Sample(#[source] std::io::Error),
    #[error("{0}")]
    Usage(String),
    #[error("{name}: {source}")]
    Pack { name: String, source: PackError },
    #[error("{name}: {error}")]
    Document { name: String, error: String },
    #[error("{source}")]
    Query { text: String, source: Box<QueryError> },
    #[error(transparent)]
    AccountGraph(#[from] GraphError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error(transparent)]
    ApiKey(#[from] SecretError),
    #[error("{path}: {reason}", path = path.display())]
    Markers { path: PathBuf, reason: &'static str },
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot write to stdout: {0}")]
    Stdout(#[source] std::io::Error),
    #[error("{} contains no object of a graph, so nothing was checked{}", folder.display(), ignored(unread))]
    NothingChecked { folder: PathBuf, unread: Vec<PathBuf> },
    #[error("cannot start the program: {0}")]
    Start(#[source] std::io::Error),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Threads(#[from] TooFew),
    #[error(transparent)]
    Instances(#[from] InstancesError),
    #[error("the instance {instance} cannot be used: {}", list(misfits))]
    Misfits { instance: InstanceId, misfits: Vec<Misfit> },
    #[error("the instance {instance} has no {field}: {source}")]
    Secret { instance: InstanceId, field: String, source: SecretError },
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error(transparent)]
    AddRules(#[from] AddError),
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
    /// Converts an error of starting threads. Use [`Failure::file`] for errors of files.
    fn from(error: std::io::Error) -> Self {
        Self::Start(error)
    }
}

fn ignored(unread: &[PathBuf]) -> String {
    match unread {
        [] => String::new(),
        [only] => format!("; the file {} was not read", only.display()),
        [first, ..] => format!("; {} files were not read, such as {}", unread.len(), first.display()),
    }
}

fn in_instance(instance: Option<&InstanceId>) -> String {
    instance.map(|name| format!(" in the instance {}", name.as_str())).unwrap_or_default()
}

fn likely(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

impl Failure {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// The error of a query with its text, which the message shows.
    pub(crate) fn query(text: &str, source: QueryError) -> Self {
        Self::Query { text: text.to_owned(), source: Box::new(source) }
    }

    /// Returns whether the user interrupted the command.
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Query { source, .. } if matches!(**source, QueryError::Cancelled))
    }

    /// The message in one line, with the likely remedies of errors in a query.
    pub(crate) fn summary(&self) -> String {
        match self.invalid() {
            Some((_, diagnostics)) => list(diagnostics.iter().map(diagnostic::in_one_line)),
            None => self.to_string(),
        }
    }

    /// The message without colours, with the places of errors in a query.
    pub(crate) fn shown(&self) -> String {
        match self.invalid() {
            Some((text, diagnostics)) => diagnostics.render(text),
            None => self.to_string(),
        }
    }

    /// The errors in the text of a query.
    fn invalid(&self) -> Option<(&str, &Diagnostics)> {
        match self {
            Self::Query { text, source } => match &**source {
                QueryError::Invalid(diagnostics) => Some((text, diagnostics)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NoJobs(_) | Self::UnknownJob { .. } | Self::AmbiguousJob { .. } | Self::UnknownKey { .. } => {
                exit::USAGE
            }
            Self::NoGraph { .. }
            | Self::OtherIntegration { .. }
            | Self::NoSample
            | Self::Usage(_)
            | Self::Scaffold(_)
            | Self::Pack { .. }
            | Self::Document { .. } => exit::USAGE,
            Self::Query { source, .. } if matches!(**source, QueryError::Invalid(_)) => exit::USAGE,
            Self::Sink(SinkError::Unsuitable(_)) => exit::USAGE,
            Self::AddRules(AddError::Names(_) | AddError::Problems(_)) | Self::Watch(WatchError::Settings(_)) => {
                exit::USAGE
            }
            Self::Job(
                JobError::Store(StoreError::Complete { .. } | StoreError::Superseded { .. }) | JobError::Resume(_),
            ) => exit::USAGE,
            Self::Job(JobError::Plan(errors)) if errors.0.iter().all(is_selection) => exit::USAGE,
            _ => exit::FAILED,
        }
    }

    /// The error of an upload to JupiterOne.
    fn sync(&self) -> Option<&SyncError> {
        match self {
            Self::Sync(error) => Some(error),
            Self::Sink(SinkError::Target { source, .. }) => source.downcast_ref(),
            _ => None,
        }
    }

    /// The next action for the user.
    fn help(&self, program: &str) -> Option<String> {
        if self.sync().is_some_and(SyncError::is_refused) {
            let help = "check the API key (JUPITERONE_API_KEY), the account id (JUPITERONE_ACCOUNT), and the permissions of the key";
            return Some(help.to_owned());
        }
        match self {
            Self::Job(JobError::Setup(error)) => setup_help(error, program),
            Self::Job(JobError::Schema(_)) => {
                Some(format!("run `{program} validate schemas` to list all defects of class and type schemas"))
            }
            Self::NoJobs(_) => {
                Some(format!("run `{program} collect` to create a job, or use --data-dir to select another folder"))
            }
            Self::NoGraph { .. } => Some(format!("run `{program} collect` first")),
            Self::OtherIntegration { integration, .. } => {
                Some(format!("add `--integration {integration}` if this program offers it"))
            }
            Self::UnknownKey { .. } => {
                Some(format!("run `{program} diff` or `{program} export --output DIR` to see keys; a key is matched as a whole"))
            }
            Self::UnknownJob { .. } | Self::AmbiguousJob { .. } => {
                Some(format!("run `{program} jobs list` to list the jobs; the first characters of an id are enough"))
            }
            Self::UnfinishedJob(job) | Self::Unpublished { job, ended: false } => {
                Some(format!("if its process is gone, run `{program} collect --resume {job}` to resume it"))
            }
            Self::Dataset(DatasetError::Missing { .. })
            | Self::Files(FilesError::Dataset(DatasetError::Missing { .. })) => {
                Some("use the folder of `collect --output`, which contains a folder named `graph`".to_owned())
            }
            Self::Export { job, folder, is_gone, source } => {
                let state = match **source {
                    _ if *is_gone => "the job is stored, but the folder was removed",
                    DatasetError::Unfinished { .. } => {
                        "the job and its graph are stored, and the folder shows the earlier graph or the new one until the \
                         next export to it"
                    }
                    _ => "the job is stored and the folder is unchanged",
                };
                let folder = quoted_path(folder);
                Some(format!("{state}; run `{program} export {job} --output {folder}` to try again"))
            }
            Self::Kept { .. } => Some(format!(
                "run `{program} jobs list` to list the jobs, and `{program} export JOB` to export another one"
            )),
            Self::Job(JobError::Store(StoreError::Complete { job })) => {
                Some(format!("run `{program} export {job} --output DIR` to write its graph as files"))
            }
            Self::Files(FilesError::Unidentified { .. }) => {
                Some("every object needs a _key and a _type; remove it, or export the graph again".to_owned())
            }
            Self::Files(FilesError::Summary { .. }) => Some(
                "export the graph again, or remove the file: the graph then counts as complete, and what it lacks as removed"
                    .to_owned(),
            ),
            Self::Variables(VariablesError::Malformed { reason, .. }) => {
                let help = match reason {
                    Reason::Form | Reason::Quotes => {
                        "write NAME=value, and quote values that contain line breaks or ` #`"
                    }
                    Reason::Expansion => "write the value without references",
                    Reason::Encoding => "save the file as UTF-8",
                };
                Some(help.to_owned())
            }
            Self::Scaffold(ScaffoldError::Name { .. }) => Some(format!("for example `{program} new acme-cloud`")),
            Self::Scaffold(ScaffoldError::Occupied { .. }) => Some(
                "choose another name, or another folder with --folder; existing files are never overwritten".to_owned(),
            ),
            Self::Scaffold(ScaffoldError::NoSdk { .. }) => {
                Some("pass --sdk the path of a checkout of the SDK, which contains a folder named `sdk`".to_owned())
            }
            Self::Scaffold(ScaffoldError::NoCheckout) => Some(format!(
                "run `{program} new NAME --sdk DIR` with the path of a checkout, which contains a folder named `sdk`"
            )),
            Self::NothingChecked { .. } => Some(
                "graphs are read from *.json files, which may be compressed with gzip (.gz) or Brotli (.br)".to_owned(),
            ),
            Self::Misfits { instance, .. } | Self::Secret { instance, .. } => Some(format!(
                "run `{program} instances set {instance}` to correct it, or edit instances.yaml in the data directory"
            )),
            Self::Markers { .. } => Some(format!("keep one pair of these lines, in this order: {}", markers())),
            _ => None,
        }
    }

    /// Renders the error for people: graphically on a terminal, as plain text elsewhere.
    pub(crate) fn render(&self, program: &str) -> String {
        if let Some((text, diagnostics)) = self.invalid() {
            return query_error(text, diagnostics);
        }
        if let Self::Pack { .. } | Self::Document { .. } = self {
            // The message shows lines of the file.
            return format!("error: {}", visible_lines(&self.to_string()).trim_end());
        }
        if let Self::Watch(WatchError::Settings(_)) | Self::AddRules(AddError::Problems(_)) = self {
            return format!("error: {}", visible_lines(&take_out(&self.to_string())).trim_end());
        }
        let mut messages = vec![printable(&take_out(&self.to_string()))];
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = printable(&take_out(&error.to_string()));
            // Many messages already contain their cause.
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

/// Renders the errors of a query with the lines of its text.
fn query_error(text: &str, diagnostics: &Diagnostics) -> String {
    let coloured = |part, piece: &str| match part {
        Part::Message => paint(BOLD, piece),
        Part::Frame => paint(FAINT, piece),
        Part::Mark => paint(RED, piece),
        Part::Help => paint(CYAN, piece),
        _ => piece.to_owned(),
    };
    diagnostics.render_with(text, coloured).trim_end().to_owned()
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
            Some(format!("run `{program} validate config` to list all fields and the variables that set them"))
        }
        SetupError::Endpoint(EndpointError::PlainHttp { .. }) => {
            Some("use https://, or pass --allow-http to send credentials unencrypted".to_owned())
        }
        SetupError::Clock(_) => {
            Some("set the system clock, for example with NTP; certificates and dates depend on it".to_owned())
        }
        SetupError::Provider(error) | SetupError::Unconfirmed { source: error, .. } => match error.code() {
            ErrorCode::ProviderAuthentication | ErrorCode::ProviderAuthorization => {
                Some(format!("check the credentials; run `{program} validate config` to see their source"))
            }
            ErrorCode::ProviderRetriesExceeded if error.status() == Some(429) => {
                Some("the rate limit of the provider is exhausted; try again later".to_owned())
            }
            _ => Some("check the network and the address in the configuration, then try again".to_owned()),
        },
        // The messages of the other errors contain the remedy.
        _ => None,
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

/// An error in the form that miette renders.
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
    fn an_unknown_name_is_wrong_usage_and_a_broken_plan_is_not() {
        let step = StepId::literal("fetch-teams");
        let unknown = PlanError::UnknownStep { step: step.clone(), known: Vec::new() };
        assert_eq!(Failure::from(unknown).code(), exit::USAGE);
        let broken = PlanError::NoPublisher { step, data: "x".into() };
        assert_eq!(Failure::from(broken).code(), exit::FAILED);
    }

    #[test]
    fn a_cause_that_the_message_contains_is_not_repeated() {
        let failure = Failure::File { action: "write", path: "x".into(), source: std::io::Error::other("disk full") };
        assert_eq!(plain(&[failure.to_string()], None), "error: cannot write x: disk full");
        assert_eq!(failure.render("space").matches("disk full").count(), 1);
    }
}
