//! Databases as targets: their addresses and credentials.

use std::fmt;
use std::path::Path;

use integration_sink::{RecordedPublication, RecordedSnapshot, Sink};
use integration_sink_neo4j::{Layout, Neo4jSink, Neo4jTarget};
use integration_sink_postgres::{PostgresSink, PostgresTarget};

use super::acknowledged::{self, Publication, Publications};
use super::password;
use super::transfer_options::TransferOptions;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::Messages;
use crate::variables::Variables;

const POSTGRES: Messages = Messages {
    stopping: "Stopping. The database keeps its earlier contents. Press Ctrl-C again to stop immediately.",
    late: "The export did not end in time. The program stops now, and the database discards what it received.",
};
const NEO4J: Messages = Messages {
    stopping: "Stopping. The database may contain a part of the graph until the next whole export. Press Ctrl-C again \
               to stop immediately.",
    late: "The export did not end in time. The program stops now; the next whole export completes the graph.",
};

/// A database server. Its text has no secrets.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    Postgres(PostgresTarget),
    Neo4j(Neo4jTarget),
}

impl Database {
    /// The forms of addresses.
    pub(crate) const USAGE: [&str; 2] = ["postgres://USER@HOST/DATABASE", "neo4j+s://USER@HOST"];

    /// Parses an address; `None` if the text belongs to no database. No message contains a password.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, String>> {
        let scheme = text.split_once("://")?.0;
        match scheme.split('+').next()? {
            "postgres" | "postgresql" => {
                let target = PostgresTarget::parse(text);
                Some(target.map(Self::Postgres).map_err(|error| error.to_string()))
            }
            "neo4j" | "bolt" => {
                let target = Neo4jTarget::parse(text);
                Some(target.map(Self::Neo4j).map_err(|error| error.to_string()))
            }
            _ => None,
        }
    }

    /// Adds the options that need no secrets.
    pub(crate) fn with(self, args: &TransferOptions) -> Result<Self, Failure> {
        match (self, &args.schema, args.stamps) {
            (Self::Postgres(_), _, true) => Err(Failure::Usage("--stamps is for Neo4j".to_owned())),
            (Self::Postgres(target), Some(schema), false) => Ok(Self::Postgres(target.schema(schema))),
            (Self::Neo4j(_), Some(_), _) => Err(Failure::Usage("--schema is for PostgreSQL".to_owned())),
            (Self::Neo4j(target), None, stamps) => Ok(Self::Neo4j(target.layout(Layout { stamps }))),
            (target @ Self::Postgres(_), None, false) => Ok(target),
        }
    }

    /// Reads the credentials.
    pub(crate) async fn with_access(self, context: &Context<'_>, args: &TransferOptions) -> Result<Self, Failure> {
        let password = password::given(context, args.password.as_ref()).await?;
        match self {
            Self::Postgres(target) => {
                let found = match password {
                    None => password::of_postgres(context, &target)?,
                    given => given,
                };
                Ok(Self::Postgres(match found {
                    Some(password) => target.password(password),
                    None => target,
                }))
            }
            Self::Neo4j(mut target) => {
                let variables = Variables::read(Path::new(""), None, context.integration)?;
                let found = password.or_else(|| variables.value(&["NEO4J_PASSWORD"]).map(Into::into));
                if let Some(password) = found {
                    target = target.password(password);
                }
                if let Some(user) = variables.value(&["NEO4J_USER"]) {
                    target = target.user(user);
                }
                Ok(Self::Neo4j(target))
            }
        }
    }

    pub(crate) fn sink(&self) -> Box<dyn Sink> {
        match self {
            Self::Postgres(target) => Box::new(PostgresSink::new(target.clone())),
            Self::Neo4j(target) => Box::new(Neo4jSink::new(target.clone())),
        }
    }

    /// Returns the publications that the database contains as a whole.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the database contains parts of graphs only.
    pub(crate) async fn recorded(&self) -> Result<Publications, Failure> {
        let recorded = match self {
            Self::Postgres(target) => PostgresSink::new(target.clone()).recorded().await?,
            Self::Neo4j(target) => Neo4jSink::new(target.clone()).recorded().await?,
        };
        let has_parts = recorded.iter().any(|of| of.part.is_some());
        let named = |of: RecordedSnapshot| {
            let RecordedPublication { job, number, .. } = of.whole?;
            Some((acknowledged::instance(&of.integration, &of.instance), Publication { job, number }))
        };
        let whole: Publications = recorded.into_iter().filter_map(named).collect();
        match whole.is_empty() && has_parts {
            true => Err(Failure::Usage(format!(
                "{self} contains only a part of the graph, of an export with --type or --query, or of one that was \
                 interrupted; export the whole graph once, without --changes-since"
            ))),
            false => Ok(whole),
        }
    }

    /// The messages after Ctrl-C.
    pub(crate) fn messages(&self) -> Messages {
        match self {
            Self::Postgres(_) => POSTGRES,
            Self::Neo4j(_) => NEO4J,
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(target) => target.fmt(f),
            Self::Neo4j(target) => target.fmt(f),
        }
    }
}
