//! The lock that keeps a second scheduler away from a data directory.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use integration_files::owner_only;

use crate::error::ServerError;

const FILE: &str = "scheduler.lock";
/// The digits of the greatest process id, with room to spare.
const LONGEST_ID: u64 = 16;

/// The exclusive right to schedule the instances of a data directory. The operating system ends it with the process.
#[derive(Debug)]
pub(crate) struct SchedulerLock(#[expect(dead_code, reason = "its lock ends with the file")] File);

impl SchedulerLock {
    /// Takes the lock.
    ///
    /// The file is never removed, and contains the id of the process that took the lock last.
    pub(crate) fn take(directory: &Path) -> Result<Self, ServerError> {
        let path = directory.join(FILE);
        let failed = |action| ServerError::file(action, &path);
        let mut file = owner_only::open(&path).map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ServerError::Locked { directory: directory.to_owned(), process: id_in(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock")(error)),
        }
        let id = std::process::id().to_string();
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(id.as_bytes())
        };
        write(&mut file).map_err(failed("write"))?;
        Ok(Self(file))
    }
}

/// Returns the process id in a lock file. It is missing for a moment when another process takes the lock.
fn id_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(LONGEST_ID).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Returns the process that schedules the instances of a data directory, if there is one.
///
/// The id is that of the process in its own namespace, so it differs from that of the host in a container.
pub fn scheduling_process(directory: &Path) -> Option<u32> {
    let mut file = File::open(directory.join(FILE)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => id_in(&mut file),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_scheduler_is_refused_with_the_process_of_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(scheduling_process(folder.path()), None);
        let lock = SchedulerLock::take(folder.path()).expect("a lock");
        let error = SchedulerLock::take(folder.path()).expect_err("locked").to_string();
        assert!(error.contains(&format!("(process {})", std::process::id())), "{error}");
        assert_eq!(scheduling_process(folder.path()), Some(std::process::id()));
        drop(lock);
        assert_eq!(scheduling_process(folder.path()), None);
        SchedulerLock::take(folder.path()).expect("it is free again");
    }
}
