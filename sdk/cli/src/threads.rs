//! The number of threads that the operating system allows.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Threads that a command needs in addition to the runtime: the store's writer and its checkpoints.
const OWN: usize = 2;
/// The minimum number of threads for blocking work: one may wait for the store while another reads.
const LEAST_BLOCKING: usize = 2;
/// The minimum number of worker threads: one handles signals while another is busy.
const LEAST_WORKERS: usize = 2;

/// The numbers of threads of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threads {
    pub(crate) workers: usize,
    pub(crate) blocking: usize,
}

/// The error that the operating system allows too few threads.
#[derive(Debug, thiserror::Error)]
#[error(
    "the operating system allows only {allowed} more threads, but {needed} are needed: raise the limit of the user (`ulimit -u`) or of the container"
)]
pub(crate) struct TooFew {
    allowed: usize,
    needed: usize,
}

impl Threads {
    /// Returns the useful number of threads, reduced to the limit of the operating system.
    ///
    /// The runtime does not handle that limit: it would panic or wait forever.
    pub(crate) fn allowed(processors: usize, most_blocking: usize) -> Result<Self, TooFew> {
        let wanted = Self {
            workers: processors.max(LEAST_WORKERS),
            blocking: processors.clamp(LEAST_BLOCKING, most_blocking.max(LEAST_BLOCKING)),
        };
        wanted.within(startable(wanted.workers + wanted.blocking + OWN))
    }

    /// Reduces the numbers to `allowed` threads in total.
    fn within(self, allowed: usize) -> Result<Self, TooFew> {
        let needed = LEAST_WORKERS + LEAST_BLOCKING + OWN;
        let Some(more) = allowed.checked_sub(needed) else { return Err(TooFew { allowed, needed }) };
        let workers = self.workers.min(LEAST_WORKERS + more / 2);
        let blocking = self.blocking.min(allowed - OWN - workers);
        Ok(Self { workers, blocking })
    }
}

/// The number of threads that can be started at once, at most `wanted`.
fn startable(wanted: usize) -> usize {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = || drop(gate.lock());
        let started = (0..wanted).take_while(|_| thread::Builder::new().spawn_scoped(scope, wait).is_ok()).count();
        drop(closed);
        started
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_threads_are_divided_and_too_few_are_an_error() {
        let wanted = Threads { workers: 8, blocking: 8 };
        assert_eq!(wanted.within(100).expect("enough"), wanted);
        assert_eq!(wanted.within(18).expect("enough"), Threads { workers: 8, blocking: 8 });
        for allowed in 6..18 {
            let Threads { workers, blocking } = wanted.within(allowed).expect("enough");
            assert!(
                workers >= 2 && blocking >= 2 && workers + blocking + OWN <= allowed,
                "{allowed}: {workers}, {blocking}"
            );
        }
        let error = wanted.within(5).expect_err("too few").to_string();
        assert!(error.contains("allows only 5 more threads, but 6 are needed"), "{error}");
        assert_eq!(startable(3), 3);
    }
}
