//! The number of requests, and a collection that exceeds the provider's rate limit. No request is refused, and none
//! waits longer than necessary.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use integration_heroku::client::Heroku;
use integration_heroku::config::HerokuConfig;
use integration_heroku::fake::{FakeHeroku, FakeOptions, Latency, Organisation, OrganisationSize, RateBucket};
use integration_heroku::steps;
use integration_sdk::Integration;
use integration_sdk::http::{Endpoint, Http, Provider, ProviderError, RateBudget, VerifiedAccount};
use integration_testing_kit::{Collected, assert_complete};

/// One minute of the provider lasts one second.
const TIME_SCALE: f64 = 60.0;
/// Heroku's budget with a smaller bucket, scaled to the faster clock.
const BUDGET: RateBudget = RateBudget { capacity: 500, refill_per_minute: 75.0 * TIME_SCALE };

/// The integration's client with the scaled budget.
struct FasterHeroku(Heroku);

impl Provider for FasterHeroku {
    type Config = HerokuConfig;

    fn endpoint(config: &HerokuConfig) -> Endpoint {
        Heroku::endpoint(config).rate_budget(BUDGET)
    }

    fn new(http: Http) -> Self {
        Self(Heroku::new(http))
    }

    async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
        self.0.verify().await
    }
}

fn integration() -> Integration {
    steps::all().into_iter().fold(Integration::of::<FasterHeroku>("heroku", "Heroku"), Integration::step)
}

#[tokio::test]
async fn a_collection_of_more_requests_than_the_bucket_holds_is_refused_none_and_wastes_none() {
    let size = OrganisationSize { accounts: 1, teams: 300, people: 200, apps: 300, addons: 300, seed: 7 };
    let bucket = RateBucket { time_scale: TIME_SCALE, ..RateBucket::new(BUDGET.capacity, 75.0) };
    // Shuffled latencies deliver the `RateLimit-Remaining` headers out of order as well.
    let latency = Latency::Shuffled { seed: 7, max: Duration::from_millis(20) };
    let options = FakeOptions { rate: Some(bucket), latency, ..FakeOptions::default() };
    let heroku = FakeHeroku::start(Organisation::of_size(size), options).await.unwrap();
    let values = [("HEROKU_API_KEY", heroku.token().to_owned()), ("HEROKU_API_URL", heroku.url())];

    let collected = Collected::run(&integration(), values).await;

    assert_complete!(collected);
    let summary = &collected.summary;
    let requests = heroku.log();
    let refused = requests.iter().filter(|request| request.status == Some(429)).count();
    assert_eq!((refused, summary.usage.total.retries), (0, 0));
    assert!(requests.len() > 900, "{} requests", requests.len());
    // Requests left in the bucket at the last response waited unnecessarily: the collection could have ended earlier by
    // the time of their refill. A handful is normal; more remain if this machine is slower than the refill.
    let left = summary.usage.rate_remaining.unwrap();
    assert!(left <= 50, "{left} requests were left");
    let bound = BUDGET.time_for(BUDGET.capacity, requests.len() as u64);
    println!(
        "{} requests in {} ms; the bound of the budget is {} ms; {left} requests left; waited {} ms for the budget",
        requests.len(),
        summary.duration,
        bound.as_millis(),
        summary.usage.total.waited_for_budget.as_millis()
    );
    heroku.shutdown().await;
}

/// The lists of a collection are few and do not depend on the number of applications.
///
/// `FULL_SIZE=1` runs the test with 10,000 applications and 30,000 add-ons.
#[tokio::test]
async fn a_collection_needs_seven_lists_a_team_and_few_bulk_lists() {
    let (apps, addons) = if std::env::var_os("FULL_SIZE").is_some() { (10_000, 30_000) } else { (300, 900) };
    let size = OrganisationSize { accounts: 1, teams: 100, people: 500, apps, addons, seed: 7 };
    let heroku = FakeHeroku::start(Organisation::of_size(size), FakeOptions::default()).await.unwrap();
    let values = [("HEROKU_API_KEY", heroku.token().to_owned()), ("HEROKU_API_URL", heroku.url())];
    let collected = Collected::run(&integration_heroku::integration(), values).await;
    assert_complete!(collected);
    let log = heroku.log();
    assert!(log.iter().all(|request| request.status != Some(429)), "no request may be refused");
    let lists: BTreeSet<&str> = log.iter().map(|request| request.path.as_str()).collect();
    let of_teams = lists.iter().filter(|path| path.starts_with("/teams/")).count();
    let of_spaces = lists.iter().filter(|path| path.starts_with("/spaces/")).count();
    let mut pages: BTreeMap<&str, usize> = BTreeMap::new();
    log.iter().for_each(|request| *pages.entry(&request.path).or_default() += 1);
    pages.retain(|_, requests| *requests > 1);
    println!("{} lists in {} requests; lists of several pages: {pages:?}", lists.len(), log.len());
    assert_eq!((of_teams, of_spaces), (7 * size.teams, 4 * heroku.organisation().spaces().len()));
    // Before the bulk lists and four more lists of each team, the same data took 305 requests.
    assert!(lists.len() <= 305 + 4 * size.teams + 20, "{} lists", lists.len());
    // A list of a team fits into one page. Only bulk lists of everything have further ones, of a thousand elements.
    let bulk = ["/addon-attachments", "/apps", "/pipeline-couplings", "/pipelines"];
    assert!(pages.keys().all(|path| bulk.contains(path)), "{pages:?}");
    let further = (addons + addons / 40 + 2 * apps) / 1_000;
    assert!(log.len() <= lists.len() + further, "{} requests for {} lists", log.len(), lists.len());
    heroku.shutdown().await;
}
