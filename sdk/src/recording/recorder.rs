//! Writing recordings: every exchange is on its way to the disk before its answer is used.
//!
//! One series of files a job, not a file a step: an exchange can serve several steps, and the first one, which checks
//! the credentials, none. A file holds an exchange a line and is whole JSON after each of them, its end being written
//! again and again; what a process that dies in the middle of a write leaves is read up to that exchange. Files are
//! begun anew at a size that browsers and editors can open. Nothing is kept in memory.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http::{Endpoint, EndpointError, Http};
use crate::owner_only;
use crate::redact::Redaction;

use super::RecordingError;
use super::archive::har_files;
use super::exchange::{Asked, Heard, Times};
use super::har::VERSION;
use super::pseudonym::Pseudonyms;
use super::scrub::Scrub;

/// From this size on an exchange goes into the next file.
const FULL: u64 = 32 << 20;
const END: &[u8] = b"\n]}}\n";

/// How to record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordOptions {
    /// Replaces e-mail addresses: the same address by the same pseudonym, in all recordings of a folder. The key of
    /// that is a file of the folder, which is not to be given away. What is added to a folder with a key is
    /// pseudonymised in any case.
    pub pseudonymise_emails: bool,
    /// Adds to the recordings that a folder holds, as for the rest of a job that was killed. Otherwise such a folder
    /// is refused, since a replay answers equal requests in the order in which they were recorded.
    pub append: bool,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The folder.
    pub directory: PathBuf,
    /// Requests with what was heard of them.
    pub exchanges: u64,
    /// The files that hold them.
    pub files: u32,
}

/// Writes down what a provider says, as HAR files in a folder. Clones write into the same files.
///
/// Of a request its method, its URL without credentials and those headers are kept that decide the answer; of an
/// answer its status, its headers and its body. Taken out are the secrets of the client, the fields that the
/// integration marks as secret, and whatever [`find_secrets`](super::find_secrets) would find.
#[derive(Debug, Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    directory: PathBuf,
    pseudonyms: Option<Pseudonyms>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: HarFile,
    number: u32,
    files: u32,
    exchanges: u64,
    /// From then on nothing is written: a recording with holes is none.
    failed: Option<RecordingError>,
    stopped: bool,
}

impl Recorder {
    /// Begins recordings in a folder, which is made where it is not there.
    ///
    /// # Errors
    /// [`RecordingError`] where the folder cannot be used, or holds recordings and these are not to be added to.
    pub fn open(directory: impl AsRef<Path>, options: RecordOptions) -> Result<Self, RecordingError> {
        let directory = directory.as_ref().to_owned();
        owner_only::create_folder(&directory).map_err(RecordingError::io("make", &directory))?;
        if !options.append && !har_files(&directory)?.is_empty() {
            return Err(RecordingError::Occupied { path: directory });
        }
        let pseudonyms = match options {
            RecordOptions { pseudonymise_emails: true, .. } => Some(Pseudonyms::of_folder_or_new(&directory)?),
            // Nobody's address is to come to where there are none.
            RecordOptions { append: true, .. } => Pseudonyms::of_folder(&directory)?,
            _ => None,
        };
        let (file, number) = HarFile::next(&directory, 1)?;
        let state = State { file, number, files: 1, exchanges: 0, failed: None, stopped: false };
        Ok(Self { shared: Arc::new(Shared { directory, pseudonyms, state: Mutex::new(state) }) })
    }

    /// A client whose exchanges are recorded; `redaction` says what is secret in them. Jobs make their own by
    /// [`Job::record`](crate::Job::record).
    ///
    /// # Errors
    /// As [`Http::connect`].
    pub fn connect(&self, endpoint: Endpoint, redaction: &Redaction) -> Result<Http, EndpointError> {
        Http::connect_through(endpoint, &crate::http::Tape::Record(self.clone()), redaction)
    }

    /// What has been recorded so far. The files are whole without this: it tells whether they hold everything.
    ///
    /// # Errors
    /// What kept an exchange from being written, once; nothing after that exchange was recorded.
    pub fn finish(&self) -> Result<Recorded, RecordingError> {
        let mut state = self.open_state();
        if let Some(failed) = state.failed.take() {
            return Err(failed);
        }
        let directory = self.shared.directory.clone();
        Ok(Recorded { directory, exchanges: state.exchanges, files: state.files })
    }

    pub(crate) fn listener(&self, endpoint: Endpoint, redaction: Redaction) -> RecordingTransport {
        let own = endpoint.own_secrets();
        let scrub = Scrub { own, redaction, pseudonyms: self.shared.pseudonyms.clone() };
        RecordingTransport { recorder: self.clone(), scrub }
    }

    fn add(&self, entry: &[u8]) {
        let mut state = self.open_state();
        if state.stopped {
            return;
        }
        if let Err(error) = state.add(&self.shared.directory, entry) {
            tracing::error!(%error, "recording ends here: the collection goes on without");
            state.failed = Some(error);
            state.stopped = true;
        }
    }

    /// A panic while writing leaves a file that is read up to the exchange before.
    fn open_state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, directory: &Path, entry: &[u8]) -> Result<(), RecordingError> {
        if self.file.end >= FULL {
            (self.file, self.number) = HarFile::next(directory, self.number + 1)?;
            self.files += 1;
        }
        self.file.add(entry)?;
        self.exchanges += 1;
        Ok(())
    }
}

/// A recorder at one client.
#[derive(Debug)]
pub(crate) struct RecordingTransport {
    recorder: Recorder,
    scrub: Scrub,
}

impl RecordingTransport {
    /// Writes an exchange down. At once, in the task that asked: then no exchange is lost when that is cancelled, and
    /// no more of them are in memory than requests are in flight.
    pub(crate) fn heard(&self, asked: &Asked, heard: &Heard, times: Times) {
        let entry = self.scrub.entry(asked, heard, times);
        // Strings and numbers alone: this cannot fail.
        self.recorder.add(&serde_json::to_vec(&entry).unwrap_or_default());
    }
}

/// A file that is whole after every exchange.
#[derive(Debug)]
struct HarFile {
    path: PathBuf,
    file: File,
    /// Where the next exchange goes, over what ends the file now.
    end: u64,
    empty: bool,
}

impl HarFile {
    /// A new file under the first number that is free.
    fn next(directory: &Path, mut number: u32) -> Result<(Self, u32), RecordingError> {
        loop {
            let path = directory.join(format!("recording-{number:05}.har"));
            match owner_only::create_new(&path) {
                Ok(file) => return Ok((Self::begin(path, file)?, number)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(RecordingError::io("write", path)(error)),
            }
        }
    }

    fn begin(path: PathBuf, mut file: File) -> Result<Self, RecordingError> {
        let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let creator = format!(r#"{{"name":"{name}","version":"{version}"}}"#);
        let head = format!(r#"{{"log":{{"version":"{VERSION}","creator":{creator},"entries":["#);
        let written = file.write_all(&[head.as_bytes(), END].concat());
        written.map_err(RecordingError::io("write", &path))?;
        Ok(Self { path, file, end: head.len() as u64, empty: true })
    }

    fn add(&mut self, entry: &[u8]) -> Result<(), RecordingError> {
        let separator: &[u8] = if self.empty { b"\n" } else { b",\n" };
        // One write: a process that is killed leaves all of it or, rarely, a part.
        let line = [separator, entry, END].concat();
        let written = self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(&line));
        if let Err(error) = written {
            self.restore();
            return Err(RecordingError::io("write", &self.path)(error));
        }
        self.end += (separator.len() + entry.len()) as u64;
        self.empty = false;
        Ok(())
    }

    /// As well as it goes: a disk that is full has room for what was there before.
    fn restore(&mut self) {
        let restored = self.file.set_len(self.end).and_then(|()| self.file.seek(SeekFrom::Start(self.end)));
        let _ = restored.and_then(|_| self.file.write_all(END));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn recorder(folder: &Path) -> Recorder {
        Recorder::open(folder, RecordOptions::default()).unwrap()
    }

    #[test]
    fn a_full_file_is_followed_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = recorder(folder.path());
        recorder.add(format!("\"{}\"", "x".repeat(FULL as usize)).as_bytes());
        recorder.add(b"1");
        recorder.add(b"2");
        assert_eq!(recorder.finish().unwrap().files, 2);
        let second = fs::read_to_string(folder.path().join("recording-00002.har")).unwrap();
        assert!(second.ends_with("\"entries\":[\n1,\n2\n]}}\n"), "{second}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_a_recording() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/recordings");
        Recorder::open(&path, RecordOptions { pseudonymise_emails: true, append: false }).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for file in ["recording-00001.har", "pseudonyms.key", ".gitignore"] {
            assert_eq!(mode(&path.join(file)), 0o600, "{file}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_that_is_full_ends_the_recording_and_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = recorder(folder.path());
        recorder.add(b"1");
        let full = File::options().write(true).open("/dev/full").unwrap();
        recorder.open_state().file.file = full;
        recorder.add(b"2");
        recorder.add(b"3");
        let error = recorder.finish().unwrap_err();
        assert!(matches!(&error, RecordingError::Io { action: "write", .. }), "{error}");
        assert_eq!(recorder.finish().unwrap().exchanges, 1);
    }
}
