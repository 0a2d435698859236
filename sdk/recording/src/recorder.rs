//! The recorder, which writes every exchange to disk before its response is used.
//!
//! A job writes one series of files instead of one file per step, because an exchange can serve several steps, and the
//! check of the credentials serves none. A file contains one exchange per line. It is complete JSON after every
//! exchange: each write includes the end of the file, and the next write overwrites that end. If the process is killed
//! during a write, the file is readable up to that exchange. A new file starts at a size that browsers and editors can
//! still open. Exchanges are not kept in memory.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

use integration_files::owner_only;
use integration_graph::Redaction;
use integration_http::{
    Connector, Endpoint, EndpointError, NetworkConnector, Reservation, Transport, TransportError, WireRequest,
    WireResponse,
};

use super::RecordingError;
use super::archive::har_files;
use super::har::{Request, VERSION};
use super::pseudonym::Pseudonyms;
use super::scrub::{Outcome, Scrub, Times};

/// The file size above which the next exchange starts a new file.
const FULL: u64 = 32 << 20;
/// The name of the program in the files.
const CREATOR: &str = "integration-sdk";
const END: &[u8] = b"\n]}}\n";

/// The options of a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordOptions {
    /// Whether e-mail addresses are replaced by pseudonyms.
    ///
    /// An address has the same pseudonym in all recordings of a folder. The key is a file of the folder and must not be
    /// shared. Recordings that are added to a folder with a key always use pseudonyms.
    pub pseudonymise_emails: bool,
    /// Whether new exchanges may be added to existing recordings.
    ///
    /// This is useful for the rest of a job that was killed. By default such a folder is rejected, because a replay
    /// returns the responses to equal requests in their recorded order.
    pub append: bool,
}

/// The result of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The folder.
    pub directory: PathBuf,
    /// The number of recorded exchanges.
    pub exchanges: u64,
    /// The number of files.
    pub files: u32,
}

/// Writes the exchanges with a provider to HAR files in a folder.
///
/// Clones write to the same files. A recorder is a [`Connector`]: it records the exchanges of the network, or of
/// another connector given to [`over`](Self::over).
///
/// A recorded request consists of its method, its URL without credentials, and the headers that affect the response. A
/// recorded response consists of its status, its headers, and its body. The recorder removes the secrets of the client,
/// the fields that the integration declares as secret, and everything that [`find_secrets`](super::find_secrets) would
/// find.
#[derive(Debug, Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
    inner: Arc<dyn Connector>,
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
    /// The error that ended the recording.
    ///
    /// Nothing is written after it, because a recording with missing exchanges is useless.
    failed: Option<RecordingError>,
    stopped: bool,
}

impl Recorder {
    /// Starts a recording in a folder, and creates the folder if necessary.
    ///
    /// # Errors
    /// [`RecordingError`] if the folder cannot be used, or contains recordings without permission to add to them.
    pub fn open(directory: impl AsRef<Path>, options: RecordOptions) -> Result<Self, RecordingError> {
        let directory = directory.as_ref().to_owned();
        owner_only::create_folder(&directory).map_err(RecordingError::io("make", &directory))?;
        if !options.append && !har_files(&directory)?.is_empty() {
            return Err(RecordingError::Occupied { path: directory });
        }
        let pseudonyms = match options {
            RecordOptions { pseudonymise_emails: true, .. } => Some(Pseudonyms::of_folder_or_new(&directory)?),
            // A folder with pseudonyms must not receive real addresses.
            RecordOptions { append: true, .. } => Pseudonyms::of_folder(&directory)?,
            _ => None,
        };
        let (file, number) = HarFile::next(&directory, 1)?;
        let state = State { file, number, files: 1, exchanges: 0, failed: None, stopped: false };
        let shared = Arc::new(Shared { directory, pseudonyms, state: Mutex::new(state) });
        Ok(Self { shared, inner: Arc::new(NetworkConnector) })
    }

    /// Records the exchanges of another connector instead of those of the network.
    #[must_use]
    pub fn over(self, connector: impl Connector + 'static) -> Self {
        Self { inner: Arc::new(connector), ..self }
    }

    /// Returns the result of the recording so far.
    ///
    /// The files are complete without this call, which only reports whether they contain every exchange.
    ///
    /// # Errors
    /// The reason why an exchange could not be written. It is returned once, and later exchanges were not recorded.
    pub fn finish(&self) -> Result<Recorded, RecordingError> {
        let mut state = self.open_state();
        if let Some(failed) = state.failed.take() {
            return Err(failed);
        }
        let directory = self.shared.directory.clone();
        Ok(Recorded { directory, exchanges: state.exchanges, files: state.files })
    }

    /// Returns the writer of one client's exchanges.
    pub(super) fn exchanges(&self, endpoint: &Endpoint, redaction: &Redaction) -> ExchangeWriter {
        let (own, redaction) = (endpoint.own_secrets(), redaction.clone());
        let scrub = Scrub { own, redaction, pseudonyms: self.shared.pseudonyms.clone() };
        ExchangeWriter { recorder: self.clone(), scrub }
    }

    fn add(&self, entry: &[u8]) {
        let mut state = self.open_state();
        if state.stopped {
            return;
        }
        if let Err(error) = state.add(&self.shared.directory, entry) {
            tracing::error!(%error, "the recording has ended; the collection continues without it");
            state.failed = Some(error);
            state.stopped = true;
        }
    }

    /// Locks the state.
    ///
    /// A panic during a write leaves a file that is readable up to the previous exchange.
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

impl Connector for Recorder {
    fn open(&self, endpoint: &Endpoint, redaction: &Redaction) -> Result<Box<dyn Transport>, EndpointError> {
        let inner = self.inner.open(endpoint, redaction)?;
        Ok(Box::new(RecordingTransport { inner, exchanges: self.exchanges(endpoint, redaction) }))
    }

    fn is_offline(&self) -> bool {
        self.inner.is_offline()
    }

    /// A recording needs the bodies of all responses, so a response 304 is not acceptable.
    fn allows_conditional_requests(&self) -> bool {
        false
    }
}

/// A transport whose exchanges are recorded.
struct RecordingTransport {
    inner: Box<dyn Transport>,
    exchanges: ExchangeWriter,
}

impl Transport for RecordingTransport {
    fn send<'a>(
        &'a self,
        request: WireRequest,
        reservation: &'a mut Reservation,
    ) -> BoxFuture<'a, Result<WireResponse, TransportError>> {
        async move {
            let recorded = self.exchanges.request(&request);
            let (sent, started) = (Timestamp::now(), Instant::now());
            let outcome = self.inner.send(request, reservation).await;
            let times = Times { sent, took: started.elapsed() };
            if belongs_to_recording(&outcome) {
                self.exchanges.write(recorded, &outcome, times);
            }
            outcome
        }
        .boxed()
    }
}

/// Returns whether a replay should repeat an outcome.
///
/// The others are no outcomes of the provider: the client rejects them, or sends the request again.
fn belongs_to_recording(outcome: &Outcome) -> bool {
    match outcome {
        Ok(_) => true,
        Err(error) => matches!(
            error,
            TransportError::Connection(_)
                | TransportError::Unconnected(_)
                | TransportError::NotConnectedInTime
                | TransportError::TimedOut
                | TransportError::TooLarge
        ),
    }
}

/// Writes the exchanges of one client.
#[derive(Debug)]
pub(super) struct ExchangeWriter {
    recorder: Recorder,
    scrub: Scrub,
}

impl ExchangeWriter {
    /// Returns the request as it is recorded.
    pub(super) fn request(&self, request: &WireRequest) -> Request {
        self.scrub.request(request)
    }

    /// Writes an exchange at once, in the task that sent the request.
    ///
    /// No exchange is then lost if the task is cancelled, and the number of exchanges in memory never exceeds the
    /// number of requests in flight.
    pub(super) fn write(&self, request: Request, outcome: &Outcome, times: Times) {
        let entry = self.scrub.entry(request, outcome, times);
        // The entry consists of strings and numbers, so the serialization cannot fail.
        self.recorder.add(&serde_json::to_vec(&entry).unwrap_or_default());
    }
}

/// A HAR file that is complete after every exchange.
#[derive(Debug)]
struct HarFile {
    path: PathBuf,
    file: File,
    /// The position of the next exchange, which overwrites the current end of the file.
    end: u64,
    empty: bool,
}

impl HarFile {
    /// Creates a file with the first free number.
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
        let creator = format!(r#"{{"name":"{CREATOR}","version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
        let head = format!(r#"{{"log":{{"version":"{VERSION}","creator":{creator},"entries":["#);
        let written = file.write_all(&[head.as_bytes(), END].concat());
        written.map_err(RecordingError::io("write", &path))?;
        Ok(Self { path, file, end: head.len() as u64, empty: true })
    }

    fn add(&mut self, entry: &[u8]) -> Result<(), RecordingError> {
        let separator: &[u8] = if self.empty { b"\n" } else { b",\n" };
        // A single write, so that a killed process usually leaves all of it, and rarely a part.
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

    /// Restores the end of the file if possible.
    ///
    /// Even a full disk has space for it, because the same bytes were there before.
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
