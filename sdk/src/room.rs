//! The memory of a client's answers: a budget of bytes that its requests share.
//!
//! A request reserves the bytes of its answer before it is sent, and everything that is made of the answer holds them:
//! the body, the elements of its page, and the objects on their way into the store. The last of these to be dropped
//! gives the bytes back.
//!
//! # No deadlock
//!
//! - A request waits before it is sent, so it holds neither a connection nor a place among those in flight. Growth in
//!   the middle of a body never waits: it succeeds, or the body is given up and asked for again with more room.
//! - Bytes are held on behalf of a [`Work`]: a part, or a step outside its parts. A step may hold a page while its parts
//!   work on it, therefore steps and parts have a [`Room`] each. Parts never wait for steps.
//! - In one room, a request that fits is let in, in the order of asking, and so is any request while nothing is held.
//!   If no request fits and a waiting work holds bytes already, such as a page whose elements lead to more lists, the
//!   first of these is privileged: it is let in beyond the capacity until it holds nothing. There is one privileged work
//!   at a time. It depends on no other one, so it ends, and the next one takes its turn.
//! - Works that wait for each other by means that are not visible here, such as a channel, would not end. If nothing
//!   has moved for [`PATIENCE`], the first request is let in.
//!
//! So a room exceeds its capacity by what one work holds, or by one answer.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// The longest time without any movement before the first request is let in.
const PATIENCE: Duration = Duration::from_secs(10);

static NEXT: AtomicU64 = AtomicU64::new(0);

tokio::task_local! {
    static WORK: Work;
}

/// A task that holds answers: requests of one work do not wait for its own bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Work {
    number: u64,
    is_part: bool,
}

impl Work {
    /// A step outside its parts, or a request that belongs to no step.
    pub(crate) fn step() -> Self {
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), is_part: false }
    }

    /// A part; within another part it is the same work.
    pub(crate) fn part() -> Self {
        let outer = Self::current().filter(|work| work.is_part);
        outer.unwrap_or_else(|| Self { is_part: true, ..Self::step() })
    }

    /// The work that is polled now.
    pub(crate) fn current() -> Option<Self> {
        WORK.try_with(|work| *work).ok()
    }

    /// Runs a future as this work.
    pub(crate) async fn scope<F: Future>(self, future: F) -> F::Output {
        WORK.scope(self, future).await
    }
}

/// The rooms of a client: one for steps, one for parts.
#[derive(Debug)]
pub(crate) struct Rooms {
    steps: Room,
    parts: Room,
}

impl Rooms {
    /// Three quarters of the capacity for parts, which are many.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { steps: Room::new(capacity / 4), parts: Room::new(capacity - capacity / 4) }
    }

    /// Waits until so many bytes may be held by a work.
    pub(crate) async fn take(&self, work: Work, bytes: usize) -> Hold {
        if work.is_part { self.parts.take(work, bytes).await } else { self.steps.take(work, bytes).await }
    }

    /// The most bytes that have been held at once by steps, and by parts.
    pub(crate) fn most_held(&self) -> usize {
        let (steps, parts) = (self.steps.shared.open().most, self.parts.shared.open().most);
        steps + parts
    }
}

/// A budget of bytes.
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
    /// Grants and releases so far.
    moves: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    work: Work,
    bytes: usize,
    granted: oneshot::Sender<Hold>,
}

/// Bytes that are held, given back when this is dropped.
pub(crate) struct Hold {
    room: Arc<Shared>,
    work: Work,
    /// Changed under the lock of the room.
    bytes: AtomicUsize,
    /// Bytes that are held beside these by [`beside`](Hold::beside).
    further: AtomicUsize,
    /// The hold that this one is beside.
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
                    tracing::warn!("the memory for answers is taken and nothing moves: a request goes on without");
                    self.let_in(true);
                }
                Err(_) => {}
            }
        }
    }

    /// Lets in those who fit; with `stuck` the first one as well.
    fn let_in(&self, mut stuck: bool) {
        loop {
            // A statement of its own: the lock is not held while the grant is sent.
            let next = self.shared.open().next(self.shared.capacity, stuck);
            let Some(Waiting { work, bytes, granted, .. }) = next else { return };
            stuck = false;
            if let Err(hold) = granted.send(self.hold(work, bytes)) {
                // Its request is gone. Given back here: dropped, it would begin this loop within itself.
                self.shared.open().release(work, hold.bytes.swap(0, Ordering::Relaxed));
            }
        }
    }

    fn hold(&self, work: Work, bytes: usize) -> Hold {
        Hold::of(&self.shared, work, bytes, None)
    }
}

/// Takes a request out of the queue when it stops waiting, and lets those behind it move up.
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
    /// Every change under this lock is complete before it is given up, so the state holds even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn admits(&self, capacity: usize, work: Work, bytes: usize) -> bool {
        self.held == 0 || self.held.saturating_add(bytes) <= capacity || self.privileged == Some(work)
    }

    /// Takes the next request to be let in out of the queue, and charges it.
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

    /// Holds bytes beside those of this hold, whether there is room or not. Bytes of this hold beyond `keep` are moved
    /// there. Both are held until the result is dropped.
    pub(crate) fn beside(self: &Arc<Self>, bytes: usize, keep: usize) -> Arc<Self> {
        let mut state = self.room.open();
        let moved = self.bytes.load(Ordering::Relaxed).saturating_sub(keep).min(bytes);
        self.bytes.fetch_sub(moved, Ordering::Relaxed);
        self.further.fetch_add(bytes, Ordering::Relaxed);
        state.charge(self.work, bytes - moved);
        drop(state);
        Arc::new(Self::of(&self.room, self.work, bytes, Some(Arc::clone(self))))
    }

    /// The bytes of this hold, and those that were held beside it.
    pub(crate) fn total(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) + self.further.load(Ordering::Relaxed)
    }

    /// Whether there is room for so many bytes in all: they are held if so.
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

    /// Holds so many bytes in all, whether there is room or not.
    pub(crate) fn grow_to(&self, bytes: usize) {
        let mut state = self.room.open();
        let more = bytes.saturating_sub(self.bytes.load(Ordering::Relaxed));
        if more > 0 {
            state.charge(self.work, more);
            self.bytes.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Gives back all but so many bytes.
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
