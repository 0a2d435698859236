//! The state that every command uses.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::Command;
use integration_instances::Instance;
use integration_sdk::config::Values;
use integration_sdk::graph::InstanceId;
use integration_sdk::http::Network;
use integration_sdk::{Integration, owner_only};
use serde::Serialize;
use serde_json::Value;

use crate::account::{Account, Origin};
use crate::console::Console;
use crate::failure::Failure;
use crate::instances;
use crate::limits::{self, BUFFER, Limits};
use crate::offer::Offers;
use crate::options::Globals;
use crate::plain::Plain;
use crate::sample::StartSample;
use crate::shell::called;
use crate::style::printable_path;
use crate::variables::Variables;
use crate::visible::visible_json;

/// One invocation of the program.
pub(crate) struct Context<'a> {
    /// The selected integration.
    pub(crate) integration: &'a Integration,
    /// All integrations of the program, whose graphs share the data directory.
    pub(crate) offers: &'a Offers,
    pub(crate) start_sample: Option<&'a StartSample>,
    /// The questions that belong to the integration, as YAML.
    pub(crate) questions: Option<&'static str>,
    /// The program's name as given on the command line.
    pub(crate) program: &'a str,
    /// The definition of the command line.
    pub(crate) line: Command,
    pub(crate) globals: &'a Globals,
    pub(crate) console: Console,
}

/// The configuration of an account, with the resources that it depends on.
pub(crate) struct Configured {
    pub(crate) variables: Variables,
    pub(crate) values: Values,
    /// The instance that jobs belong to.
    pub(crate) instance: InstanceId,
    /// The configured instance, if there is one of this name.
    pub(crate) settings: Option<Instance>,
    /// The proxies and certificates of the environment; none for the fake provider, which runs on this machine.
    pub(crate) network: Network,
    _server: Option<Box<dyn Any + Send>>,
}

impl Context<'_> {
    /// Returns the name of the program for the receivers of deliveries.
    pub(crate) fn agent(&self) -> String {
        format!("{}/{}", self.program, env!("CARGO_PKG_VERSION"))
    }

    /// Reads the configuration of an account, or starts the fake provider.
    pub(crate) async fn configured(&self, account: &Account) -> Result<Configured, Failure> {
        if let Some(instance) = self.instance_of(account)? {
            return self.configured_instance(account, instance).await;
        }
        let (variables, server) = if account.origin == Origin::Sample {
            let start = self.start_sample.ok_or(Failure::NoSample)?;
            let sample = start().await.map_err(Failure::Sample)?;
            (Variables::sample(sample.values), Some(sample.server))
        } else {
            (Variables::read(Path::new(""), account.name.as_ref().map(InstanceId::as_str), self.integration)?, None)
        };
        if let Some(path) = &variables.absent {
            self.console.note(&format!("{} does not exist; using the environment and .env", printable_path(path)));
        }
        let mut values = variables.values(self.integration);
        if let Some(mismatch) = variables.mismatched_address(self.integration, &values) {
            // The key may go to a foreign host, so the warning is shown even with `--quiet`.
            match self.globals.quiet {
                true => self.console.warn(&mismatch.to_string()),
                false => tracing::warn!("{mismatch}"),
            }
        }
        if self.globals.allow_http {
            values.allow_plain_http();
        }
        let network = match account.origin {
            Origin::Sample => Network::default(),
            _ => self.network(),
        };
        let instance = account.instance();
        Ok(Configured { values, variables, instance, settings: None, network, _server: server })
    }

    /// Returns the instance in `instances.yaml` that an account of the provider has.
    fn instance_of(&self, account: &Account) -> Result<Option<Instance>, Failure> {
        match account.origin {
            Origin::Provider => instances::find(&self.globals.data_dir, self.integration, &account.instance()),
            Origin::Sample | Origin::Replay => Ok(None),
        }
    }

    /// Reads the secrets of a configured instance. The environment and `.env` files are left aside.
    async fn configured_instance(&self, account: &Account, instance: Instance) -> Result<Configured, Failure> {
        let instance = instances::fitting(self.integration, instance)?;
        if let Some(name) = &account.name {
            let file = format!(".env.{name}");
            if Path::new(&file).exists() {
                self.console.note(&format!("{file} is not used, because {name} is a configured instance."));
            }
        }
        let secrets = instances::resolver(&self.globals.data_dir);
        let mut values = instances::values(self.integration, &instance, &secrets, &BTreeMap::new()).await?;
        if self.globals.allow_http {
            values.allow_plain_http();
        }
        Ok(Configured {
            variables: Variables::instance(self.integration, &instance),
            values,
            instance: account.instance(),
            settings: Some(instance),
            network: self.network(),
            _server: None,
        })
    }

    /// Returns the proxies and certificates of the environment.
    pub(crate) fn network(&self) -> Network {
        Network::from_variables(|name| std::env::var_os(name))
    }

    /// Loads the class schemas of a folder, if one is given.
    pub(crate) fn class_schemas(&self, folder: Option<&Path>) -> Result<BTreeMap<String, Value>, Failure> {
        match folder {
            Some(folder) => Ok(integration_sdk::schema::load_directory(folder)?),
            None => Ok(BTreeMap::new()),
        }
    }

    /// The program name with the options that select integration and data directory, for commands in messages.
    pub(crate) fn called(&self) -> String {
        called(self.program, self.globals.integration.as_deref(), &self.globals.data_dir)
    }

    /// The program name with the options that select an integration of the program and the data directory.
    pub(crate) fn called_for(&self, integration: &str) -> String {
        let other = (integration != self.offers.first().id()).then_some(integration);
        called(self.program, other, &self.globals.data_dir)
    }

    /// Writes text to stdout.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        self.console.print(text).map_err(Failure::Stdout)
    }

    /// Writes text to a file that only its owner can read, without colours, or to stdout.
    pub(crate) fn deliver(&self, output: Option<&Path>, text: &str) -> Result<(), Failure> {
        let Some(path) = output else { return self.print(text) };
        let plain = anstream::adapter::strip_str(text).to_string();
        let put = || {
            path.parent().map_or(Ok(()), owner_only::create_folder)?;
            owner_only::create(path)?.write_all(plain.as_bytes())
        };
        put().map_err(Failure::file("write", path))?;
        self.console.note(&format!("Wrote {}.", printable_path(path)));
        Ok(())
    }

    /// Writes text like [`deliver`](Self::deliver), piece by piece and within the limits of a query.
    ///
    /// A file is replaced when everything is written.
    pub(crate) fn stream(
        &self,
        output: Option<&Path>,
        limits: &Limits,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let Some(path) = output else {
            return self.console.stream(limits, write).map_err(|error| limits::failure(error, Failure::Stdout));
        };
        let plain = |file: &mut File| {
            let mut out = BufWriter::with_capacity(BUFFER, Plain::new(limits.writer(file)));
            write(&mut out)?;
            out.flush()
        };
        let put = || {
            path.parent().map_or(Ok(()), owner_only::create_folder)?;
            let is_device = path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
            if is_device { plain(&mut owner_only::create(path)?) } else { owner_only::replace_with(path, plain) }
        };
        put().map_err(|error| limits::failure(error, Failure::file("write", path)))?;
        self.console.note(&format!("Wrote {}.", printable_path(path)));
        Ok(())
    }

    /// Writes one JSON document to stdout.
    pub(crate) fn print_json(&self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(document).map_err(|error| Failure::Stdout(error.into()))?;
        self.print(&(visible_json(&text) + "\n"))
    }
}
