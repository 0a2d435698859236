//! Jobs with large responses, measured by the memory budget.

use futures::TryStreamExt;
use futures::future::try_join_all;
use integration_testing::{FakeProvider, Route};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::Config;
use crate::graph::RawData;
use crate::http::{Endpoint, Http, Provider, ProviderError, VerifiedAccount};
use crate::step::Parent;
use crate::store::Selection;

const PARENTS: usize = 24;
const MEMORY: usize = 1 << 20;

#[derive(Debug, Config)]
struct LargeConfig {
    /// The address of the API.
    api_url: Url,
}

struct Large;

impl Provider for Large {
    type Config = LargeConfig;

    fn endpoint(config: &LargeConfig) -> Endpoint {
        Endpoint::new(config.api_url.clone()).answer_memory(MEMORY)
    }

    fn new(_: Http) -> Self {
        Self
    }

    async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
        Ok(VerifiedAccount::default())
    }
}

/// Collects the things of a parent as entities with raw data.
async fn things_of(context: &StepContext, http: &Http, number: usize) -> StepResult {
    let parent = Parent { object_type: name("acme_team"), key: key(&format!("team:{number:06}")) };
    let work = async {
        let mut things = http.get("/things/{n}", &[&number]).list::<Value>();
        while let Some(item) = things.try_next().await? {
            let (value, raw) = item.into_parts();
            let mut entity = thing("acme_thing", &format!("thing:{number}:{}", value["n"]));
            entity.raw_data.push(RawData { name: "default".into(), raw_data: raw });
            context.add_entity(entity, OnDuplicateKey::Reject).await?;
        }
        Ok(())
    };
    context.partition(parent, work).await
}

/// Collects lists of the given size in concurrent partitions and returns the peak of reserved memory.
async fn collected(elements: usize, bytes: usize) -> usize {
    let list: Vec<_> = (0..elements).map(|number| json!({"n": number, "text": "x".repeat(bytes)})).collect();
    let provider = FakeProvider::start([Route::document("/things/{n}", list.into())]).await.expect("a provider");
    let most = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&most);
    let step = Step::new(id("things"), "Things", move |context: StepContext| {
        let told = Arc::clone(&told);
        async move {
            let http = context.http().expect("there is a provider").clone();
            try_join_all((0..PARENTS).map(|number| things_of(&context, &http, number))).await?;
            told.store(http.most_answer_memory(), Ordering::SeqCst);
            Ok(())
        }
    });
    let integration = Integration::of::<Large>("large", "Large").step(step.entity(declared("acme_thing")));
    let bench = Bench::new();
    let values = Values::new("large", [("LARGE_API_URL".to_owned(), provider.url())]);
    let summary = Job::new(&integration, &bench.store).run(&values, CancellationToken::new()).await.expect("a job");
    assert_eq!((summary.state, summary.entities), (JobState::Complete, (PARENTS * elements) as u64));
    let row = bench.store.job(Some(summary.job.as_str())).await.expect("a store").expect("the job");
    let first = bench
        .store
        .snapshot_of(&row)
        .await
        .expect("a store")
        .expect("a graph")
        .scan(Selection::of_type(name("acme_thing")).with_raw())
        .try_next()
        .await
        .expect("a store")
        .expect("a batch");
    assert!(first[0].bytes() > bytes, "the raw data is complete");
    most.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_many_parts_share_the_memory_for_answers() {
    let body = 400_000;
    let most = collected(4, body / 4).await;
    assert!((3 * body..MEMORY + 6 * body).contains(&most), "{most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_elements_are_collected_one_after_another() {
    let body = 1_200_000;
    let most = collected(1, body).await;
    assert!((9 * body..MEMORY + 12 * body).contains(&most), "{most}");
}
