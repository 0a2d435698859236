//! The tag with the name of the account.

use crate::graph::history::ChangeCounts;

use super::*;

const TAG: &str = r#""tag.AccountName":"#;

fn integration() -> Integration {
    let own = Step::new(id("own"), "Own", |context: StepContext| async move {
        let entity = thing("acme_own", "own:1").with("tag.AccountName", "Other");
        context.add_entity(entity, OnDuplicateKey::Reject).await
    });
    of([adding("teams", "acme_team", &["team:1", "team:2"]), own.entity(declared("acme_own"))])
}

impl Bench {
    async fn tagged(&self, name: Option<&str>) -> (Summary, Vec<String>) {
        let job = Job::new(&integration(), &self.store).account_name(name.map(str::to_owned));
        let (summary, snapshot) = self.run(job).await;
        (summary, graph(&snapshot).await)
    }
}

#[tokio::test]
async fn every_entity_without_a_tag_has_that_of_the_account() {
    let bench = Bench::new();
    let (_, graph) = bench.tagged(Some("Acme")).await;
    let with = |value: &str| graph.iter().filter(|line| line.contains(&format!("{TAG}\"{value}\""))).count();
    assert_eq!((graph.len(), with("Acme"), with("Other")), (3, 2, 1), "{graph:#?}");
    let (_, plain) = Bench::new().tagged(None).await;
    assert_eq!(plain.iter().filter(|line| line.contains(TAG)).count(), 1);
}

#[tokio::test]
async fn the_tag_takes_part_in_the_comparison_of_jobs() {
    let bench = Bench::new();
    let changes = |summary: &Summary| summary.published.as_ref().expect("published").total();
    bench.tagged(None).await;
    let (first, _) = bench.tagged(Some("Acme")).await;
    assert_eq!(changes(&first), ChangeCounts { changed: 2, ..ChangeCounts::default() });
    let (second, _) = bench.tagged(Some("Acme")).await;
    assert_eq!(changes(&second), ChangeCounts::default(), "nothing has changed");
    let (renamed, _) = bench.tagged(Some("Acme Inc.")).await;
    assert_eq!(changes(&renamed), ChangeCounts { changed: 2, ..ChangeCounts::default() });
}

#[tokio::test]
async fn a_resumed_job_keeps_its_tag() {
    let bench = Bench::new();
    let broken = of([adding("teams", "acme_team", &["team:1"]), failing("own", "acme_own")]);
    let (summary, _) = bench.run(Job::new(&broken, &bench.store).account_name(Some("Acme".to_owned()))).await;
    let row = bench.store.job(Some(summary.job.as_str())).await.expect("a store").expect("the job");
    let whole = of([adding("teams", "acme_team", &["team:1"]), adding("own", "acme_own", &["own:1"])]);
    let (_, snapshot) = bench.run(Job::new(&whole, &bench.store).resume(&row)).await;
    let graph = graph(&snapshot).await;
    assert!(graph.len() == 2 && graph.iter().all(|line| line.contains("Acme")), "{graph:#?}");
}
