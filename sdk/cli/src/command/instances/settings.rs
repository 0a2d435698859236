//! The options that describe an instance.

use clap::Args;
use integration_instances::{Age, ConfigValue, Instance, Polling};
use integration_scheduler::{PollingInterval, PollingTime};
use integration_sdk::Integration;
use integration_sdk::config::Field;
use integration_secrets::SecretReference;

use crate::command::sources::Sources;
use crate::failure::Failure;
use crate::report::text::list;

#[derive(Debug, Args)]
pub(super) struct Settings {
    /// Description for people; an empty text removes it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Time between two runs: DISABLED, THIRTY_MINUTES, ONE_HOUR, FOUR_HOURS, EIGHT_HOURS, TWELVE_HOURS, ONE_DAY or ONE_WEEK
    #[arg(long, value_name = "INTERVAL", conflicts_with = "cron", value_parser = Polling::interval)]
    pub(super) interval: Option<PollingInterval>,
    /// Hour of the runs of ONE_DAY and ONE_WEEK, in UTC
    #[arg(long, value_name = "HOUR", requires = "interval")]
    hour: Option<u8>,
    /// Day of the runs of ONE_WEEK, from 0 for Sunday to 6
    #[arg(long, value_name = "DAY", requires = "interval")]
    day: Option<u8>,
    /// Times of the runs as a cron expression of five fields
    #[arg(long, value_name = "EXPRESSION")]
    cron: Option<String>,
    /// Time zone of --cron, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "cron")]
    time_zone: Option<String>,
    /// Value of a configuration field; a secret is a reference: env:NAME, file:PATH or command:PROGRAM ARG…
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Field whose secret is entered in the terminal, or read from stdin, and kept encrypted
    #[arg(long, value_name = "FIELD")]
    pub(super) secret: Vec<String>,
    #[command(flatten)]
    sources: Sources,
    /// Keep the data under objects that have not changed since the last job, as `collect --only-changed` does
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    only_changed: Option<bool>,
    /// Number of newest jobs to keep; older ones are deleted after a run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_jobs: Option<u32>,
    /// Age up to which jobs are kept, such as 90d
    #[arg(long, value_name = "AGE")]
    keep_for: Option<Age>,
    /// Value of tag.AccountName of every entity; an empty text removes it
    #[arg(long, value_name = "NAME")]
    tag_account_name: Option<String>,
    /// Save the instance without a test of its credentials
    #[arg(long)]
    pub(super) no_test: bool,
}

impl Settings {
    /// Applies the options to an instance.
    pub(super) fn apply(&self, integration: &Integration, instance: &mut Instance) -> Result<(), Failure> {
        let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
        self.sources.check()?;
        let given = |text: &Option<String>| text.clone().map(|text| Some(text).filter(|text| !text.is_empty()));
        if let Some(description) = given(&self.description) {
            instance.description = description;
        }
        if let Some(name) = given(&self.tag_account_name) {
            instance.account_name = name;
        }
        if let Some(interval) = self.interval {
            let time = PollingTime { hour: self.hour, day_of_week: self.day };
            instance.polling = Polling::every(interval, time).map_err(|error| usage(&error))?;
        }
        if let Some(expression) = &self.cron {
            instance.polling = Polling::cron(expression, self.time_zone.as_deref()).map_err(|error| usage(&error))?;
        }
        for text in &self.set {
            let (field, value) = value(integration, text)?;
            instance.config.insert(field.name.to_owned(), value);
        }
        instance.ingestion_sources.extend(self.sources.switched());
        instance.only_changed = self.only_changed.unwrap_or(instance.only_changed);
        instance.retention.newest = self.keep_jobs.or(instance.retention.newest);
        if let Some(age) = &self.keep_for {
            instance.retention.younger_than = Some(age.clone());
        }
        Ok(())
    }

    /// Returns whether the options change the credentials or other values of the configuration.
    pub(super) fn change_config(&self) -> bool {
        !self.set.is_empty() || !self.secret.is_empty()
    }
}

/// Returns the field with a name.
///
/// The message shows only the part before `=`, because the rest may be a secret.
pub(super) fn field<'a>(integration: &'a Integration, name: &str) -> Result<&'a Field, Failure> {
    let shown = name.split('=').next().unwrap_or_default();
    integration.fields().iter().find(|field| field.name == name).ok_or_else(|| {
        let known = list(integration.fields().iter().map(|field| field.name));
        Failure::Usage(match known.as_str() {
            "" => format!("there is no field {shown:?}: {} has no configuration", integration.title()),
            _ => format!("there is no field {shown:?}; the fields are {known}"),
        })
    })
}

/// Parses `FIELD=VALUE`. A secret is refused, because other users can see the arguments of a process.
fn value<'a>(integration: &'a Integration, text: &str) -> Result<(&'a Field, ConfigValue), Failure> {
    let Some((name, text)) = text.split_once('=') else {
        return Err(Failure::Usage("--set expects FIELD=VALUE".to_owned()));
    };
    let field = field(integration, name)?;
    let value = ConfigValue::of_text(text).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    match value {
        ConfigValue::Plain(_) if field.masked => Err(Failure::Usage(refused(name))),
        ConfigValue::Secret(reference) => Ok((field, ConfigValue::Secret(absolute(reference)))),
        plain => Ok((field, plain)),
    }
}

fn refused(field: &str) -> String {
    format!(
        "the field {field} is secret, and a secret on the command line is visible to other users and in the history of the \
         shell. Use the reference env:NAME or file:PATH as the value of --set, or the option `--secret` with the name of the \
         field to enter it. If other users share this machine, replace the secret at the provider"
    )
}

/// Returns a reference that does not depend on the current directory.
pub(super) fn absolute(reference: SecretReference) -> SecretReference {
    match reference {
        SecretReference::File(path) if !path.starts_with("$CREDENTIALS_DIRECTORY") => {
            SecretReference::File(std::path::absolute(&path).unwrap_or(path))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test account.
    #[derive(Debug, integration_sdk::Config)]
    struct Account {
        /// The key.
        #[allow(dead_code)]
        api_key: integration_sdk::secrecy::SecretString,
        /// The region.
        #[allow(dead_code)]
        region: Option<String>,
    }

    fn parsed(text: &str) -> Result<ConfigValue, String> {
        let space = Integration::without_provider::<Account>("space", "Space");
        value(&space, text).map(|(_, value)| value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_accepted_as_a_reference_only_and_never_shown() {
        assert!(matches!(parsed("api_key=env:KEY"), Ok(ConfigValue::Secret(_))));
        assert!(matches!(parsed("region=eu"), Ok(ConfigValue::Plain(_))));
        for text in ["api_key=s3cret", "s3cret", "api_kee=s3cret", "api_key=env:s3cret with blanks"] {
            let error = parsed(text).expect_err("refused");
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert!(parsed("api_key=s3cret").expect_err("refused").contains("the option `--secret`"));
        let space = Integration::without_provider::<Account>("space", "Space");
        let error = field(&space, "api_key=s3cret").expect_err("no field").to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn a_relative_path_becomes_absolute() {
        let path = |text: &str| match absolute(text.parse().expect("a reference")) {
            SecretReference::File(path) => path,
            other => panic!("{other}"),
        };
        assert!(path("file:keys/heroku").is_absolute());
        let credential = "$CREDENTIALS_DIRECTORY/heroku";
        assert_eq!(path(&format!("file:{credential}")).to_str(), Some(credential));
    }
}
