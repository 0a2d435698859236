//! Errors of instances and their files.

use std::fmt;
use std::path::PathBuf;

/// A text that contains no usable instances. No message contains a value of the text, because it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(problems))]
pub struct ReadError {
    /// The problems, in the order of the text.
    pub problems: Vec<Problem>,
}

/// One problem in a text with instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1, if it is known.
    pub line: Option<u64>,
    /// The name of the instance, if it is known.
    pub instance: Option<String>,
    /// The problem and its remedy.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(line: Option<u64>, instance: Option<&str>, message: impl fmt::Display) -> Self {
        Self { line, instance: instance.map(str::to_owned), message: message.to_string() }
    }
}

impl From<Problem> for ReadError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(instance) = &self.instance {
            write!(f, "instance {instance:?}: ")?;
        }
        f.write_str(&self.message)
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// The reason why the file of a data directory cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstancesError {
    /// The content is not usable.
    #[error("{path}, {source}", path = path.display())]
    Content {
        /// The path.
        path: PathBuf,
        /// The problems.
        source: ReadError,
    },
    /// The file cannot be accessed.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File {
        /// The failed action.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The instances cannot be written as YAML.
    #[error("the instances cannot be written as YAML: {0}")]
    Write(String),
}
