//! The registry of targets: a target is parsed from its name on the command line, and creates its sink.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use integration_sdk::{Summary, dataset};
use integration_sink::Sink;
use integration_sink_files::{Exchange, GraphFile, Sqlite, TableFolder};

use crate::failure::Failure;
use crate::report::text::list;

/// A target of `--to`. Its text has no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Files on this machine.
    Files { form: FileForm, path: PathBuf },
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
}

impl FileForm {
    const ALL: [Self; 8] = [
        Self::Parquet,
        Self::Csv,
        Self::Ndjson,
        Self::Sqlite,
        Self::OpenGraph,
        Self::GraphMl,
        Self::JsonGraph,
        Self::Exchange,
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
        }
    }

    /// Returns the usage, such as `parquet:DIR`.
    fn usage(self) -> String {
        let is_folder = matches!(self, Self::Parquet | Self::Csv | Self::Ndjson | Self::Exchange);
        format!("{}:{}", self.name(), if is_folder { "DIR" } else { "FILE" })
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || list(FileForm::ALL.map(FileForm::usage));
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
        let Self::Files { form, path } = self;
        write!(f, "{}:{}", form.name(), path.display())
    }
}

impl Target {
    /// Checks that the target is apart from the data directory.
    pub(crate) fn check(&self, data_dir: &Path) -> Result<(), Failure> {
        let Self::Files { path, .. } = self;
        Ok(dataset::check_apart(path, data_dir)?)
    }

    /// Creates the sink. The summary is that of the only job, if there is one.
    pub(crate) fn sink(&self, summary: Option<&Summary>) -> Result<Box<dyn Sink>, Failure> {
        let Self::Files { form, path } = self;
        Ok(match form {
            FileForm::Parquet => Box::new(TableFolder::parquet(path)),
            FileForm::Csv => Box::new(TableFolder::csv(path)),
            FileForm::Ndjson => Box::new(TableFolder::ndjson(path)),
            FileForm::Sqlite => Box::new(Sqlite::new(path)),
            FileForm::OpenGraph => Box::new(GraphFile::open_graph(path)),
            FileForm::GraphMl => Box::new(GraphFile::graph_ml(path)),
            FileForm::JsonGraph => Box::new(GraphFile::json_graph(path)),
            FileForm::Exchange => match summary {
                Some(summary) => Box::new(Exchange::new(path, summary.clone())),
                None => {
                    let message = "the exchange layout contains one instance; select one with --instance";
                    return Err(Failure::Usage(message.to_owned()));
                }
            },
        })
    }

    /// Returns the name under which the last transfer to the target is remembered.
    pub(crate) fn identity(&self) -> String {
        let Self::Files { form, path } = self;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        format!("{}:{}", form.name(), path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_kind_and_a_place() {
        let target: Target = "parquet:a:b/c".parse().expect("a target");
        assert_eq!(target, Target::Files { form: FileForm::Parquet, path: "a:b/c".into() });
        assert_eq!(target.to_string(), "parquet:a:b/c");
        for (text, expected) in
            [("graph", "a target is one of parquet:DIR"), ("xls:a", "xls is not"), ("csv:", "use csv:DIR")]
        {
            let error = text.parse::<Target>().expect_err("no target");
            assert!(error.contains(expected), "{error}");
        }
    }
}
