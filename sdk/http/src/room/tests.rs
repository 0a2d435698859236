use std::sync::Arc;

use futures::FutureExt;
use proptest::prelude::*;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, yield_now};
use tokio::time::Instant;

use super::*;

const CAPACITY: usize = 100;

/// The plan of one work.
///
/// The work reserves more bytes while it holds the earlier ones, then returns them one by one. An aborted work is
/// dropped at any point in between.
#[derive(Debug, Clone)]
struct Plan {
    takes: Vec<usize>,
    pauses: usize,
    grows_to: usize,
    is_aborted: bool,
}

impl Plan {
    fn total(&self) -> usize {
        self.takes.iter().map(|bytes| bytes.max(&self.grows_to)).sum()
    }

    async fn run(self, room: Room) {
        let (work, mut held) = (Work::partition(), Vec::new());
        for bytes in self.takes {
            let hold = room.take(work, bytes).await;
            hold.try_grow_to(self.grows_to);
            held.push(hold);
            for _ in 0..self.pauses {
                yield_now().await;
            }
        }
        while held.pop().is_some() {
            yield_now().await;
        }
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    let takes = prop::collection::vec(prop_oneof![3 => 1_usize..40, 1 => 40_usize..300], 1..4);
    let plan = (takes, 0_usize..4, prop_oneof![Just(0), 1_usize..200], prop::bool::weighted(0.2));
    plan.prop_map(|(takes, pauses, grows_to, is_aborted)| Plan { takes, pauses, grows_to, is_aborted })
}

proptest! {
    #[test]
    fn every_work_ends_without_patience_and_one_alone_is_beyond_the_capacity(plans in prop::collection::vec(plan(), 1..20)) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let room = Room::new(CAPACITY);
        let largest = plans.iter().map(Plan::total).max().unwrap_or(0);
        runtime.block_on(async {
            let began = Instant::now();
            let mut works = JoinSet::new();
            for plan in plans {
                let is_aborted = plan.is_aborted;
                let work = works.spawn(plan.run(room.clone()));
                if is_aborted {
                    yield_now().await;
                    work.abort();
                }
            }
            while works.join_next().await.is_some() {}
            // The paused clock advances only if all tasks wait, and then by the whole timeout.
            prop_assert_eq!(began.elapsed(), Duration::ZERO);
            Ok(())
        })?;
        let state = room.shared.open();
        prop_assert!(state.most <= CAPACITY + largest, "{} of {CAPACITY} and {largest}", state.most);
        prop_assert_eq!((state.held, state.by_work.len(), state.waiting.len()), (0, 0, 0));
    }
}

#[tokio::test]
async fn requests_are_let_in_in_the_order_of_asking_as_far_as_they_fit() {
    let room = Room::new(CAPACITY);
    let first = room.take(Work::partition(), 70).await;
    let mut large = Box::pin(room.take(Work::partition(), 80));
    let mut small = Box::pin(room.take(Work::partition(), 10));
    assert!(large.as_mut().now_or_never().is_none());
    assert!(small.as_mut().now_or_never().is_none(), "it does not overtake");
    drop(first);
    let large = large.await;
    let small = small.await;
    assert_eq!(room.shared.open().held, 90);
    drop((large, small));
}

#[tokio::test]
async fn a_request_that_stops_waiting_blocks_nobody() {
    let room = Room::new(CAPACITY);
    let _first = room.take(Work::partition(), 70).await;
    let mut large = Box::pin(room.take(Work::partition(), 80));
    let mut small = Box::pin(room.take(Work::partition(), 10));
    assert!(large.as_mut().now_or_never().is_none() && small.as_mut().now_or_never().is_none());
    drop(large);
    assert!(small.now_or_never().is_some());
}

#[tokio::test]
async fn of_works_that_hold_and_wait_one_goes_on_beyond_the_capacity_at_a_time() {
    let room = Room::new(CAPACITY);
    let (one, other) = (Work::partition(), Work::partition());
    let (of_one, of_other) = (room.take(one, 50).await, room.take(other, 50).await);
    let more_of_one = room.take(one, 50).await;
    let mut more_of_other = Box::pin(room.take(other, 50));
    assert!(more_of_other.as_mut().now_or_never().is_none());
    assert_eq!(room.shared.open().held, 150);
    drop((of_one, more_of_one));
    drop((more_of_other.await, of_other));
    assert_eq!(room.shared.open().most, 150);
}

#[tokio::test]
async fn more_than_there_is_waits_until_nothing_is_held() {
    let room = Room::new(CAPACITY);
    let first = room.take(Work::partition(), 1).await;
    let mut larger = Box::pin(room.take(Work::partition(), 1_000));
    assert!(larger.as_mut().now_or_never().is_none());
    drop(first);
    assert_eq!(larger.await.total(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn works_that_wait_for_each_other_go_on_after_a_while() {
    let room = Room::new(CAPACITY);
    let done = Arc::new(tokio::sync::Notify::new());
    let (theirs, told) = (room.clone(), Arc::clone(&done));
    let held = room.take(Work::partition(), 100).await;
    let other = tokio::spawn(async move {
        let _hold = theirs.take(Work::partition(), 10).await;
        told.notify_one();
    });
    done.notified().await;
    other.await.unwrap();
    drop(held);
    assert_eq!(room.shared.open().held, 0);
}

#[tokio::test]
async fn a_step_and_its_parts_do_not_wait_for_each_other() {
    let rooms = Rooms::new(CAPACITY);
    let step = Work::step();
    let _page = rooms.take(step, 1_000).await;
    let part = step.scope(async { Work::partition() }).await;
    let inner = part.scope(async { Work::partition() }).await;
    assert_ne!(step, part);
    assert_eq!(part, inner, "a part within a part is the same work");
    assert!(rooms.take(part, 75).now_or_never().is_some());
}

#[tokio::test]
async fn growth_is_granted_as_far_as_there_is_room() {
    let room = Room::new(CAPACITY);
    let hold = room.take(Work::partition(), 10).await;
    let other = room.take(Work::partition(), 50).await;
    assert!(hold.try_grow_to(50));
    assert!(!hold.try_grow_to(51));
    hold.shrink_to(20);
    assert_eq!(room.shared.open().held, 70);
    drop(other);
    assert!(hold.try_grow_to(500), "nobody else holds anything");
}

#[tokio::test]
async fn what_is_held_beside_a_hold_is_given_back_with_it() {
    let room = Room::new(CAPACITY);
    let page = Arc::new(room.take(Work::partition(), 30).await);
    let large = page.beside(200, 20);
    assert_eq!((page.total(), room.shared.open().held), (220, 220), "ten bytes of the page are moved");
    drop(page);
    assert_eq!(room.shared.open().held, 220, "the large one is a part of the page");
    drop(large);
    assert_eq!(room.shared.open().held, 0);
}
