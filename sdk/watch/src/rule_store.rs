//! The rules that were added to a data directory: one file for each.

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
        let files = self.files()?.into_iter();
        let mut rules = files
            .map(|(path, text)| {
                serde_json::from_str(&text).map_err(|error| WatchError::Unreadable { path, reason: error.to_string() })
            })
            .collect::<Result<Vec<Rule>, _>>()?;
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rules)
    }

    /// Returns the rules in the order of their names, and those whose files are damaged.
    fn readable(&self) -> Result<(Vec<Rule>, Vec<UnusableRule>), WatchError> {
        let (mut rules, mut unusable) = (Vec::<Rule>::new(), Vec::new());
        for (path, text) in self.files()? {
            match serde_json::from_str(&text) {
                Ok(rule) => rules.push(rule),
                Err(error) => unusable.push(UnusableRule::of(&path, &text, &error)),
            }
        }
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((rules, unusable))
    }

    /// Returns the texts of all files.
    fn files(&self) -> Result<Vec<(PathBuf, String)>, WatchError> {
        let folder = self.data_dir.join(FOLDER);
        let files = match fs::read_dir(&folder) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(WatchError::file("read", &folder)(error)),
        };
        let mut texts = Vec::new();
        for file in files {
            let path = file.map_err(WatchError::file("read", &folder))?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                let text = input::read_to_string(&path, input::DOCUMENT).map_err(WatchError::file("read", &path))?;
                texts.push((path, text));
            }
        }
        Ok(texts)
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

/// The rules that a scheduler evaluates.
#[derive(Debug, Clone, Default)]
pub struct ActiveRules {
    /// The rules.
    pub programs: Vec<Arc<Program>>,
    /// The added rules that cannot be evaluated. They do not stop the others.
    pub unusable: Vec<UnusableRule>,
}

/// An added rule that cannot be evaluated, for example because an earlier version of the program accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableRule {
    /// The name; `None` if the file is damaged.
    pub name: Option<String>,
    /// The reason, as text for users.
    pub reason: String,
}

impl ActiveRules {
    /// Returns the names of all rules, also of those that cannot be evaluated; `None` if one is not known.
    pub fn names(&self) -> Option<Vec<&str>> {
        let usable = self.programs.iter().map(|program| Some(program.rule().name.as_str()));
        usable.chain(self.unusable.iter().map(|rule| rule.name.as_deref())).collect()
    }
}

impl UnusableRule {
    fn of(path: &Path, text: &str, error: &serde_json::Error) -> Self {
        let parsed = serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        let name = parsed["name"].as_str().map(str::to_owned);
        Self { name, reason: format!("cannot read {}: {error}", path.display()) }
    }
}

/// Returns the rules that a scheduler evaluates: those that were added, and those of packs.
///
/// An added rule replaces the rule of its name in a pack, also if it cannot be evaluated. Rules that are disabled are left
/// out.
///
/// # Errors
/// [`AddError`] if the added rules cannot be listed, or if a rule of a pack has an error.
pub fn active_rules<'a>(data_dir: &Path, packs: impl IntoIterator<Item = &'a str>) -> Result<ActiveRules, AddError> {
    let (added, mut unusable) = RuleStore::of(data_dir).readable()?;
    let own = packs.into_iter().map(parse_rules).collect::<Result<Vec<_>, ReadError>>();
    let own = own.map_err(|error| WatchError::Unreadable {
        path: PathBuf::from("the rules of the integration"),
        reason: error.to_string(),
    })?;
    let is_enabled = |rule: &Rule| rule.polling_interval.duration().is_some();
    let is_replaced = |rule: &Rule| {
        added.iter().any(|added| added.name == rule.name)
            || unusable.iter().any(|unusable| unusable.name.as_ref() == Some(&rule.name))
    };
    let own: Vec<Rule> = own.into_iter().flatten().filter(|rule| is_enabled(rule) && !is_replaced(rule)).collect();
    let mut programs = Program::compile_all(own).map_err(AddError::Problems)?;
    for rule in added.into_iter().filter(is_enabled) {
        let name = rule.name.clone();
        match Program::compile(rule) {
            Ok(program) => programs.push(program),
            Err(problems) => unusable.push(UnusableRule { name: Some(name), reason: texts(&problems).join("; ") }),
        }
    }
    Ok(ActiveRules { programs: programs.into_iter().map(Arc::new).collect(), unusable })
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
            assert_eq!(active.unusable, []);
            active.programs.iter().map(|program| program.rule().name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(), ["A", "B"]);
        let disabled = A.replace("name: A,", "name: A, pollingInterval: DISABLED,");
        RuleStore::of(folder.path()).add(rules(&disabled)).expect("a rule");
        assert_eq!(names(), ["B"]);
    }
    #[test]
    fn a_rule_that_cannot_be_evaluated_does_not_stop_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = RuleStore::of(folder.path());
        store.add(rules(&format!("[{A}, {}]", A.replace("name: A", "name: B")))).expect("rules");
        // An earlier version accepted an address with a password.
        let secret = A.replace("name: A", "name: C").replace(
            "{type: CREATE_ALERT}",
            "{type: WEBHOOK, method: POST, endpoint: 'https://user:secret@hooks.example.com/'}",
        );
        let text = serde_json::to_string(&rules(&secret)[0]).expect("a text");
        fs::write(store.path("C"), text).expect("a file");
        let unusable = || {
            let active = active_rules(folder.path(), [A.replace("name: A", "name: C").as_str()]).expect("rules");
            let names: Vec<String> = active.programs.iter().map(|program| program.rule().name.clone()).collect();
            assert_eq!(names, ["A", "B"], "the added rule replaces that of the pack");
            let all = active.names().map(|names| names.len());
            (active.unusable, all)
        };
        let (found, all) = unusable();
        assert!(
            matches!(found.as_slice(), [UnusableRule { name: Some(name), reason }]
            if name == "C" && reason.contains("is a secret") && !reason.contains("user:secret")),
            "{found:?}"
        );
        assert_eq!(all, Some(3), "its alert stays");
        fs::write(store.path("C"), "{\"name\": \"C\", \"unknown\": 1}").expect("a file");
        assert_eq!(unusable().1, Some(3));
        fs::write(store.path("D"), "{").expect("a file");
        assert_eq!(unusable().1, None, "an unknown rule may have an alert");
    }
}
