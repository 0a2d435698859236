//! Databases as targets: their addresses and credentials.

use std::fmt;

use integration_sink::{Sink, SinkError};
use integration_sink_postgres::{PostgresSink, PostgresTarget};

use super::acknowledged::{self, Publication, Publications};
use super::password;
use super::transfer::Transfer;
use crate::context::Context;
use crate::failure::Failure;

/// A database server. Its text has no secrets.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    Postgres(PostgresTarget),
}

impl Database {
    /// The forms of addresses.
    pub(crate) const USAGE: [&str; 1] = ["postgres://USER@HOST/DATABASE"];

    /// Parses an address; `None` if the text belongs to no database. No message contains a password.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, String>> {
        match text.split_once("://")?.0 {
            "postgres" | "postgresql" => {
                let target = PostgresTarget::parse(text);
                Some(target.map(Self::Postgres).map_err(|error| error.to_string()))
            }
            _ => None,
        }
    }

    /// Adds the options that need no secrets.
    pub(crate) fn with(self, args: &Transfer) -> Result<Self, Failure> {
        let Self::Postgres(target) = self;
        Ok(Self::Postgres(match &args.schema {
            Some(schema) => target.schema(schema),
            None => target,
        }))
    }

    /// Reads the password.
    pub(crate) async fn with_access(self, context: &Context<'_>, args: &Transfer) -> Result<Self, Failure> {
        let Self::Postgres(target) = self;
        let password = match password::given(context, args.password.as_ref()).await? {
            Some(password) => Some(password),
            None => password::of_postgres(context, &target)?,
        };
        Ok(Self::Postgres(match password {
            Some(password) => target.password(password),
            None => target,
        }))
    }

    pub(crate) fn sink(&self) -> Box<dyn Sink> {
        let Self::Postgres(target) = self;
        Box::new(PostgresSink::new(target.clone()))
    }

    /// Returns the publications that the database contains.
    pub(crate) async fn recorded(&self) -> Result<Publications, SinkError> {
        let Self::Postgres(target) = self;
        let recorded = PostgresSink::new(target.clone()).recorded().await?;
        let publication = |of: integration_sink_postgres::RecordedSnapshot| {
            (acknowledged::instance(&of.integration, &of.instance), Publication { job: of.job, number: of.number })
        };
        Ok(recorded.into_iter().map(publication).collect())
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Postgres(target) = self;
        target.fmt(f)
    }
}
