//! How much memory an answer takes: reserved before its request is sent, kept in step with its body.
//!
//! It owns the estimates by endpoint and the rooms of the client. It never waits once a request is sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::room::{Hold, Rooms, Work};

use super::answer::Broken;

/// Times that an answer is in memory: its body, its elements, and the values and objects that are made of them.
const TIMES: usize = 3;
/// The estimate for an endpoint without answers so far, and the least one.
const SMALLEST: usize = 64 << 10;

/// The memory for the answers of a client.
#[derive(Debug)]
pub(super) struct AnswerMemory {
    rooms: Rooms,
    /// Bytes of a body by endpoint.
    usual: Mutex<HashMap<String, usize>>,
}

/// The memory of one answer.
#[derive(Debug)]
pub(super) struct Reservation {
    hold: Hold,
    /// Bytes of a body that this is enough for.
    enough_for: usize,
    /// The largest body: whatever takes more is refused elsewhere.
    limit: usize,
}

impl AnswerMemory {
    pub(super) fn new(capacity: usize) -> Self {
        Self { rooms: Rooms::new(capacity), usual: Mutex::default() }
    }

    /// Waits for the memory that the next answer of an endpoint is likely to take, for a body of at least `least` bytes.
    pub(super) async fn reserve(&self, endpoint: &str, least: usize, limit: usize) -> Reservation {
        let usual = self.open().get(endpoint).copied().unwrap_or(0);
        let enough_for = usual.max(least).clamp(SMALLEST.min(limit), limit);
        let work = Work::current().unwrap_or_else(Work::step);
        let hold = self.rooms.take(work, TIMES * enough_for.max(1)).await;
        Reservation { hold, enough_for, limit }
    }

    /// Learns how large a body was: growth counts at once, and is forgotten by halves.
    pub(super) fn learn(&self, endpoint: &str, bytes: usize) {
        let mut usual = self.open();
        match usual.get_mut(endpoint) {
            Some(usual) => *usual = bytes.max(*usual / 2),
            None => drop(usual.insert(endpoint.to_owned(), bytes)),
        }
    }

    /// The most bytes that were reserved at once.
    pub(super) fn most_held(&self) -> usize {
        self.rooms.most_held()
    }

    /// Every change is one insertion, so the estimates hold even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.usual.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Makes sure that the memory is enough for a body of so many bytes.
    ///
    /// # Errors
    /// [`Broken::NoRoom`] if it is not: the answer is to be dropped.
    pub(super) fn fit(&mut self, body: usize) -> Result<(), Broken> {
        if body <= self.enough_for {
            return Ok(());
        }
        if self.enough_for >= self.limit {
            // A compressed body beside what it becomes: there is never more than this.
            self.hold.grow_to(TIMES * body);
            return Ok(());
        }
        // In large steps, so that a body in many pieces costs a few looks at what is free.
        let ahead = body.max(2 * self.enough_for).min(self.limit.max(body));
        let fits = [ahead, body].into_iter().find(|bytes| self.hold.try_grow_to(TIMES * bytes));
        self.enough_for = fits.ok_or(Broken::NoRoom(ahead))?;
        Ok(())
    }

    /// What is left to be held by everything that is made of a body. One that is in memory already is counted as well.
    pub(super) fn of_body(mut self, body: usize) -> Arc<Hold> {
        let bytes = TIMES * body.max(1);
        self.hold.grow_to(bytes);
        self.hold.shrink_to(bytes);
        Arc::new(self.hold)
    }
}
