//! The options that select the receiver in JupiterOne.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use integration_sdk::http::Network;
use integration_sdk::secrecy::{ExposeSecret, SecretString};
use integration_sdk::url::Url;
use integration_secrets::SecretReference;
use integration_sink_jupiterone::{BatchLimits, JobSource, SyncOptions, Target, US_BASE, Waiting};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::variables::Variables;
use crate::{options, secrets};

/// The variables of the API key, the account id, and the address.
const API_KEY: [&str; 2] = ["JUPITERONE_API_KEY", "J1_API_TOKEN"];
const ACCOUNT: [&str; 1] = ["JUPITERONE_ACCOUNT"];
const BASE: [&str; 1] = ["JUPITERONE_API_BASE_URL"];

/// The address of JupiterOne's development environment.
const DEVELOPMENT: &str = "https://api.dev.jupiterone.io";

/// The maximum length of a name in a file name.
const LONGEST_NAME: usize = 60;

/// The receiver of an upload.
#[derive(Debug, Args)]
#[command(next_help_heading = "JupiterOne")]
pub(crate) struct Destination {
    /// Integration instance that the graph belongs to
    #[arg(short = 'i', long = "integration-instance-id", alias = "integrationInstanceId", value_name = "ID")]
    instance_id: Option<String>,
    /// Kind of the synchronization job [default: integration-managed]
    #[arg(long = "source", value_name = "SOURCE")]
    job_source: Option<SourceName>,
    /// Scope that the graph belongs to, with --source api
    #[arg(long, value_name = "NAME")]
    scope: Option<String>,
    /// Account id [default: JUPITERONE_ACCOUNT]
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Place of the API key: env:NAME, file:PATH, vault:NAME or command:PROGRAM [default: env:JUPITERONE_API_KEY]
    #[arg(long, value_name = "REFERENCE", value_parser = |text: &str| Ok::<_, String>(SecretString::from(text)))]
    api_key: Option<SecretString>,
    /// Address of the API [default: JUPITERONE_API_BASE_URL, or https://api.us.jupiterone.io]
    #[arg(long, value_name = "URL")]
    api_base_url: Option<String>,
    /// Leave the synchronization job open for uploads of other programs
    #[arg(long)]
    skip_finalize: bool,
    /// Use https://api.dev.jupiterone.io
    #[arg(short = 'd', long, conflicts_with = "api_base_url")]
    development: bool,
    /// Maximum number of objects per request; the number of bytes is limited as well
    #[arg(short = 'u', long, value_name = "N", value_parser = batch_size)]
    upload_batch_size: Option<NonZero<usize>>,
    /// The same for requests with relationships [default: as for entities]
    #[arg(long, value_name = "N")]
    upload_relationship_batch_size: Option<NonZero<usize>>,
    /// Maximum time to wait until JupiterOne has processed the upload [default: 30m]
    #[arg(long, value_name = "DURATION", value_parser = options::age)]
    wait: Option<Duration>,
}

/// The kind of a synchronization job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SourceName {
    /// An instance of an integration that JupiterOne manages
    IntegrationManaged,
    /// An instance of an integration that runs elsewhere
    IntegrationExternal,
    /// A scope without an instance
    Api,
}

/// The receiver as a report names it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receiver {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    pub(crate) source: &'static str,
    /// The integration instance or the scope.
    pub(crate) owner: String,
}

impl Receiver {
    /// Names the receiver for people.
    pub(crate) fn words(&self) -> String {
        let kind = if self.source == "api" { "scope" } else { "integration instance" };
        let account = self.account.as_ref().map(|account| format!("account {account}, ")).unwrap_or_default();
        format!("JupiterOne ({account}{kind} {})", self.owner)
    }
}

/// An upload that is ready to begin.
pub(crate) struct Prepared {
    pub(crate) receiver: Receiver,
    pub(crate) target: Target,
    pub(crate) options: SyncOptions,
}

impl Destination {
    /// Whether no option is given.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { instance_id, job_source, scope, account, api_key, api_base_url, .. } = self;
        let texts = [instance_id, scope, account, api_base_url];
        texts.iter().all(|text| text.is_none())
            && job_source.is_none()
            && api_key.is_none()
            && !self.skip_finalize
            && !self.development
            && self.upload_batch_size.is_none()
            && self.upload_relationship_batch_size.is_none()
            && self.wait.is_none()
    }

    /// Names the receiver, after a check of the options.
    pub(crate) fn receiver(&self, context: &Context<'_>) -> Result<Receiver, Failure> {
        let source = self.source()?;
        let account = self.account(&variables(context)?);
        Ok(Receiver { account, source: source.name(), owner: source.owner().to_owned() })
    }

    /// Reads the credentials and prepares an upload.
    pub(crate) async fn prepare(&self, context: &Context<'_>) -> Result<Prepared, Failure> {
        let source = self.source()?;
        let variables = variables(context)?;
        let account = self.account(&variables).ok_or_else(|| {
            Failure::Usage("the JupiterOne account is unknown: set JUPITERONE_ACCOUNT, or pass --account ID".to_owned())
        })?;
        let key = self.api_key(&variables, &context.globals.data_dir).await?;
        let given = self.api_base_url.as_deref().or(self.development.then_some(DEVELOPMENT));
        let base = given.or_else(|| variables.value(&BASE)).unwrap_or(US_BASE);
        let base: Url = base
            .parse()
            .map_err(|error| Failure::Usage(format!("the address of the JupiterOne API is unusable: {error}")))?;
        let network = Network::from_variables(|name| std::env::var_os(name));
        let receiver =
            Receiver { account: Some(account.clone()), source: source.name(), owner: source.owner().to_owned() };
        let journal = Some(journal(&context.globals.data_dir, &account, source.owner()));
        let objects = self.upload_batch_size.map_or(usize::MAX, NonZero::get);
        let relationships = self.upload_relationship_batch_size.map_or(objects, NonZero::get);
        let limits = BatchLimits { objects, relationships, ..BatchLimits::default() };
        let waiting = Waiting { limit: self.wait.unwrap_or(Waiting::default().limit), ..Waiting::default() };
        let options =
            SyncOptions { limits, finalizes: !self.skip_finalize, waiting, journal, ..SyncOptions::new(source) };
        Ok(Prepared { receiver, target: Target::new(account, key).base(base).network(network), options })
    }

    fn source(&self) -> Result<JobSource, Failure> {
        let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
        let name = self.job_source.unwrap_or(SourceName::IntegrationManaged);
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        match (name, filled(&self.instance_id), filled(&self.scope)) {
            (SourceName::Api, None, Some(scope)) => Ok(JobSource::Api { scope }),
            (SourceName::Api, _, None) => usage("--source api needs --scope NAME"),
            (SourceName::Api, Some(_), _) => usage("--source api takes no --integration-instance-id"),
            (_, None, _) => usage("pass --integration-instance-id ID, or --source api with --scope NAME"),
            (_, Some(_), Some(_)) => usage("--scope is only for --source api"),
            (SourceName::IntegrationManaged, Some(id), None) => {
                Ok(JobSource::IntegrationManaged { integration_instance_id: id, integration_job_id: None })
            }
            (SourceName::IntegrationExternal, Some(id), None) => {
                Ok(JobSource::IntegrationExternal { integration_instance_id: id, integration_job_id: None })
            }
        }
    }

    fn account(&self, variables: &Variables) -> Option<String> {
        self.account.as_deref().or_else(|| variables.value(&ACCOUNT)).map(str::to_owned)
    }

    async fn api_key(&self, variables: &Variables, data_dir: &Path) -> Result<SecretString, Failure> {
        let Some(reference) = &self.api_key else {
            let key = variables.value(&API_KEY).map(SecretString::from);
            return key.ok_or_else(|| {
                Failure::Usage(
                    "the JupiterOne API key is unknown: set JUPITERONE_API_KEY, or pass `--api-key file:PATH`"
                        .to_owned(),
                )
            });
        };
        let reference: SecretReference = reference.expose_secret().parse().map_err(|_| {
            Failure::Usage(
                "`--api-key` takes the place of the key, such as env:NAME or file:PATH. A key on the command line is visible in \
                 the list of processes and in the history of the shell, so it is refused; set JUPITERONE_API_KEY instead"
                    .to_owned(),
            )
        })?;
        Ok(secrets::resolver(data_dir).resolve(&reference).await?)
    }
}

/// Parses a number of objects. `-ur`, an option of other uploaders, arrives here as the value `r`.
fn batch_size(text: &str) -> Result<NonZero<usize>, String> {
    match text {
        "r" => Err("for -ur, write --upload-relationship-batch-size N".to_owned()),
        _ => text.parse().map_err(|error: std::num::ParseIntError| error.to_string()),
    }
}

fn variables(context: &Context<'_>) -> Result<Variables, Failure> {
    Ok(Variables::read(Path::new(""), None, context.integration)?)
}

/// The file that records the open job of an owner.
fn journal(data_dir: &Path, account: &str, owner: &str) -> PathBuf {
    let name = |text: &str| -> String {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        text.chars().take(LONGEST_NAME).map(plain).collect()
    };
    data_dir.join("sync").join(format!("jupiterone-{}-{}.json", name(account), name(owner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_a_job_stays_in_its_folder() {
        let path = journal(Path::new("data"), "../x", &"ä/".repeat(100));
        assert_eq!(path.parent(), Some(Path::new("data/sync")));
        assert!(path.file_name().expect("a name").len() < 150);
    }
}
