//! The memory of a client's responses: a byte budget that its requests share.
//!
//! A request reserves the bytes of its response before it is sent. Everything that is made of the response holds them:
//! the body, the elements of its page, and the objects that are not stored yet. The bytes are released when the last of
//! these is dropped.
//!
//! # No deadlock
//!
//! - A request waits before it is sent, so it holds neither a connection nor a permit of the in-flight limit. Growth in
//!   the middle of a body never waits: it succeeds, or the body is dropped and requested again with a larger
//!   reservation.
//! - Bytes are held on behalf of a [`Work`]: a partition, or a step outside its partitions. A step may hold a page
//!   while its partitions process it, therefore steps and partitions have a [`Room`] each. Partitions never wait for
//!   steps.
//! - In one room, a request that fits is admitted in the order of arrival, and so is any request while nothing is held.
//!   If no request fits and a waiting work already holds bytes, such as a page whose elements lead to more lists, the
//!   first of these works is privileged: it is admitted beyond the capacity until it holds nothing. There is one
//!   privileged work at a time. It depends on no other one, so it ends, and the next one follows.
//! - Works that wait for each other in ways that are not visible here, such as a channel, would never end. If nothing
//!   has moved for [`PATIENCE`], the first request is admitted.
//!
//! Thus a room exceeds its capacity by the bytes of one work, or by one response.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// The maximum time without any movement before the first request is admitted.
const PATIENCE: Duration = Duration::from_secs(10);

static NEXT: AtomicU64 = AtomicU64::new(0);

tokio::task_local! {
    static WORK: Work;
}

/// A task that holds responses. Requests of one work do not wait for bytes that the work holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Work {
    number: u64,
    is_partition: bool,
}

impl Work {
    /// Creates the work of a step outside its partitions, or of a request without a step.
    pub fn step() -> Self {
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), is_partition: false }
    }

    /// Creates the work of a partition. A nested partition shares the work of the enclosing one.
    pub fn partition() -> Self {
        let outer = Self::current().filter(|work| work.is_partition);
        outer.unwrap_or_else(|| Self { is_partition: true, ..Self::step() })
    }

    /// Returns the work of the running task.
    pub fn current() -> Option<Self> {
        WORK.try_with(|work| *work).ok()
    }

    /// Runs a future as this work.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        WORK.scope(self, future).await
    }
}

/// The rooms of a client: one for steps, one for partitions.
#[derive(Debug)]
pub(crate) struct Rooms {
    steps: Room,
    partitions: Room,
}

impl Rooms {
    /// Creates the rooms. Partitions are many, so they get three quarters of the capacity.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { steps: Room::new(capacity / 4), partitions: Room::new(capacity - capacity / 4) }
    }

    /// Waits until a work may hold this number of bytes.
    pub(crate) async fn take(&self, work: Work, bytes: usize) -> Hold {
        if work.is_partition { self.partitions.take(work, bytes).await } else { self.steps.take(work, bytes).await }
    }

    /// Returns the peak of the bytes held by steps, plus that of partitions.
    pub(crate) fn most_held(&self) -> usize {
        let (steps, partitions) = (self.steps.shared.open().most, self.partitions.shared.open().most);
        steps + partitions
    }
}

/// A byte budget.
#[derive(Debug, Clone)]
struct Room {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    most: usize,
    by_work: HashMap<Work, usize>,
    privileged: Option<Work>,
    waiting: VecDeque<Waiting>,
    /// The number of grants and releases.
    moves: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    work: Work,
    bytes: usize,
    granted: oneshot::Sender<Hold>,
}

/// A reservation of bytes, released on drop.
pub(crate) struct Hold {
    room: Arc<Shared>,
    work: Work,
    /// Changed only under the lock of the room.
    bytes: AtomicUsize,
    /// Bytes of additional reservations made by [`beside`](Hold::beside).
    further: AtomicUsize,
    /// The reservation to which this one was added.
    _first: Option<Arc<Hold>>,
}

impl Room {
    fn new(capacity: usize) -> Self {
        Self { shared: Arc::new(Shared { capacity, state: Mutex::default() }) }
    }

    async fn take(&self, work: Work, bytes: usize) -> Hold {
        let (number, mut turn) = {
            let mut state = self.shared.open();
            if state.waiting.is_empty() && state.admits(self.shared.capacity, work, bytes) {
                state.charge(work, bytes);
                return self.hold(work, bytes);
            }
            let (granted, turn) = oneshot::channel();
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            state.waiting.push_back(Waiting { number, work, bytes, granted });
            (number, turn)
        };
        tracing::debug!(bytes, "waiting for memory");
        let _leaving = Leaving { room: self, number };
        loop {
            self.let_in(false);
            let moves = self.shared.open().moves;
            match timeout(PATIENCE, &mut turn).await {
                Ok(hold) => return hold.expect("a waiting request is in the queue until it is granted"),
                Err(_) if self.shared.open().moves == moves => {
                    tracing::warn!(
                        "the memory for responses is exhausted and nothing moves: a request proceeds without it"
                    );
                    self.let_in(true);
                }
                Err(_) => {}
            }
        }
    }

    /// Admits all requests that fit, and if `stuck` also the first one.
    fn let_in(&self, mut stuck: bool) {
        loop {
            // A separate statement, so that the lock is not held while the grant is sent.
            let next = self.shared.open().next(self.shared.capacity, stuck);
            let Some(Waiting { work, bytes, granted, .. }) = next else { return };
            stuck = false;
            if let Err(hold) = granted.send(self.hold(work, bytes)) {
                // The request was dropped. Its bytes are released here, because dropping the reservation would start
                // this loop again recursively.
                self.shared.open().release(work, hold.bytes.swap(0, Ordering::Relaxed));
            }
        }
    }

    fn hold(&self, work: Work, bytes: usize) -> Hold {
        Hold::of(&self.shared, work, bytes, None)
    }
}

/// Removes a request from the queue when it stops waiting, so that later ones move up.
struct Leaving<'a> {
    room: &'a Room,
    number: u64,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.room.shared.open().waiting.retain(|waiting| waiting.number != self.number);
        self.room.let_in(false);
    }
}

impl Shared {
    /// Locks the state. Every change is complete before the lock is released, so the state is consistent even after a
    /// panic elsewhere.
    fn open(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn admits(&self, capacity: usize, work: Work, bytes: usize) -> bool {
        self.held == 0 || self.held.saturating_add(bytes) <= capacity || self.privileged == Some(work)
    }

    /// Removes the next admissible request from the queue and charges its bytes.
    fn next(&mut self, capacity: usize, stuck: bool) -> Option<Waiting> {
        let first = self.waiting.front()?;
        let at = if stuck || self.admits(capacity, first.work, first.bytes) {
            0
        } else {
            let holds = |waiting: &Waiting| self.by_work.contains_key(&waiting.work);
            let privileged = match self.privileged {
                Some(work) => self.waiting.iter().position(|waiting| waiting.work == work),
                None => self.waiting.iter().position(holds),
            }?;
            self.privileged = Some(self.waiting[privileged].work);
            privileged
        };
        let next = self.waiting.remove(at)?;
        self.charge(next.work, next.bytes);
        Some(next)
    }

    fn charge(&mut self, work: Work, bytes: usize) {
        self.moves += 1;
        self.held += bytes;
        self.most = self.most.max(self.held);
        *self.by_work.entry(work).or_default() += bytes;
    }

    fn release(&mut self, work: Work, bytes: usize) {
        self.moves += 1;
        self.held -= bytes;
        let Some(of_work) = self.by_work.get_mut(&work) else { return };
        *of_work -= bytes;
        if *of_work == 0 {
            self.by_work.remove(&work);
            self.privileged = self.privileged.filter(|privileged| *privileged != work);
        }
    }
}

impl Hold {
    fn of(room: &Arc<Shared>, work: Work, bytes: usize, first: Option<Arc<Self>>) -> Self {
        let (bytes, further) = (AtomicUsize::new(bytes), AtomicUsize::default());
        Self { room: Arc::clone(room), work, bytes, further, _first: first }
    }

    /// Holds further bytes in addition to this reservation, even beyond the capacity.
    ///
    /// The bytes of this reservation beyond `keep` are moved to the new one. Both are held until the result is dropped.
    pub(crate) fn beside(self: &Arc<Self>, bytes: usize, keep: usize) -> Arc<Self> {
        let mut state = self.room.open();
        let moved = self.bytes.load(Ordering::Relaxed).saturating_sub(keep).min(bytes);
        self.bytes.fetch_sub(moved, Ordering::Relaxed);
        self.further.fetch_add(bytes, Ordering::Relaxed);
        state.charge(self.work, bytes - moved);
        drop(state);
        Arc::new(Self::of(&self.room, self.work, bytes, Some(Arc::clone(self))))
    }

    /// Returns the bytes of this reservation and of those added to it.
    pub(crate) fn total(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) + self.further.load(Ordering::Relaxed)
    }

    /// Grows to this number of bytes if they fit, and returns whether they did.
    pub(crate) fn try_grow_to(&self, bytes: usize) -> bool {
        let mut state = self.room.open();
        let more = bytes.saturating_sub(self.bytes.load(Ordering::Relaxed));
        let is_alone = state.held == state.by_work.get(&self.work).copied().unwrap_or(0);
        let may = more == 0 || is_alone || state.admits(self.room.capacity, self.work, more);
        if may && more > 0 {
            state.charge(self.work, more);
            self.bytes.fetch_add(more, Ordering::Relaxed);
        }
        may
    }

    /// Grows to this number of bytes, even beyond the capacity.
    pub(crate) fn grow_to(&self, bytes: usize) {
        let mut state = self.room.open();
        let more = bytes.saturating_sub(self.bytes.load(Ordering::Relaxed));
        if more > 0 {
            state.charge(self.work, more);
            self.bytes.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Releases all bytes beyond this number.
    pub(crate) fn shrink_to(&self, bytes: usize) {
        let mut state = self.room.open();
        let less = self.bytes.load(Ordering::Relaxed).saturating_sub(bytes);
        if less > 0 {
            self.bytes.fetch_sub(less, Ordering::Relaxed);
            state.release(self.work, less);
            drop(state);
            Room { shared: Arc::clone(&self.room) }.let_in(false);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "room/tests.rs"]
mod tests;
