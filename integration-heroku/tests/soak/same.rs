//! The exported graph does not depend on concurrency, page size, or the order of responses.

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use integration_sdk::store::JobState;

use crate::collection::{Collection, Manner};
use crate::organisation::shapes;

#[test]
fn an_export_is_the_same_byte_for_byte_at_any_concurrency_and_in_any_order_of_answers() {
    let runs = proptest::collection::vec((any::<u64>(), 1..9_usize, any::<bool>()), 4);
    crate::for_all(8, (shapes(24), runs), async |(shape, runs)| {
        let mut first = None;
        for ((seed, page, max_in_next_range), concurrency) in runs.into_iter().zip([1, 8, 64, 64]) {
            let manner = Manner { page, max_in_next_range, concurrency, latency: Some((seed, 6)) };
            let heroku = manner.serve(shape.build()).await;
            let collection = Collection::new(concurrency, false);
            let summary = collection.run(&heroku, CancellationToken::new()).await.map_err(|error| error.to_string())?;
            if summary.state != JobState::Complete {
                return Err(format!("{summary:?}"));
            }
            let files = collection.export(&summary).await;
            let expected = first.get_or_insert_with(|| files.clone());
            if *expected != files {
                let differs = |name: &&String| expected.get(*name) != files.get(*name);
                let names: Vec<_> = expected.keys().chain(files.keys()).filter(differs).collect();
                return Err(format!("{names:?} differ at concurrency {concurrency} with latency {seed}"));
            }
        }
        Ok(())
    });
}
