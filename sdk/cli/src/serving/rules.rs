//! The rules of a server, read again when their files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use integration_rules::Program;
use integration_server::WatchedFile;
use integration_watch::{ActiveRules, RuleStore, UnusableRule, active_rules};

use crate::failure::Failure;
use crate::rule_files;

/// The place of the rules of a server.
#[derive(Debug, Clone)]
pub(crate) enum RulePlaces {
    /// These files.
    Files(Vec<PathBuf>),
    /// The data directory, and the packs of the integrations.
    Store {
        /// The packs, in YAML.
        packs: Vec<&'static str>,
    },
}

/// The rules of a server.
pub(super) struct WatchedRules {
    data_dir: PathBuf,
    places: RulePlaces,
    state: Mutex<State>,
}

struct State {
    files: Vec<WatchedFile>,
    rules: Arc<ActiveRules>,
    /// Whether the rules could be read at least once.
    is_read: bool,
    has_changed: bool,
}

impl RulePlaces {
    /// Reads the rules.
    pub(crate) fn read(&self, data_dir: &Path) -> Result<ActiveRules, Failure> {
        match self {
            Self::Files(files) => rule_files::of_files(files),
            Self::Store { packs } => Ok(active_rules(data_dir, packs.iter().copied())?),
        }
    }

    /// Returns the paths whose metadata changes with the rules.
    fn paths(&self, data_dir: &Path) -> Vec<PathBuf> {
        match self {
            Self::Files(files) => files.clone(),
            Self::Store { .. } => RuleStore::of(data_dir).paths(),
        }
    }
}

impl WatchedRules {
    pub(super) fn new(data_dir: PathBuf, places: RulePlaces) -> Self {
        let state = State { files: Vec::new(), rules: Arc::default(), is_read: false, has_changed: true };
        Self { data_dir, places, state: Mutex::new(state) }
    }

    /// Returns whether the rules may have changed since the last call of [`current`](Self::current).
    pub(super) fn has_changed(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.check(self.places.paths(&self.data_dir));
        state.has_changed
    }

    /// Returns whether the current rules are those of a file, and not empty because no file could be read.
    pub(super) fn is_read(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_read
    }

    /// Returns the current rules. If one or all of them cannot be read, the earlier ones stay.
    pub(super) fn current(&self) -> Arc<ActiveRules> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.check(self.places.paths(&self.data_dir));
        if std::mem::take(&mut state.has_changed) {
            match self.places.read(&self.data_dir) {
                Ok(mut rules) => {
                    tracing::info!(rules = rules.programs.len(), "the rules were read");
                    for UnusableRule { name, reason } in &rules.unusable {
                        tracing::error!(rule = name, reason, "an added rule cannot be evaluated; the others are");
                    }
                    keep_earlier(&mut rules, &state.rules.programs);
                    (state.rules, state.is_read) = (Arc::new(rules), true);
                }
                Err(error) => tracing::error!(%error, "the rules cannot be read; the earlier ones apply"),
            }
        }
        Arc::clone(&state.rules)
    }
}

/// Keeps the earlier versions of rules that cannot be evaluated any more.
fn keep_earlier(rules: &mut ActiveRules, earlier: &[Arc<Program>]) {
    let is_unusable = |name: &str| {
        rules.unusable.iter().any(|unusable| unusable.name.as_deref().is_none_or(|unusable| unusable == name))
    };
    let is_current = |name: &str| rules.programs.iter().any(|program| program.rule().name == name);
    let name = |program: &Arc<Program>| program.rule().name.clone();
    let kept = earlier.iter().filter(|program| is_unusable(&name(program)) && !is_current(&name(program)));
    let kept: Vec<Arc<Program>> = kept.cloned().collect();
    rules.programs.extend(kept);
}

impl State {
    fn check(&mut self, paths: Vec<PathBuf>) {
        let are_known = self.files.iter().map(WatchedFile::path).eq(paths.iter().map(PathBuf::as_path));
        if !are_known {
            self.files = paths.into_iter().map(WatchedFile::new).collect();
        }
        for file in &mut self.files {
            // All files are checked, so that one change does not hide another one from this call.
            self.has_changed |= file.has_changed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str =
        "{name: A, question: {queries: [{query: FIND a}]}, operations: [{actions: [{type: CREATE_ALERT}]}]}";

    fn names(rules: &WatchedRules) -> Vec<String> {
        rules.current().programs.iter().map(|program| program.rule().name.clone()).collect()
    }

    #[test]
    fn added_removed_and_broken_rules_of_the_data_directory() {
        let folder = tempfile::tempdir().expect("a folder");
        let pack: &'static str = "- {name: B, question: {queries: [{query: FIND b}]}, operations: []}";
        let rules = WatchedRules::new(folder.path().to_owned(), RulePlaces::Store { packs: vec![pack] });
        assert_eq!(names(&rules), ["B"]);
        assert!(!rules.has_changed());
        let parsed = integration_rules::parse_rules(RULE).expect("a rule");
        RuleStore::of(folder.path()).add(parsed).expect("a rule");
        assert!(rules.has_changed() && rules.has_changed(), "until they are read");
        assert_eq!(names(&rules), ["B", "A"]);
        let file = std::fs::read_dir(folder.path().join("rules")).expect("a folder").next().expect("a file");
        let file = file.expect("a file").path();
        std::fs::write(&file, "{").expect("a file");
        assert_eq!(names(&rules), ["B", "A"], "the earlier ones");
        assert_eq!(rules.current().names(), None);
        let other = integration_rules::parse_rules(&RULE.replace("name: A", "name: C")).expect("a rule");
        let folder_of_another = tempfile::tempdir().expect("a folder");
        RuleStore::of(folder_of_another.path()).add(other).expect("a rule");
        for added in std::fs::read_dir(folder_of_another.path().join("rules")).expect("a folder") {
            let added = added.expect("a file");
            std::fs::copy(added.path(), folder.path().join("rules").join(added.file_name())).expect("a file");
        }
        assert_eq!(names(&rules), ["B", "C", "A"], "a damaged file does not stop others");
        std::fs::remove_dir_all(folder.path().join("rules")).expect("a folder");
        assert_eq!(names(&rules), ["B"]);
    }

    #[test]
    fn a_file_is_read_again_when_it_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rules.yaml");
        std::fs::write(&path, RULE).expect("a file");
        let rules = WatchedRules::new(folder.path().to_owned(), RulePlaces::Files(vec![path.clone()]));
        assert_eq!(names(&rules), ["A"]);
        std::fs::write(&path, RULE.replace("name: A", "name: Other")).expect("a file");
        assert_eq!(names(&rules), ["Other"]);
    }
}
