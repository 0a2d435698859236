//! The database file: its folder, its modes, its connections, and its schema.
//!
//! The folder and the file contain names and addresses of people. Both are readable by their owner only, regardless of
//! the umask. SQLite gives its other files (`-wal`, `-shm`) the mode of the database.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use integration_files::owner_only::Writable;
use integration_files::{input, owner_only};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::sqlite_error::failed;
use super::{StoreError, migrations};

/// The name of the database in the data directory.
const NAME: &str = "state.sqlite";
/// The files that SQLite creates next to the database.
const COMPANIONS: [&str; 3] = ["state.sqlite-wal", "state.sqlite-shm", "state.sqlite-journal"];
/// The maximum time to wait for another process that locks the file.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause before another attempt, if SQLite does not wait by itself.
const PAUSE: Duration = Duration::from_millis(10);

/// The settings of the database.
///
/// Large pages hold several objects each. Checkpoints on the writer's thread are a fallback for the checkpoint thread.
///
/// `secure_delete=FAST` overwrites deleted content if that needs no extra write. Other deleted content is on free
/// pages, which `Store::prune` returns to the file system.
const PRAGMAS: &str = "PRAGMA page_size=16384; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; \
                       PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=8192; PRAGMA journal_size_limit=67108864; \
                       PRAGMA temp_store=FILE; PRAGMA secure_delete=FAST;";

/// The lock held while the file is created.
///
/// When a process closes a file, it loses all its locks on that file, including those of SQLite. No thread may
/// therefore open the new file in SQLite before another thread has closed it.
static CREATION: Mutex<()> = Mutex::new(());

/// Creates the data directory and the database file if necessary.
///
/// Both are restricted to their owner, even if they exist.
pub(super) fn locate(directory: &Path) -> Result<PathBuf, StoreError> {
    let path = directory.join(NAME);
    check_writable(directory, &path)?;
    let unusable = |source| StoreError::Directory { path: directory.to_owned(), source };
    owner_only::create_folder(directory).map_err(unusable)?;
    restrict_folder(directory).map_err(unusable)?;
    let unusable = |source| StoreError::File { path: path.clone(), source };
    let _alone = CREATION.lock().unwrap_or_else(PoisonError::into_inner);
    input::check(&path).map_err(unusable)?;
    match owner_only::create_new(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unusable(error)),
        _ => {}
    }
    for name in [NAME].into_iter().chain(COMPANIONS) {
        let path = directory.join(name);
        let checked = input::check(&path).and_then(|()| restrict(&path, 0o600));
        checked.map_err(|source| StoreError::File { path, source })?;
    }
    Ok(path)
}

/// Refuses a store that this process may not write, before its modes are changed.
fn check_writable(directory: &Path, path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let is_final = match (owner_only::writable(path), owner_only::writable(directory)) {
        (Writable::Yes, Writable::Yes) => return Ok(()),
        (file, _) => file == Writable::No,
    };
    Err(StoreError::ReadOnly { path: directory.to_owned(), is_final })
}

/// Copies the files of a store that no process can write to another folder, where it can be opened.
///
/// # Errors
/// [`StoreError::File`] if a file cannot be read, or if the other folder has no space.
pub(super) fn copy(directory: &Path, target: &Path) -> Result<(), StoreError> {
    // The log of a killed process contains transactions that the database lacks.
    for name in [NAME, COMPANIONS[0]] {
        let path = directory.join(name);
        if path.exists() {
            let put = || io::copy(&mut fs::File::open(&path)?, &mut owner_only::create_new(&target.join(name))?);
            put().map_err(|source| StoreError::File { path: path.clone(), source })?;
        }
    }
    Ok(())
}

/// Opens a connection that reads and writes.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    connect_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens a read-only connection.
pub(super) fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    connect_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn connect_with(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // SQLite interprets names such as `file:x?mode=memory` as URIs. An absolute path never looks like one.
    let path = std::path::absolute(path).unwrap_or_else(|_| Path::new(".").join(path));
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Prepares a connection for writing, and creates or migrates the schema. Several processes may do so at once.
pub(super) fn prepare(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| failed(path, source);
    // Switching to the write-ahead log needs exclusive access, and SQLite does not always wait for that.
    retried(|| connection.execute_batch(PRAGMAS)).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    match retried(|| migrations::update(connection)).map_err(failed)? {
        migrations::NEWEST => Ok(()),
        found => Err(StoreError::Format { path: path.to_owned(), found, expected: migrations::NEWEST }),
    }
}

fn retried<R>(mut attempt: impl FnMut() -> rusqlite::Result<R>) -> rusqlite::Result<R> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_occupied(&error) && begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
            result => return result,
        }
    }
}

/// Runs a deletion whose content is overwritten at once, whatever the extra writes cost.
pub(super) fn overwriting<T>(
    connection: &Connection,
    delete: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.pragma_update(None, "secure_delete", true)?;
    let deleted = delete(connection);
    connection.pragma_update(None, "secure_delete", "fast")?;
    deleted
}

/// Whether another connection causes the error for the moment.
fn is_occupied(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed))
}

/// Returns free pages to the file system and empties the write-ahead log.
///
/// No deleted content is left afterwards. The result is `false` if another connection, such as a reader of another
/// process, prevents that for now.
pub(super) fn reclaim(path: &Path) -> rusqlite::Result<bool> {
    let connection = connect(path)?;
    connection.execute_batch("PRAGMA secure_delete=ON")?;
    match vacuum(&connection) {
        Err(error) if is_occupied(&error) => return Ok(false),
        done => done?,
    }
    let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!is_busy)
}

/// Removes every free page from the end of the file. Each step of the statement removes one page only.
pub(super) fn vacuum(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = statement.query([])?;
    while pages.next()?.is_some() {}
    Ok(())
}

/// Restricts an existing data directory to its owner if it contains nothing but a store.
///
/// A folder with other files, such as the current one, keeps its mode, because other users may need those files. The
/// files of the store are restricted individually.
fn restrict_folder(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name != NAME && !COMPANIONS.contains(&&*name) && !super::lock::is_lock(&name) {
            return Ok(());
        }
    }
    restrict(directory, 0o700)
}

/// Sets the mode of a path that is open to others or closed to its owner.
///
/// A path that is missing or belongs to another user stays unchanged.
#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let found = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if found & 0o077 == 0 && found & mode == mode {
        return Ok(());
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(mode)) {
        // Another user's file, or a file system without modes. Only its owner can change it.
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) => {
            tracing::warn!(path = %path.display(), %error, "others may be able to read the store");
            Ok(())
        }
        // SQLite of another process may remove its files at any time.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use integration_graph::InstanceId;

    #[test]
    fn many_threads_and_connections_create_one_schema() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let start = std::sync::Barrier::new(8);
            let opened = thread::scope(|scope| {
                let open = || {
                    start.wait();
                    Store::open(folder.path()).map(drop)
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            for result in opened {
                result.unwrap();
            }
        }
    }

    #[test]
    fn a_schema_that_another_connection_created_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = locate(folder.path()).unwrap();
        let (one, other) = (connect(&path).unwrap(), connect(&path).unwrap());
        let format = |connection| migrations::format(connection).unwrap();
        assert_eq!((format(&one), format(&other)), (0, 0));
        assert_eq!(migrations::update(&one).unwrap(), migrations::NEWEST);
        assert_eq!(migrations::update(&other).unwrap(), migrations::NEWEST);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn names_that_sqlite_takes_for_addresses_are_names_of_folders() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["file:x", "file:y?mode=memory", ":memory:", "per%20cent", "a?b#c"] {
            let directory = folder.path().join(name);
            let store = Store::open(&directory).unwrap();
            store.begin_job("acme", &InstanceId::default(), &serde_json::json!({})).await.unwrap();
            assert!(directory.join(NAME).is_file(), "{name}");
            assert_eq!(store.jobs().await.unwrap().len(), 1, "{name}");
        }
        assert!(connect(&folder.path().join("not there")).is_err());
    }

    #[cfg(unix)]
    #[tokio::test(flavor = "multi_thread")]
    async fn the_store_is_for_its_owner_only_also_if_it_was_there_before() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let open_to_all = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("there");
        fs::create_dir(&directory).unwrap();
        open_to_all(&directory, 0o755);
        let store = Store::open(&directory).unwrap();
        let job = store.begin_job("acme", &InstanceId::default(), &serde_json::json!({})).await.unwrap();
        for file in fs::read_dir(&directory).unwrap() {
            let path = file.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{path:?}");
            open_to_all(&path, 0o644);
        }
        open_to_all(&directory, 0o777);
        let again = Store::open(&directory).unwrap();
        assert_eq!(mode(&directory), 0o700);
        for name in [NAME, "state.sqlite-wal", "state.sqlite-shm"] {
            assert_eq!(mode(&directory.join(name)), 0o600, "{name}");
        }
        drop((job, store, again));
        let listed = Store::open(&directory).unwrap().jobs().await.unwrap().remove(0);
        assert_eq!(listed.state, integration_graph::run::JobState::Interrupted);
        // A folder with other files serves other purposes as well, so its mode stays.
        open_to_all(&directory, 0o755);
        fs::write(directory.join("notes.txt"), "").unwrap();
        drop(Store::open(&directory).unwrap());
        assert_eq!((mode(&directory), mode(&directory.join(NAME))), (0o755, 0o600));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_a_file_is_an_error_at_once() {
        for name in [NAME, "state.sqlite-wal"] {
            let folder = tempfile::tempdir().unwrap();
            let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap();
            assert!(made.success());
            let error = Store::open(folder.path()).map(drop).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("a named pipe"), "{error}");
        }
    }
}
