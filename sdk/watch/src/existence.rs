//! The rules that exist, and the end of the alerts of removed rules.
//!
//! An alert is resolved by an evaluation of its rule. Without the rule, or without any graph, there is no evaluation, so the
//! alert ends here.

use std::path::{Path, PathBuf};

use integration_rules::{Alert, resolve};
use jiff::Timestamp;

use crate::apply::failure_alert_of;
use crate::book::{Book, OpenBook};
use crate::error::WatchError;
use crate::state::RuleState;

/// The place of a set of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOrigin(String);

impl RuleOrigin {
    /// Returns the origin of the rules in files.
    pub fn files(paths: &[PathBuf]) -> Self {
        let absolute = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let mut paths: Vec<String> = paths.iter().map(|path| absolute(path).display().to_string()).collect();
        paths.sort();
        Self(paths.join("\n"))
    }

    /// Returns the origin of the rules of a data directory and of a program with these integrations.
    pub fn data_directory<'a>(integrations: impl IntoIterator<Item = &'a str>) -> Self {
        Self(format!("data directory: {}", integrations.into_iter().collect::<Vec<_>>().join(", ")))
    }
}

/// Records the names of all rules of a place, and resolves the alerts of rules that are no longer there.
///
/// Call it before an evaluation of rules of the place. Rules of other places stay as they are. Returns the book and the
/// number of resolved alerts.
///
/// # Errors
/// [`WatchError`] if the book cannot be read or written.
pub async fn adopt<'a>(
    data_dir: &Path,
    origin: &RuleOrigin,
    names: impl IntoIterator<Item = &'a str>,
    at: Timestamp,
) -> Result<(Book, usize), WatchError> {
    let mut open = OpenBook::open(data_dir).await?;
    let names: Vec<&str> = names.into_iter().collect();
    let is_here = |state: &RuleState| state.origin.as_ref() == Some(&origin.0);
    let gone: Vec<String> = open
        .book
        .rules
        .iter()
        .filter(|(name, state)| is_here(state) && !names.contains(&name.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    let is_known = |name: &&str| open.book.rules.get(*name).is_some_and(is_here);
    if gone.is_empty() && names.iter().all(is_known) {
        return Ok((open.book.clone(), 0));
    }
    for name in names {
        open.book.rules.entry(name.to_owned()).or_insert_with(RuleState::new).origin = Some(origin.0.clone());
    }
    let ended = gone.iter().map(|name| open.book.end_rule(name, at, "the rule no longer exists")).sum();
    open.save()?;
    Ok((open.book.clone(), ended))
}

/// Resolves the alerts that no evaluation can resolve, because an instance was removed.
///
/// These are the alerts of the rule `credentials`, and all others if no graph remains. The rules then start again. Returns the
/// number of resolved alerts.
///
/// # Errors
/// [`WatchError`] if the book cannot be read or written.
pub async fn forget_instance(
    data_dir: &Path,
    credentials: &str,
    has_graph: bool,
    at: Timestamp,
) -> Result<usize, WatchError> {
    if Book::read(data_dir)? == Book::default() {
        return Ok(0);
    }
    let mut open = OpenBook::open(data_dir).await?;
    let text = "the instance was removed";
    let ended = match has_graph {
        true => open.book.end(at, text, |alert| alert.rule_id == credentials),
        false => {
            // An evaluation in progress finds no states, so it records nothing.
            open.book.rules.clear();
            open.book.end(at, text, |_| true)
        }
    };
    open.save()?;
    Ok(ended)
}

impl Book {
    /// Removes the state of a rule, and resolves its alerts. Returns their number.
    pub(crate) fn end_rule(&mut self, name: &str, at: Timestamp, text: &str) -> usize {
        self.rules.remove(name);
        let names = [name.to_owned(), failure_alert_of(name)];
        self.end(at, text, |alert| names.contains(&alert.rule_id))
    }

    fn end(&mut self, at: Timestamp, text: &str, is_such: impl Fn(&Alert) -> bool) -> usize {
        let open = self.alerts.iter_mut().filter(|alert| is_such(alert) && !alert.is_ended());
        open.map(|alert| resolve(alert, at, text)).count()
    }
}
