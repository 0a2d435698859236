//! The archive of recordings, which reads exchanges from disk on demand.
//!
//! Files are read one at a time. The memory of a replay is therefore an index and, while the replay is opened, the
//! largest file.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use integration_files::input;

use super::RecordingError;
use super::har::Entry;

/// A file of which only the beginning could be read.
///
/// A process that is killed during a write leaves such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// The number of exchanges before the damage, which are replayed.
    pub exchanges: usize,
    /// The reason.
    pub reason: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str()).to_string_lossy();
        write!(f, "{name} is damaged after {} exchanges ({})", self.exchanges, self.reason)
    }
}

/// An exchange that is not replayed because it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The file.
    pub file: PathBuf,
    /// The position in the list of the file, starting at 1.
    pub exchange: usize,
    /// The reason.
    pub reason: String,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str()).to_string_lossy();
        write!(f, "exchange {} of {name} cannot be read: {}", self.exchange, self.reason)
    }
}

/// The maximum number of unreadable exchanges that messages name.
const NAMED: usize = 5;

/// The location of a recorded exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located {
    file: usize,
    start: u64,
    length: usize,
}

impl Located {
    /// Returns the size of the exchange in its file, which is about that of the body.
    pub(super) fn bytes(self) -> usize {
        self.length
    }
}

/// The `.har` files below a folder, or a single file.
#[derive(Debug)]
pub(super) struct Archive {
    files: Vec<PathBuf>,
    pub(super) damaged: Vec<Damage>,
    pub(super) unreadable: Vec<Unreadable>,
}

impl Archive {
    /// Reads all files, and calls `each` with their exchanges in order.
    pub(super) fn read(path: &Path, mut each: impl FnMut(Located, Entry)) -> Result<Self, RecordingError> {
        let files = har_files(path)?;
        let (mut damaged, mut unreadable, mut total) = (Vec::new(), Vec::new(), 0);
        for (number, file) in files.iter().enumerate() {
            let bytes = input::read(file, input::RECORDING).map_err(RecordingError::io("read", file))?;
            if let Some(encoding) = wide_encoding(&bytes) {
                return Err(RecordingError::Encoding { path: file.clone(), encoding });
            }
            let (mut exchanges, mut listed) = (0, 0);
            let base = bytes.as_ptr().addr();
            let read = each_entry(&bytes, &mut |raw| {
                let text = raw.get();
                listed += 1;
                match Entry::read(text) {
                    Ok(entry) => {
                        let start = (text.as_ptr().addr() - base) as u64;
                        each(Located { file: number, start, length: text.len() }, entry);
                        exchanges += 1;
                    }
                    Err(reason) => unreadable.push(Unreadable { file: file.clone(), exchange: listed, reason }),
                }
            });
            match read.outcome {
                Ok(()) if read.is_har => {}
                Ok(()) => return Err(not_har(file, "it has no list `log.entries`".into())),
                Err(error) if !read.is_har && !error.is_eof() => return Err(not_har(file, error.to_string())),
                Err(error) => damaged.push(Damage { file: file.clone(), exchanges, reason: error.to_string() }),
            }
            total += exchanges;
        }
        if total == 0 {
            let faults = damaged.iter().map(ToString::to_string).chain(unreadable.iter().map(ToString::to_string));
            let details = faults.take(NAMED).map(|fault| format!(": {fault}")).collect();
            return Err(RecordingError::Nothing { path: path.to_owned(), details });
        }
        damaged.iter().for_each(|damage| tracing::warn!(%damage, "a recording is damaged"));
        unreadable.iter().take(NAMED).for_each(|unreadable| tracing::warn!("{unreadable}"));
        if unreadable.len() > NAMED {
            tracing::warn!("{} recorded exchanges in total cannot be read and are not replayed", unreadable.len());
        }
        Ok(Self { files, damaged, unreadable })
    }

    /// Reads an exchange from disk.
    pub(super) fn entry(&self, at: Located) -> Result<Entry, RecordingError> {
        let path = &self.files[at.file];
        let mut text = vec![0; at.length];
        let read = input::open(path).and_then(|mut file| {
            file.seek(SeekFrom::Start(at.start))?;
            file.read_exact(&mut text)
        });
        read.map_err(RecordingError::io("read", path))?;
        let text = std::str::from_utf8(&text).map_err(|error| error.to_string());
        let entry = text.and_then(Entry::read);
        entry.map_err(|error| not_har(path, format!("it has changed since it was opened ({error})")))
    }
}

/// Returns the encoding of a file whose characters have two or four bytes.
///
/// No JSON in UTF-8 starts with such bytes.
pub(super) fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [_, 0, 0, 0, ..] | [0, 0, 0, _, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [_, 0, ..] => Some("UTF-16LE"),
        [0xfe, 0xff, ..] | [0, _, ..] => Some("UTF-16BE"),
        _ => None,
    }
}

fn not_har(path: &Path, reason: String) -> RecordingError {
    RecordingError::NotHar { path: path.to_owned(), reason }
}

/// Returns the `.har` files below a folder in the order of their names, or the file itself.
pub(super) fn har_files(path: &Path) -> Result<Vec<PathBuf>, RecordingError> {
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    if path.is_file() {
        return Ok(folders);
    }
    while let Some(folder) = folders.pop() {
        for found in fs::read_dir(&folder).map_err(RecordingError::io("read", &folder))? {
            let found = found.map_err(RecordingError::io("read", &folder))?;
            let kind = found.file_type().map_err(RecordingError::io("read", found.path()))?;
            let is_har = found.path().extension().is_some_and(|extension| extension.eq_ignore_ascii_case("har"));
            if kind.is_dir() {
                folders.push(found.path());
            } else if is_har {
                files.push(found.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The result of reading a file as far as possible.
pub(super) struct Reading {
    /// Whether the file contains a list of entries, or at least its start.
    pub(super) is_har: bool,
    /// The syntax error of the file, if there is one.
    pub(super) outcome: Result<(), serde_json::Error>,
}

/// Calls `each` with the text of every entry up to the first damage.
pub(super) fn each_entry<'a>(bytes: &'a [u8], each: &mut dyn FnMut(&'a RawValue)) -> Reading {
    // Some tools start a file with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut is_har = false;
    let descent = Descent { names: &["log", "entries"], each, arrived: &mut is_har };
    let outcome = descent.deserialize(&mut json).and_then(|()| json.end());
    Reading { is_har, outcome }
}

/// The descent to the list of entries, and through it.
struct Descent<'n, 'f, 'a> {
    names: &'n [&'static str],
    each: &'f mut dyn FnMut(&'a RawValue),
    arrived: &'f mut bool,
}

impl<'a> DeserializeSeed<'a> for Descent<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.names.is_empty() { deserializer.deserialize_seq(self) } else { deserializer.deserialize_map(self) }
    }
}

impl<'a> Visitor<'a> for Descent<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.names.first() {
            Some(name) => write!(f, "an object with `{name}`"),
            None => f.write_str("a list of entries"),
        }
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((name, below)) = self.names.split_first() else { return Ok(()) };
        while let Some(field) = map.next_key::<String>()? {
            if field == *name {
                map.next_value_seed(Descent { names: below, each: &mut *self.each, arrived: &mut *self.arrived })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        *self.arrived = true;
        while let Some(entry) = list.next_element::<&'a RawValue>()? {
            (self.each)(entry);
        }
        Ok(())
    }
}
