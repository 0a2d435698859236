//! Permits for partitions, shared by all steps of a job.
//!
//! A partition holds one page of responses in memory, except while it waits for a response. Therefore the number of
//! permits covers the partitions with a response in flight and a fixed number of others. If processing falls behind, no
//! further permits are granted, and fewer requests are sent (backpressure).
//!
//! When partitions compete for permits, the step with the longest chain of dependents goes first. Its dependents can
//! then run in parallel with the remaining work, which shortens the job.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The permits; their number changes while the job runs.
#[derive(Debug)]
pub(crate) struct PartitionPermits {
    /// The upper limit of the number of permits.
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    open: usize,
    taken: usize,
    /// Waiting tasks by rank, and by order of arrival within a rank.
    waiting: BTreeMap<(Reverse<usize>, u64), oneshot::Sender<PartitionPermit>>,
    asked: u64,
}

/// A permit, which is passed on when it is dropped.
#[derive(Debug)]
pub(crate) struct PartitionPermit(Option<Arc<PartitionPermits>>);

impl PartitionPermits {
    /// Creates `open` permits of at most `most`.
    pub(crate) fn new(open: usize, most: usize) -> Arc<Self> {
        let state = State { open, taken: 0, waiting: BTreeMap::new(), asked: 0 };
        Arc::new(Self { max: most, state: Mutex::new(state) })
    }

    /// The upper limit of the number of permits.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// Sets the number of permits. If it decreases, acquired permits stay valid and later requests wait.
    pub(crate) fn open(self: &Arc<Self>, permits: usize) {
        self.state().open = permits.min(self.max);
        self.fill();
    }

    /// Acquires a permit after requests of the same rank and before those of a lower rank.
    pub(crate) async fn acquire(self: &Arc<Self>, rank: usize) -> PartitionPermit {
        let turn = {
            let mut state = self.state();
            if state.taken < state.open {
                state.taken += 1;
                return PartitionPermit(Some(Arc::clone(self)));
            }
            let (sender, turn) = oneshot::channel();
            state.asked += 1;
            let asked = state.asked;
            state.waiting.insert((Reverse(rank), asked), sender);
            turn
        };
        turn.await.expect("a waiting task stays in the list until a permit is sent")
    }

    /// Grants free permits to waiting tasks.
    fn fill(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.state();
                if state.taken >= state.open {
                    return;
                }
                let Some((_, next)) = state.waiting.pop_first() else { return };
                state.taken += 1;
                next
            };
            if let Err(mut place) = next.send(PartitionPermit(Some(Arc::clone(self)))) {
                // The waiting task was dropped: its permit is free again, and the loop grants it to the next one.
                place.0 = None;
                self.state().taken -= 1;
            }
        }
    }

    /// Locks the state. Every change is a single step, so it is consistent even after a panic elsewhere.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PartitionPermit {
    fn drop(&mut self) {
        if let Some(permits) = self.0.take() {
            permits.state().taken -= 1;
            permits.fill();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_highest_rank_goes_first_and_equals_in_the_order_of_asking() {
        let permits = PartitionPermits::new(1, 1);
        let taken = permits.acquire(0).await;
        let mut waiting: Vec<_> = [0, 2, 1, 2].map(|rank| Some(Box::pin(permits.acquire(rank)))).into();
        assert!(waiting.iter_mut().flatten().all(|turn| turn.now_or_never().is_none()));
        let mut held = taken;
        for next in [1, 3, 2, 0] {
            drop(held);
            let turns: Vec<Option<PartitionPermit>> =
                waiting.iter_mut().map(|turn| turn.as_mut().and_then(FutureExt::now_or_never)).collect();
            let (at, place) = turns.into_iter().enumerate().find_map(|(at, place)| Some((at, place?))).unwrap();
            assert_eq!(at, next);
            (held, waiting[next]) = (place, None);
        }
    }

    #[tokio::test]
    async fn as_many_are_in_as_permits_are_open() {
        let permits = PartitionPermits::new(2, 4);
        let mut taken = vec![permits.acquire(0).await, permits.acquire(0).await];
        let mut turns: Vec<_> = (0..3).map(|_| Box::pin(permits.acquire(0))).collect();
        let mut enter = |turn: usize| turns[turn].as_mut().now_or_never();
        assert!((0..3).all(|turn| enter(turn).is_none()));
        permits.open(3);
        taken.push(enter(0).unwrap());
        assert!(enter(1).is_none());
        permits.open(1);
        taken.truncate(1);
        assert!(enter(1).is_none(), "the only permit is taken");
        taken.clear();
        taken.push(enter(1).unwrap());
        assert!(enter(2).is_none());
        permits.open(usize::MAX);
        assert!(enter(2).is_some());
        let state = permits.state();
        assert_eq!((state.open, state.taken), (4, 1));
    }

    #[tokio::test]
    async fn a_place_is_not_lost_with_those_who_wait_for_it() {
        let permits = PartitionPermits::new(1, 1);
        let taken = permits.acquire(0).await;
        let mut gone = Box::pin(permits.acquire(1));
        let mut second = Box::pin(permits.acquire(1));
        assert!(gone.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        drop(gone);
        drop(taken);
        // The permit was sent to a task that is dropped before it receives it.
        drop(second);
        assert!(permits.acquire(0).now_or_never().is_some());
    }
}
