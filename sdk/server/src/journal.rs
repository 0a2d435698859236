//! The stored state of the scheduler: a journal that is appended to, and sometimes rewritten.
//!
//! A line contains all changes between two moments, such as the end of a run together with its notice. A process that is
//! killed leaves whole lines and perhaps the beginning of one, which the next process ignores. Appending costs a few
//! hundred bytes for each run, however many instances there are.
//!
//! Lines are not flushed to the disk one by one, so a power failure may lose those of the last seconds. The scheduler then
//! repeats decisions: it runs an instance again, or gives a notice again. Neither loses an alert.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use integration_files::{input, owner_only};
use integration_scheduler::InstanceState;
use serde::{Deserialize, Serialize};

use crate::error::ServerError;
use crate::pending::Pending;

const FILE: &str = "scheduler.jsonl";
/// The version of the file form.
const VERSION: u32 = 1;
/// A journal below this size, in bytes, is not rewritten.
const SMALL: u64 = 64 * 1024;
/// A journal is rewritten when it has this many times the size of its state.
const GROWTH: u64 = 8;

/// The state that survives a process.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stored {
    pub(crate) instances: BTreeMap<String, InstanceState>,
    pub(crate) notices: Vec<Pending>,
}

/// Changes of the state.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The states of instances that may have changed. A forgotten instance has none.
    pub(crate) instances: BTreeMap<String, Option<InstanceState>>,
    /// All pending notices, if they may have changed.
    pub(crate) notices: Option<Vec<Pending>>,
}

/// A line: the changes since the line before.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    /// The version of the file form, in the first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// The changed states. A forgotten instance has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    instances: BTreeMap<String, Option<InstanceState>>,
    /// The pending notices, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notices: Option<Vec<Pending>>,
}

impl Stored {
    fn apply(&mut self, line: Line) {
        for (name, state) in line.instances {
            match state {
                Some(state) => drop(self.instances.insert(name, state)),
                None => drop(self.instances.remove(&name)),
            }
        }
        if let Some(notices) = line.notices {
            self.notices = notices;
        }
    }
}

/// The open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// The size of the complete lines.
    length: u64,
    /// The size after the last rewriting.
    compact: u64,
    stored: Stored,
}

/// A file that was not understood as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// The number of the first line that was not understood.
    pub(crate) line: usize,
    /// The copy of the damaged file.
    pub(crate) copy: PathBuf,
}

impl Journal {
    /// Opens the journal of a data directory, and rewrites it. The caller holds the lock of the scheduler.
    ///
    /// A torn last line is ignored. After any other damage, the lines before it apply, and the file is kept as a copy.
    pub(crate) fn open(directory: &Path) -> Result<(Self, Option<Damage>), ServerError> {
        let path = directory.join(FILE);
        let failed = |action| ServerError::file(action, &path);
        let text = match input::read(&path, input::RECORDING) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed("read")(error)),
        };
        let (stored, wrong_line) = read(&text).map_err(|version| ServerError::Newer { path: path.clone(), version })?;
        let damage = match wrong_line {
            Some(line) => {
                let copy = path.with_extension("damaged");
                owner_only::create(&copy).and_then(|mut file| file.write_all(&text)).map_err(failed("copy"))?;
                Some(Damage { line, copy })
            }
            None => None,
        };
        let (file, length) = rewritten(&path, &stored).map_err(failed("write"))?;
        Ok((Self { path, file, length, compact: length, stored }, damage))
    }

    /// Returns the stored state.
    pub(crate) fn stored(&self) -> &Stored {
        &self.stored
    }

    /// Stores changes. Returns whether anything was written.
    ///
    /// After an error nothing counts as stored, so the caller repeats the changes.
    pub(crate) fn save(&mut self, changes: Changes) -> Result<bool, ServerError> {
        let line = self.differences(changes);
        if line.instances.is_empty() && line.notices.is_none() {
            return Ok(false);
        }
        self.append(&line).map_err(ServerError::file("write", &self.path))?;
        self.stored.apply(line);
        if self.length > SMALL.max(GROWTH * self.compact) {
            let rewritten = rewritten(&self.path, &self.stored);
            (self.file, self.length) = rewritten.map_err(ServerError::file("write", &self.path))?;
            self.compact = self.length;
        }
        Ok(true)
    }

    fn differences(&self, changes: Changes) -> Line {
        let Changes { mut instances, notices } = changes;
        instances.retain(|name, state| self.stored.instances.get(name) != state.as_ref());
        Line { version: None, instances, notices: notices.filter(|notices| *notices != self.stored.notices) }
    }

    fn append(&mut self, line: &Line) -> io::Result<()> {
        let bytes = bytes_of(line)?;
        // A write that failed in the middle has left a part of a line.
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(&bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Replaces the file by one line with the whole state.
fn rewritten(path: &Path, stored: &Stored) -> io::Result<(File, u64)> {
    let instances = stored.instances.iter().map(|(name, state)| (name.clone(), Some(state.clone()))).collect();
    let line = Line { version: Some(VERSION), instances, notices: Some(stored.notices.clone()) };
    let bytes = bytes_of(&line)?;
    let incomplete = path.with_extension("incomplete");
    let mut file = owner_only::create(&incomplete)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&incomplete, path)?;
    // The rename is durable when its folder is. Not every system can open a folder.
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok((file, bytes.len() as u64))
}

fn bytes_of(line: &Line) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Applies the complete lines of a text. Returns the state, and the number of the first line that is not understood.
///
/// # Errors
/// The version of the file form, if it is newer than this program.
fn read(text: &[u8]) -> Result<(Stored, Option<usize>), u32> {
    let mut stored = Stored::default();
    let complete = text.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &text[..end]);
    if complete.is_empty() {
        return Ok((stored, None));
    }
    for (at, bytes) in complete.split(|byte| *byte == b'\n').enumerate() {
        if let Some(version) = serde_json::from_slice::<VersionLine>(bytes).ok().and_then(|line| line.version)
            && version > VERSION
        {
            return Err(version);
        }
        let Ok(line) = serde_json::from_slice::<Line>(bytes) else { return Ok((stored, Some(at + 1))) };
        stored.apply(line);
    }
    Ok((stored, None))
}

/// The part of a line that all versions understand.
#[derive(Deserialize)]
struct VersionLine {
    version: Option<u32>,
}

#[cfg(test)]
mod tests {
    use integration_scheduler::{Cadence, PollingInterval, RunEnd, Scheduler, Settings};
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::observer::Notice;

    fn now(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + second).expect("a time")
    }

    fn state_of(scheduler: &Scheduler, notices: Vec<Pending>) -> Stored {
        let instances = scheduler.states().map(|(name, state)| (name.to_owned(), state.clone())).collect();
        Stored { instances, notices }
    }

    fn pending(instance: &str, second: i64) -> Pending {
        let notice = Notice {
            instance: instance.to_owned(),
            at: now(second),
            end: RunEnd::Published,
            job: Some("job".to_owned()),
            message: None,
            failures: 0,
        };
        Pending { notice, attempts: 0, not_before: None }
    }

    /// The states of a scheduler with some instances, after each of some runs.
    fn states(instances: usize, runs: usize) -> Vec<Stored> {
        let settings = Settings { cadence: Cadence::Every(PollingInterval::OneHour), revision: "1".to_owned() };
        let mut scheduler = Scheduler::new(1, BTreeMap::new());
        scheduler.configure((0..instances).map(|at| (format!("i{at}"), settings.clone())).collect(), now(0));
        let mut states = vec![state_of(&scheduler, Vec::new())];
        let mut time = now(0);
        for _ in 0..runs {
            let start = scheduler.start(time).remove(0);
            states.push(state_of(&scheduler, Vec::new()));
            scheduler.ended(&start.instance, RunEnd::Published, time + SignedDuration::from_secs(1));
            states.push(state_of(&scheduler, vec![pending(&start.instance, 1)]));
            time = scheduler.wake(time).expect("a time").max(time + SignedDuration::from_secs(2));
        }
        states
    }

    fn changes(state: &Stored) -> Changes {
        let instances = state.instances.iter().map(|(name, state)| (name.clone(), Some(state.clone()))).collect();
        Changes { instances, notices: Some(state.notices.clone()) }
    }

    fn reopened(directory: &Path) -> (Stored, Option<Damage>) {
        let (journal, damage) = Journal::open(directory).expect("a journal");
        (journal.stored, damage)
    }

    #[test]
    fn a_process_killed_at_any_byte_leaves_one_of_the_stored_states() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = Journal::open(folder.path()).expect("a journal");
        let states = states(3, 4);
        let mut lengths = vec![journal.length];
        for state in &states {
            assert!(journal.save(changes(state)).expect("a disk"));
            lengths.push(journal.length);
        }
        assert!(!journal.save(changes(states.last().expect("a state"))).expect("a disk"), "nothing has changed");
        let path = folder.path().join(FILE);
        let bytes = fs::read(&path).expect("a file");
        assert_eq!(bytes.len() as u64, journal.length);
        for cut in 0..=bytes.len() {
            fs::write(&path, &bytes[..cut]).expect("a file");
            let (found, damage) = reopened(folder.path());
            let whole = lengths.iter().filter(|length| **length <= cut as u64).count();
            let expected = if whole < 2 { Stored::default() } else { states[whole - 2].clone() };
            assert_eq!((found, damage), (expected, None), "cut at {cut}");
        }
    }

    #[test]
    fn many_saves_do_not_let_the_file_grow() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = Journal::open(folder.path()).expect("a journal");
        let states = states(20, 600);
        for state in &states {
            journal.save(changes(state)).expect("a disk");
            assert!(journal.length <= 2 * SMALL, "{} bytes", journal.length);
        }
        assert_eq!(reopened(folder.path()).0, *states.last().expect("a state"));
    }

    #[test]
    fn a_rest_of_a_failed_write_is_removed_by_the_next_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = Journal::open(folder.path()).expect("a journal");
        let states = states(2, 1);
        journal.save(changes(&states[0])).expect("a disk");
        journal.file.write_all(br#"{"instances":{"i0":{"crea"#).expect("a disk");
        journal.save(changes(&states[1])).expect("a disk");
        assert_eq!(reopened(folder.path()), (states[1].clone(), None));
    }

    #[test]
    fn after_damage_the_lines_before_it_apply_and_a_copy_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = Journal::open(folder.path()).expect("a journal");
        let states = states(2, 2);
        journal.save(changes(&states[0])).expect("a disk");
        let path = folder.path().join(FILE);
        let mut bytes = fs::read(&path).expect("a file");
        bytes.extend([0; 100]);
        bytes.extend(b"\n{\"instances\":{}}\n");
        fs::write(&path, &bytes).expect("a file");
        let (found, damage) = reopened(folder.path());
        let copy = folder.path().join("scheduler.damaged");
        assert_eq!((found, damage), (states[0].clone(), Some(Damage { line: 3, copy: copy.clone() })));
        assert_eq!(fs::read(copy).expect("a copy"), bytes);
        assert_eq!(reopened(folder.path()).1, None, "the file was rewritten");
    }

    #[test]
    fn a_journal_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "{\"version\":2,\"instances\":[]}\n").expect("a file");
        let error = Journal::open(folder.path()).expect_err("newer").to_string();
        assert!(error.contains("newer version") && error.contains(FILE), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (_journal, _) = Journal::open(folder.path()).expect("a journal");
        let mode = fs::metadata(folder.path().join(FILE)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    proptest! {
        #[test]
        fn no_contents_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
