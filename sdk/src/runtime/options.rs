//! The stored options of a job, which a resume must not change.

use std::collections::{BTreeMap, BTreeSet};

use ring::digest::SHA256;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::config::Values;
use crate::graph::{JobId, StepId, is_this_machine};
use crate::integration::Integration;
use crate::schema::Validation;
use crate::store::JobRow;

/// All options that determine the result of a job, except the credentials and the concurrency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Options {
    pub(super) steps: Vec<StepId>,
    pub(super) sources: BTreeMap<String, bool>,
    pub(super) validation: Validation,
    pub(super) reuse_answers: bool,
    /// The complete class schemas, because their folder may change or disappear.
    pub(super) class_schemas: BTreeMap<String, Value>,
    /// The fields that are removed from raw data.
    pub(super) secret_fields: BTreeSet<String>,
    /// The set fields of the configuration that are not secret, as digests.
    pub(super) configuration: BTreeMap<String, String>,
    /// The name of the account with which entities are tagged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account_name: Option<String>,
    /// Whether the objects under unchanged parents are kept from the newest snapshot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) only_changed: bool,
}

/// The reason why a job cannot be resumed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The stored options cannot be read.
    #[error("the job {job} cannot be resumed: its options cannot be read ({source}). Start a new job")]
    Options {
        /// The job.
        job: JobId,
        /// The error.
        source: serde_json::Error,
    },
    /// The job belongs to another integration.
    #[error("the job {job} cannot be resumed: it belongs to the integration {theirs:?}, not to {ours:?}")]
    Integration {
        /// The job.
        job: JobId,
        /// The integration that started the job.
        theirs: String,
        /// The integration that should resume it.
        ours: String,
    },
    /// The job started with other class schemas.
    #[error(
        "the job {job} cannot be resumed with these class schemas: it began with others. Resume it without schemas, \
         which keeps those it began with, or start a new job"
    )]
    ClassSchemas {
        /// The job.
        job: JobId,
    },
    /// The secret fields of the integration have changed.
    #[error(
        "the job {job} cannot be resumed: the integration's secret fields have changed since it began ({fields}). \
         Start a new job"
    )]
    SecretFields {
        /// The job.
        job: JobId,
        /// The fields that were added or removed.
        fields: String,
    },
    /// The configuration has changed.
    #[error(
        "the job {job} cannot be resumed: the configuration has changed since it began ({fields}). Restore it, or start \
         a new job"
    )]
    Configuration {
        /// The job.
        job: JobId,
        /// The changed fields.
        fields: String,
    },
}

impl Options {
    /// Reads the options of a stored job.
    pub(super) fn of(job: &JobRow) -> Result<Self, ResumeError> {
        let unreadable = |source| ResumeError::Options { job: job.id.clone(), source };
        Self::deserialize(&job.options).map_err(unreadable)
    }

    /// Returns whether a job with these options requests the same data as one with the other options.
    ///
    /// The sources and the steps need no comparison, because those of a job that did not run are gaps.
    pub(super) fn requests_like(&self, other: &Self) -> bool {
        self.configuration == other.configuration && self.secret_fields == other.secret_fields
    }

    /// Compares the options with those of a resume, which may omit the class schemas.
    pub(super) fn check(&self, job: &JobId, now: &Self) -> Result<(), ResumeError> {
        let job = || job.clone();
        if !now.class_schemas.is_empty() && now.class_schemas != self.class_schemas {
            return Err(ResumeError::ClassSchemas { job: job() });
        }
        if now.secret_fields != self.secret_fields {
            let changed = now.secret_fields.symmetric_difference(&self.secret_fields);
            return Err(ResumeError::SecretFields { job: job(), fields: list(changed) });
        }
        let names: BTreeSet<&String> = self.configuration.keys().chain(now.configuration.keys()).collect();
        let differs = |name: &&&String| self.configuration.get(**name) != now.configuration.get(**name);
        let changed: Vec<&&String> = names.iter().filter(differs).collect();
        match changed.is_empty() {
            true => Ok(()),
            false => Err(ResumeError::Configuration { job: job(), fields: list(changed) }),
        }
    }
}

fn list(names: impl IntoIterator<Item = impl ToString>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

/// Returns digests of the set fields of the configuration that are not secret.
pub(super) fn configuration(integration: &Integration, values: &Values) -> BTreeMap<String, String> {
    let open = integration.fields().iter().filter(|field| !field.masked);
    let set = open.filter_map(|field| {
        let text = values.read::<Option<String>>(field.name, field.default).ok().flatten()?;
        Some((field.name.to_owned(), digest(&without_place(text))))
    });
    set.collect()
}

/// Removes credentials from a URL, and the port if its host is this machine.
///
/// The port of a local server, such as the fake provider, may differ in each run.
fn without_place(text: String) -> String {
    let Ok(mut url) = text.parse::<Url>() else { return text };
    let Some(is_here) = url.host_str().map(is_this_machine) else { return text };
    // These calls fail for URLs without an authority, which stay unchanged.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    if is_here {
        let _ = url.set_port(None);
    }
    url.into()
}

fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&SHA256, text.as_bytes());
    digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_whatever_its_credentials_and_on_this_computer_whatever_its_port() {
        let place = |text: &str| without_place(text.to_owned());
        assert_eq!(place("https://me:secret@api.example.com/v1"), "https://api.example.com/v1");
        assert_eq!(place("http://127.0.0.1:4711/v1"), place("http://127.0.0.1:9999/v1"));
        assert_ne!(place("https://api.example.com:1/"), place("https://api.example.com:2/"));
        assert_eq!(place("eu, us"), "eu, us");
    }
}
