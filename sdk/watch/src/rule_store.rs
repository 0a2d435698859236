//! The rules that were added to a data directory: one file for each.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use integration_rules::delivery::delivery_id;
use integration_rules::{Problem, Program, ReadError, Rule, Severity, parse_rules};
use integration_sdk::{input, owner_only};
use jiff::Timestamp;

use crate::book::OpenBook;
use crate::error::WatchError;

const FOLDER: &str = "rules";
const EXTENSION: &str = "json";

/// The rules that were added to a data directory.
#[derive(Debug, Clone)]
pub struct RuleStore {
    data_dir: PathBuf,
}

/// Rules that cannot be added. None of them was added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// Rules of these names exist.
    #[error("there already is a rule of the name {}: remove it first, or give the new one another name", .0.join(", "))]
    Names(Vec<String>),
    /// The rules have problems.
    #[error("the rules have errors:\n{}", texts(.0).join("\n"))]
    Problems(Vec<Problem>),
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] WatchError),
}

fn texts(problems: &[Problem]) -> Vec<String> {
    let errors = problems.iter().filter(|problem| problem.severity() == Severity::Error);
    errors.map(ToString::to_string).collect()
}

impl RuleStore {
    /// Returns the rules of a data directory.
    pub fn of(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned() }
    }

    /// Returns the folder and the files of the rules. The metadata of one of them changes with each change of the rules.
    pub fn paths(&self) -> Vec<PathBuf> {
        let folder = self.data_dir.join(FOLDER);
        let files = fs::read_dir(&folder).map(|files| files.filter_map(|file| Some(file.ok()?.path())).collect());
        let mut paths: Vec<PathBuf> = files.unwrap_or_default();
        paths.sort();
        paths.insert(0, folder);
        paths
    }

    /// Returns the rules in the order of their names.
    ///
    /// # Errors
    /// [`WatchError`] if a file cannot be read.
    pub fn rules(&self) -> Result<Vec<Rule>, WatchError> {
        let folder = self.data_dir.join(FOLDER);
        let files = match fs::read_dir(&folder) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(WatchError::file("read", &folder)(error)),
        };
        let mut rules = Vec::new();
        for file in files {
            let path = file.map_err(WatchError::file("read", &folder))?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                let text = input::read_to_string(&path, input::DOCUMENT).map_err(WatchError::file("read", &path))?;
                let found: Rule = serde_json::from_str(&text)
                    .map_err(|error| WatchError::Unreadable { path, reason: error.to_string() })?;
                rules.push(found);
            }
        }
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rules)
    }

    /// Adds rules: all of them, or none.
    ///
    /// # Errors
    /// [`AddError`] if a rule has an error, if a name is in use, or if a file cannot be written.
    pub fn add(&self, rules: Vec<Rule>) -> Result<usize, AddError> {
        let known = self.rules()?;
        let is_known = |rule: &&Rule| known.iter().any(|known| known.name == rule.name);
        let repeated: Vec<String> = rules.iter().filter(is_known).map(|rule| rule.name.clone()).collect();
        if !repeated.is_empty() {
            return Err(AddError::Names(repeated));
        }
        let programs = Program::compile_all(rules).map_err(AddError::Problems)?;
        let folder = self.data_dir.join(FOLDER);
        owner_only::create_folder(&folder).map_err(WatchError::file("create", &folder))?;
        for program in &programs {
            let path = self.path(&program.rule().name);
            let text = serde_json::to_string_pretty(program.rule()).expect("all names in a rule are texts");
            owner_only::replace(&path, text.as_bytes()).map_err(WatchError::file("write", &path))?;
        }
        Ok(programs.len())
    }

    /// Removes a rule and its state, and resolves its alert. Returns whether there was such a rule.
    ///
    /// # Errors
    /// [`WatchError`] if a file cannot be changed.
    pub async fn remove(&self, name: &str, at: Timestamp) -> Result<bool, WatchError> {
        let path = self.path(name);
        if !path.exists() {
            return Ok(false);
        }
        let mut open = OpenBook::open(&self.data_dir).await?;
        // An evaluation in progress finds no state of the rule, so it does not open the alert again.
        open.book.end_rule(name, at, "the rule was removed");
        fs::remove_file(&path).map_err(WatchError::file("remove", &path))?;
        open.save()?;
        Ok(true)
    }

    /// The name of a file is a digest, because the name of a rule can contain any character.
    fn path(&self, name: &str) -> PathBuf {
        self.data_dir.join(FOLDER).join(delivery_id("rule", name).replacen("msg_", "", 1)).with_extension(EXTENSION)
    }
}

/// Returns the rules that a scheduler evaluates: those that were added, and those of packs.
///
/// An added rule replaces the rule of its name in a pack. Rules that are disabled are left out.
///
/// # Errors
/// [`AddError`] if a rule cannot be read or has an error.
pub fn active_rules<'a>(
    data_dir: &Path,
    packs: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Arc<Program>>, AddError> {
    let mut by_name: BTreeMap<String, Rule> = BTreeMap::new();
    let mut order = Vec::new();
    let own = packs.into_iter().map(parse_rules).collect::<Result<Vec<_>, ReadError>>();
    let own = own.map_err(|error| WatchError::Unreadable {
        path: PathBuf::from("the rules of the integration"),
        reason: error.to_string(),
    })?;
    for rule in own.into_iter().flatten().chain(RuleStore::of(data_dir).rules()?) {
        if by_name.insert(rule.name.clone(), rule.clone()).is_none() {
            order.push(rule.name);
        }
    }
    let enabled: Vec<Rule> = order
        .into_iter()
        .filter_map(|name| by_name.remove(&name))
        .filter(|rule| rule.polling_interval.duration().is_some())
        .collect();
    let programs = Program::compile_all(enabled).map_err(AddError::Problems)?;
    Ok(programs.into_iter().map(Arc::new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Book;
    use crate::state::RuleState;

    fn rules(text: &str) -> Vec<Rule> {
        parse_rules(text).expect("rules")
    }

    const A: &str =
        "{name: A, question: {queries: [{query: FIND a}]}, operations: [{actions: [{type: CREATE_ALERT}]}]}";

    #[tokio::test]
    async fn rules_are_added_once_and_removed_with_their_state() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = RuleStore::of(folder.path());
        assert_eq!(store.rules().expect("no rules"), []);
        assert_eq!(store.add(rules(A)).expect("a rule"), 1);
        assert_eq!(store.rules().expect("a rule"), rules(A));
        assert!(matches!(store.add(rules(A)), Err(AddError::Names(names)) if names == ["A"]));
        let broken = format!(
            "[{}, {{name: C, question: {{queries: [{{query: ''}}]}}, operations: []}}]",
            A.replace("name: A", "name: B")
        );
        assert!(matches!(store.add(rules(&broken)), Err(AddError::Problems(_))));
        assert_eq!(store.rules().expect("a rule").len(), 1, "all rules are added, or none");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(store.path("A").metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        }
        let mut open = OpenBook::open(folder.path()).await.expect("a book");
        open.book.rules.insert("A".to_owned(), RuleState::new());
        open.save().expect("a disk");
        drop(open);
        assert!(store.remove("A", Timestamp::UNIX_EPOCH).await.expect("a rule"));
        assert!(!store.remove("A", Timestamp::UNIX_EPOCH).await.expect("no rule"));
        assert!(Book::read(folder.path()).expect("a book").rules.is_empty());
    }

    #[test]
    fn an_added_rule_replaces_that_of_a_pack() {
        let folder = tempfile::tempdir().expect("a folder");
        let pack = format!("[{A}, {}]", A.replace("name: A", "name: B"));
        let names = || {
            let active = active_rules(folder.path(), [pack.as_str()]).expect("rules");
            active.iter().map(|program| program.rule().name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(), ["A", "B"]);
        let disabled = A.replace("name: A,", "name: A, pollingInterval: DISABLED,");
        RuleStore::of(folder.path()).add(rules(&disabled)).expect("a rule");
        assert_eq!(names(), ["B"]);
    }
}
