//! The rules of files.

use std::path::PathBuf;
use std::sync::Arc;

use integration_rules::{Program, Rule, Severity, parse_rules, parse_terraform};
use integration_sdk::input;
use integration_watch::ActiveRules;

use crate::failure::Failure;
use crate::style::printable_path;

/// Reads and compiles the rules of files.
pub(crate) fn of_files(files: &[PathBuf]) -> Result<ActiveRules, Failure> {
    Ok(ActiveRules { programs: compile(read(files)?)?, unusable: Vec::new() })
}

/// Reads the rules of files. The extension `.tf` marks Terraform.
pub(crate) fn read(files: &[PathBuf]) -> Result<Vec<Rule>, Failure> {
    let mut rules = Vec::new();
    for path in files {
        let text = input::read_to_string(path, input::DOCUMENT).map_err(Failure::file("read", path))?;
        let wrong = |error: String| Failure::Document { name: printable_path(path), error };
        rules.extend(match path.extension().is_some_and(|extension| extension == "tf") {
            true => parse_terraform(&text).map_err(|error| wrong(error.to_string()))?,
            false => parse_rules(&text).map_err(|error| wrong(error.to_string()))?,
        });
    }
    Ok(rules)
}

/// Compiles rules, or lists the problems that prevent it.
fn compile(rules: Vec<Rule>) -> Result<Vec<Arc<Program>>, Failure> {
    let compiled = Program::compile_all(rules).map_err(|problems| {
        let errors = problems.iter().filter(|problem| problem.severity() == Severity::Error);
        let texts: Vec<String> = errors.map(ToString::to_string).collect();
        Failure::Document { name: "the rules cannot be evaluated".to_owned(), error: format!("\n{}", texts.join("\n")) }
    })?;
    Ok(compiled.into_iter().map(Arc::new).collect())
}
