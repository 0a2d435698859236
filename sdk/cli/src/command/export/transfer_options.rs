//! The options of a transfer.

use std::time::Duration;

use clap::Args;
use integration_secrets::SecretString;

use super::changes::{self, Since};
use crate::options::{self, Format};

/// The options of a transfer.
#[derive(Debug, Args)]
pub(super) struct TransferOptions {
    /// Transfer only what has changed since a job, a time, or the last export to this target: JOB, TIME or `last`
    #[arg(long, value_name = "SINCE", value_parser = changes::parse, conflicts_with = "query")]
    pub(super) changes_since: Option<Since>,
    /// Transfer only objects of these types
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', conflicts_with = "query")]
    pub(super) types: Vec<String>,
    /// Transfer only the result of a query in J1QL that ends with RETURN TREE
    #[arg(long, value_name = "QUERY")]
    pub(super) query: Option<String>,
    /// Maximum duration of the query
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = options::age)]
    pub(super) timeout: Duration,
    /// Schema of the tables in PostgreSQL [default: graph]
    #[arg(long, value_name = "NAME")]
    pub(super) schema: Option<String>,
    /// Add the properties id, firstseen and lastupdated in Neo4j, as Cartography does
    #[arg(long)]
    pub(super) stamps: bool,
    /// Place of a database's password: env:NAME, file:PATH, vault:NAME or command:PROGRAM [default: PGPASSWORD, a password file, or NEO4J_PASSWORD]
    #[arg(long, value_name = "REFERENCE", value_parser = |text: &str| Ok::<_, String>(SecretString::from(text)))]
    pub(super) password: Option<SecretString>,
    /// Transfer raw data as well
    #[arg(long)]
    pub(super) raw: bool,
    /// Show the numbers of objects without writing anything
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,
}

impl TransferOptions {
    /// Returns the first given option that needs a target.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            (self.changes_since.is_some(), "--changes-since"),
            (!self.types.is_empty(), "--type"),
            (self.query.is_some(), "--query"),
            (self.schema.is_some(), "--schema"),
            (self.stamps, "--stamps"),
            (self.password.is_some(), "--password"),
            (self.raw, "--raw"),
            (self.dry_run, "--dry-run"),
            (self.format == Format::Json, "--format json"),
        ];
        options.into_iter().find_map(|(is_given, name)| is_given.then_some(name))
    }

    /// Returns the first given option that needs a database.
    pub(super) fn database_option(&self) -> Option<&'static str> {
        let options =
            [(self.schema.is_some(), "--schema"), (self.stamps, "--stamps"), (self.password.is_some(), "--password")];
        options.into_iter().find_map(|(is_given, name)| is_given.then_some(name))
    }
}
