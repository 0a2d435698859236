//! The registry of targets: a target is parsed from its name on the command line, and creates its sink.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use integration_sdk::{Summary, dataset};
use integration_sink::{Manifest, Sink};
use integration_sink_files::{Exchange, GraphFile, Neo4jCsv, Sqlite, TableFolder};
use integration_sink_neo4j::{CypherScript, Layout};

use super::acknowledged::{Acknowledged, Publications};
use super::database::Database;
use super::transfer_options::TransferOptions;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::Messages;
use crate::report::text::list;
use crate::variables::Variables;

const EXPORTING: Messages = Messages {
    stopping: "Stopping. The target keeps its earlier contents. Press Ctrl-C again to stop immediately.",
    late: "The export did not end in time. The program stops now; the next export removes its remains.",
};

/// A target of `--to`. Its text has no secrets.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// Files on this machine.
    Files { form: FileForm, path: PathBuf },
    /// A database server.
    Database(Box<Database>),
}

/// The form of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileForm {
    Parquet,
    Csv,
    Ndjson,
    Sqlite,
    OpenGraph,
    GraphMl,
    JsonGraph,
    Exchange,
    Neo4jCsv,
    Cypher,
}

impl FileForm {
    const ALL: [Self; 10] = [
        Self::Parquet,
        Self::Csv,
        Self::Ndjson,
        Self::Sqlite,
        Self::OpenGraph,
        Self::GraphMl,
        Self::JsonGraph,
        Self::Exchange,
        Self::Neo4jCsv,
        Self::Cypher,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Sqlite => "sqlite",
            Self::OpenGraph => "opengraph",
            Self::GraphMl => "graphml",
            Self::JsonGraph => "json-graph",
            Self::Exchange => "exchange",
            Self::Neo4jCsv => "neo4j-csv",
            Self::Cypher => "cypher",
        }
    }

    /// Returns the usage, such as `parquet:DIR`.
    fn usage(self) -> String {
        let is_folder = matches!(self, Self::Parquet | Self::Csv | Self::Ndjson | Self::Exchange | Self::Neo4jCsv);
        format!("{}:{}", self.name(), if is_folder { "DIR" } else { "FILE" })
    }
}

/// Parses a target. `neo4j` is the server that `NEO4J_URI` names.
pub(super) fn parse(context: &Context<'_>, text: &str) -> Result<Target, Failure> {
    if text != "neo4j" {
        return text.parse().map_err(Failure::Usage);
    }
    let variables = Variables::read(Path::new(""), None, context.integration)?;
    let Some(uri) = variables.value(&["NEO4J_URI"]) else {
        let message = "the address of Neo4j is unknown: set NEO4J_URI, or use --to neo4j+s://HOST";
        return Err(Failure::Usage(message.to_owned()));
    };
    match Database::parse(uri) {
        Some(Ok(database @ Database::Neo4j(_))) => Ok(Target::Database(Box::new(database))),
        Some(Err(error)) => Err(Failure::Usage(format!("NEO4J_URI: {error}"))),
        _ => Err(Failure::Usage("NEO4J_URI is no address of Neo4j, such as neo4j+s://HOST".to_owned())),
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(database) = Database::parse(text) {
            return Ok(Self::Database(Box::new(database?)));
        }
        let known = || list(FileForm::ALL.map(FileForm::usage).into_iter().chain(Database::USAGE.map(str::to_owned)));
        let (name, rest) = text.split_once(':').ok_or_else(|| format!("a target is one of {}", known()))?;
        let form = FileForm::ALL.into_iter().find(|form| form.name() == name);
        let form = form.ok_or_else(|| format!("{name} is not a kind of target; the targets are {}", known()))?;
        if rest.is_empty() {
            return Err(format!("the path is missing; use {}", form.usage()));
        }
        Ok(Self::Files { form, path: rest.into() })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files { form, path } => write!(f, "{}:{}", form.name(), path.display()),
            Self::Database(database) => database.fmt(f),
        }
    }
}

impl Target {
    /// Adds the options about a database, and checks that files are apart from the data directory.
    pub(crate) fn with(self, data_dir: &Path, args: &TransferOptions) -> Result<Self, Failure> {
        match self {
            Self::Files { ref path, .. } if args.database_option().is_none() => {
                dataset::check_apart(path, data_dir)?;
                Ok(self)
            }
            Self::Files { .. } => {
                let option = args.database_option().unwrap_or_default();
                Err(Failure::Usage(format!("{option} is for databases; {self} has none")))
            }
            Self::Database(database) => Ok(Self::Database(Box::new(database.with(args)?))),
        }
    }

    /// Reads the credentials of a database.
    pub(crate) async fn with_access(self, context: &Context<'_>, args: &TransferOptions) -> Result<Self, Failure> {
        match self {
            Self::Files { .. } => Ok(self),
            Self::Database(database) => Ok(Self::Database(Box::new(database.with_access(context, args).await?))),
        }
    }

    /// Returns the publications of the last transfer of whole instances; `None` if there was none.
    pub(crate) async fn last(&self, data_dir: &Path) -> Result<Option<Publications>, Failure> {
        match self {
            Self::Files { .. } => Ok(Acknowledged::read(data_dir)?.of(&self.identity())),
            Self::Database(database) => Ok(Some(database.recorded().await?).filter(|known| !known.is_empty())),
        }
    }

    /// Records a transfer of whole instances. A database keeps its own record.
    pub(crate) fn acknowledge(&self, data_dir: &Path, manifest: &Manifest) -> Result<(), Failure> {
        match self {
            Self::Files { .. } => Acknowledged::store(data_dir, &self.identity(), manifest),
            Self::Database(_) => Ok(()),
        }
    }

    /// The messages after Ctrl-C.
    pub(crate) fn messages(&self) -> Messages {
        match self {
            Self::Files { .. } => EXPORTING,
            Self::Database(database) => database.messages(),
        }
    }

    /// Creates the sink. The summary is that of the only job, if there is one.
    pub(crate) fn sink(&self, summary: Option<&Summary>) -> Result<Box<dyn Sink>, Failure> {
        let (form, path) = match self {
            Self::Files { form, path } => (form, path),
            Self::Database(database) => return Ok(database.sink()),
        };
        Ok(match form {
            FileForm::Parquet => Box::new(TableFolder::parquet(path)),
            FileForm::Csv => Box::new(TableFolder::csv(path)),
            FileForm::Ndjson => Box::new(TableFolder::ndjson(path)),
            FileForm::Sqlite => Box::new(Sqlite::new(path)),
            FileForm::OpenGraph => Box::new(GraphFile::open_graph(path)),
            FileForm::GraphMl => Box::new(GraphFile::graph_ml(path)),
            FileForm::JsonGraph => Box::new(GraphFile::json_graph(path)),
            FileForm::Neo4jCsv => Box::new(Neo4jCsv::new(path)),
            FileForm::Cypher => Box::new(CypherScript::new(path, Layout::default())),
            FileForm::Exchange => match summary {
                Some(summary) => Box::new(Exchange::new(path, summary.clone())),
                None => {
                    let message = "the exchange layout contains one instance; select one with --instance";
                    return Err(Failure::Usage(message.to_owned()));
                }
            },
        })
    }

    /// Returns the name under which the last transfer to files is remembered.
    fn identity(&self) -> String {
        match self {
            Self::Files { form, path } => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                format!("{}:{}", form.name(), path.display())
            }
            Self::Database(database) => database.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_kind_and_a_place() {
        let target: Target = "parquet:a:b/c".parse().expect("a target");
        assert_eq!(target.to_string(), "parquet:a:b/c");
        let target: Target = "postgres://me@h:1/db?schema=x".parse().expect("a target");
        assert_eq!(target.to_string(), "PostgreSQL at h:1, database db, schema x");
        for (text, expected) in [
            ("graph", "a target is one of parquet:DIR"),
            ("xls:a", "xls is not"),
            ("csv:", "use csv:DIR"),
            ("postgres://", "names no host"),
            ("postgresql://me:s3cret@h/db", "contains a password"),
            ("bolt://me:s3cret@h", "contains a password"),
            ("neo4j://db.example.com", "would not be encrypted"),
        ] {
            let error = text.parse::<Target>().expect_err("no target");
            assert!(error.contains(expected) && !error.contains("s3cret"), "{error}");
        }
    }
}
