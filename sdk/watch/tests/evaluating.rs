//! Rules on a real store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use integration_query::Catalogue;
use integration_rules::{AlertChange, Program, Signal, parse_rules};
use integration_sdk::config::Values;
use integration_sdk::graph::InstanceId;
use integration_sdk::prelude::*;
use integration_sdk::step::Step;
use integration_sdk::store::{Retention, Store};
use integration_sdk::{Integration, Job};
use integration_watch::{
    Applied, Book, Limits, Report, RuleOrigin, Subject, WatchError, adopt, evaluate_rules, failure_alert_of,
    forget_instance,
};
use jiff::Timestamp as Time;
use tokio_util::sync::CancellationToken;

/// A host.
#[derive(Clone, EntityKind)]
#[entity(type = "acme_host", class = "Host", resource = "Host")]
struct Host {
    #[entity(key)]
    id: String,
    name: String,
    owner: String,
}

/// A data directory with the graph of one instance.
struct Place {
    folder: tempfile::TempDir,
    limits: Limits,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), limits: Limits::default() }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Publishes hosts with these owners.
    async fn publish(&self, owners: impl IntoIterator<Item = (u32, &'static str)>) {
        let hosts: Vec<Host> = owners
            .into_iter()
            .map(|(id, owner)| Host { id: format!("host:{id:08}"), name: format!("h{id}"), owner: owner.to_owned() })
            .collect();
        let make = move |emit: Emit<Host>| {
            let hosts = hosts.clone();
            async move {
                for host in hosts {
                    emit.add(host).await?;
                }
                Ok(())
            }
        };
        let integration =
            Integration::without_provider::<()>("acme", "Acme").step(Step::function("make", "Make", make));
        let store = Store::open(self.root()).expect("a store");
        let summary = Job::new(&integration, &store).run(&Values::default(), Default::default()).await.expect("a job");
        assert!(!summary.is_partial(), "{summary:?}");
    }

    async fn subject(&self) -> Subject {
        let store = Store::open(self.root()).expect("a store");
        let found = store.snapshots("acme", &InstanceId::default()).await.expect("snapshots");
        let newest = found.into_iter().next().expect("a snapshot");
        let snapshots = vec![store.snapshot(newest)];
        let limits = self.limits;
        let catalogue = Arc::new(Catalogue::default());
        Subject { store, snapshots, unpublished: Vec::new(), catalogue, parameters: BTreeMap::new(), limits }
    }

    async fn evaluate(&self, rules: &str) -> Vec<Applied> {
        let rules = programs(rules);
        let Report { rules, .. } =
            evaluate_rules(self.root(), &self.subject().await, &rules, Time::now(), &CancellationToken::new())
                .await
                .expect("a report");
        rules
    }

    async fn prune(&self, keep: usize) {
        let store = Store::open(self.root()).expect("a store");
        store.prune(Retention::newest(keep)).await.expect("pruned jobs");
    }
}

fn programs(text: &str) -> Vec<Arc<Program>> {
    let rules = parse_rules(text).expect("rules");
    Program::compile_all(rules).expect("programs").into_iter().map(Arc::new).collect()
}

/// A rule about changes of owners.
fn owners(name: &str) -> String {
    format!(
        "{{name: {name}, changes: {{kinds: [changed], types: [acme_host], properties: [owner]}}, \
         templates: {{line: '{{{{item.change.old.owner}}}} → {{{{item.change.new.owner}}}}'}}, \
         operations: [{{actions: [{{type: CREATE_ALERT}}, \
         {{type: SET_PROPERTY, targetProperty: line, targetValue: \"{{{{changes.data|mapTemplate('line')|join(', ')}}}}\"}}]}}], \
         outputs: [line]}}"
    )
}

/// The changes that a rule about owners saw.
fn seen(applied: &[Applied]) -> &str {
    applied[0].evaluated.outcome.outputs[0].value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn each_rule_sees_every_change_once_whatever_others_do() {
    let place = Place::new();
    let (first, second) = (owners("first"), owners("second"));
    place.publish([(1, "ann")]).await;
    assert_eq!(seen(&place.evaluate(&first).await), "", "a rule begins at the snapshot of its first evaluation");
    assert_eq!(seen(&place.evaluate(&second).await), "");
    place.publish([(1, "bob")]).await;
    assert_eq!(seen(&place.evaluate(&first).await), "ann → bob");
    place.publish([(1, "ann")]).await;
    assert_eq!(seen(&place.evaluate(&second).await), "ann → bob, bob → ann", "a value that changed back");
    assert_eq!(seen(&place.evaluate(&second).await), "");
    assert_eq!(seen(&place.evaluate(&first).await), "bob → ann");
    assert_eq!(seen(&place.evaluate(&owners("third")).await), "", "a new rule begins at the newest snapshot");
}

#[tokio::test]
async fn changes_before_a_pruned_snapshot_are_reported_as_lost() {
    let place = Place::new();
    let rule = owners("rule");
    for (id, owner) in [(1, "ann"), (1, "bob"), (1, "cid"), (1, "dan")] {
        place.publish([(id, owner)]).await;
        if owner == "ann" {
            place.evaluate(&rule).await;
        }
    }
    place.prune(2).await;
    let applied = place.evaluate(&rule).await;
    assert_eq!(seen(&applied), "cid → dan", "the changes after the oldest kept snapshot");
    assert_eq!(applied[0].evaluated.lost, ["acme/default"]);
    let applied = place.evaluate(&rule).await;
    assert_eq!((seen(&applied), applied[0].evaluated.lost.len()), ("", 0));
}

#[tokio::test]
async fn a_failed_evaluation_sees_its_changes_again() {
    let place = Place::new();
    place.publish([(1, "ann")]).await;
    place.evaluate(&owners("rule")).await;
    place.publish([(1, "bob")]).await;
    let broken =
        owners("rule").replace("operations: [{", "operations: [{when: {type: FILTER, condition: '{{1|join}}'}, ");
    let broken = broken.replace("{{1|join}}", "{{changes.data|mapTemplate(changes)}}");
    let applied = place.evaluate(&broken).await;
    assert!(applied[0].evaluated.outcome.failure.is_some(), "{:?}", applied[0].evaluated.outcome);
    assert_eq!(seen(&place.evaluate(&owners("rule")).await), "ann → bob");
}

#[tokio::test]
async fn rules_that_fail_or_return_many_rows_do_not_stop_others() {
    let place = Place { limits: Limits { rows: 100, ..Limits::default() }, ..Place::new() };
    place.publish((0..1_000).map(|id| (id, "ann"))).await;
    let alert = "operations: [{when: {type: FILTER, condition: [AND, [queries.query0.total, '>', 0]]}, actions: [{type: CREATE_ALERT}]}]";
    let rules = format!(
        "
- {{name: fails, notifyOnFailure: true, question: {{queries: [{{query: FIND acme_host WITH}}]}}, {alert}}}
- {{name: many, question: {{queries: [{{query: FIND acme_host}}]}}, {alert}, outputs: [queries.query0.total, queries.query0.data]}}
- {{name: more, question: {{queries: [{{query: FIND acme_host LIMIT 500}}]}}, {alert}, outputs: [queries.query0.total, queries.query0.data]}}
- {{name: none, question: {{queries: [{{query: FIND acme_host WITH owner = 'bob'}}]}}, {alert}}}
"
    );
    let applied = place.evaluate(&rules).await;
    let signals: Vec<bool> = applied.iter().map(|rule| rule.evaluated.outcome.signal == Signal::Met).collect();
    assert_eq!(signals, [false, true, true, false]);
    for rule in &applied[1..3] {
        let output = |at: usize| &rule.evaluated.outcome.outputs[at].value;
        assert_eq!(
            (output(0), output(1).as_array().map(Vec::len)),
            (&1_000.into(), Some(100)),
            "{}",
            rule.evaluated.rule
        );
    }
    let book = Book::read(place.root()).expect("a book");
    let failed = book.newest(&failure_alert_of("fails")).expect("an alert about the failure");
    assert!(failed.is_open() && failed.last_evaluation_result.answer_text.contains("query0"), "{failed:?}");

    let mended = rules.replace("WITH}", "WITH owner = 'ann'}");
    let applied = place.evaluate(&mended).await;
    assert_eq!(applied[0].failure_alert.as_ref().map(|(_, change)| *change), Some(AlertChange::Resolved));
}

/// The limits of rows are those of `serve`.
#[tokio::test]
async fn a_rule_with_a_hundred_thousand_rows_stops_no_other() {
    let place = Place::new();
    place.publish((0..100_000).map(|id| (id, "ann"))).await;
    let alert = "operations: [{when: {type: FILTER, condition: [AND, [queries.query0.total, '>', 0]]}, actions: [{type: CREATE_ALERT}]}]";
    let rules = format!(
        "
- {{name: all, question: {{queries: [{{query: FIND acme_host AS h RETURN h.owner}}]}}, {alert}, outputs: [queries.query0.total]}}
- {{name: none, question: {{queries: [{{query: FIND acme_host WITH owner = 'bob'}}]}}, {alert}}}
- {{name: one, question: {{queries: [{{query: FIND acme_host LIMIT 1}}]}}, {alert}}}
"
    );
    let applied = place.evaluate(&rules).await;
    let signals: Vec<bool> = applied.iter().map(|rule| rule.evaluated.outcome.signal == Signal::Met).collect();
    assert_eq!(signals, [true, false, true]);
    assert_eq!(applied[0].evaluated.outcome.outputs[0].value, 100_000);
    let size = std::fs::metadata(place.root().join("alerts.json")).expect("a book").len();
    assert!(size < 8 << 20, "the book contains the rows that a rule remembers, and no more: {size} bytes");
}

#[tokio::test]
async fn a_query_without_time_left_fails_its_rule_only() {
    let mut place = Place::new();
    place.publish([(1, "ann")]).await;
    place.evaluate(&owners("changes")).await;
    place.publish([(1, "bob")]).await;
    place.limits.query = Duration::ZERO;
    let asks =
        "{name: asks, question: {queries: [{query: FIND acme_host}]}, operations: [{actions: [{type: CREATE_ALERT}]}]}";
    let applied = place.evaluate(&format!("[{asks}, {}]", owners("changes"))).await;
    let failure = applied[0].evaluated.outcome.failure.as_deref().expect("a failure");
    assert!(failure.contains("time limit"), "{failure}");
    assert_eq!(applied[0].alert, None, "a failure neither opens nor resolves the alert of the rule");
    assert_eq!(seen(&applied[1..]), "ann → bob");
}

#[tokio::test]
async fn a_cancelled_evaluation_records_nothing() {
    let place = Place::new();
    place.publish([(1, "ann")]).await;
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let rules = programs("{name: asks, question: {queries: [{query: FIND acme_host}]}, operations: []}");
    let ended = evaluate_rules(place.root(), &place.subject().await, &rules, Time::now(), &cancelled).await;
    assert!(matches!(ended, Err(WatchError::Cancelled)), "{ended:?}");
    let book = Book::read(place.root()).expect("a book");
    assert_eq!((book.rules["asks"].evaluations, book.alerts), (0, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_the_provider_are_data_in_queries() {
    let owners = [
        "ann",
        "o'brien",
        "x' OR owner != 'y",
        "{{param.none}}",
        "back\\slash",
        "two\nlines",
        "\"'",
        "a' /* ",
        "${param.none}",
    ];
    let place = Place::new();
    place.publish((0_u32..).zip(owners)).await;
    let rule = "
name: Owners
question: {queries: [{name: hosts, query: FIND acme_host}]}
operations:
  - actions:
      - type: FOR_EACH_ITEM
        items: '{{queries.hosts.data}}'
        actions:
          - {type: JUPITERONE_QUERY, name: same, query: \"FIND acme_host WITH owner = '{{item.properties.owner}}'\"}
          - {type: WEBHOOK, url: 'https://a.example', body: {owner: '{{queries.same.data|mapProperty(\"owner\")}}', is: '{{item.properties.owner}}'}}
      - {type: CREATE_ALERT}
";
    let applied = place.evaluate(rule).await;
    let outcome = &applied[0].evaluated.outcome;
    assert_eq!(outcome.skipped, [], "no name breaks a query");
    assert_eq!(applied[0].change, Some(AlertChange::Opened));
    let bodies: Vec<_> = outcome
        .actions
        .iter()
        .map(|planned| match &planned.effect {
            integration_rules::Effect::Webhook(call) => call.body.clone().expect("a body"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(bodies.len(), owners.len());
    for body in bodies {
        assert_eq!(body["owner"], serde_json::json!([body["is"]]), "a name finds exactly its host");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_gone_end_their_alerts() {
    let place = Place::new();
    place.publish([(1, "ann")]).await;
    let rule = |name: &str| {
        format!(
            "{{name: {name}, question: {{queries: [{{query: FIND acme_host}}]}}, operations: [{{actions: [{{type: CREATE_ALERT}}]}}]}}"
        )
    };
    let (first, second) = (RuleOrigin::files(&["a.yaml".into()]), RuleOrigin::data_directory(["acme"]));
    let adopt = async |origin: &RuleOrigin, names: &[&str]| {
        adopt(place.root(), origin, names.iter().copied(), Time::now()).await.expect("a book").1
    };
    assert_eq!((adopt(&first, &["A", "B"]).await, adopt(&second, &["C"]).await), (0, 0));
    place.evaluate(&format!("[{}, {}, {}]", rule("A"), rule("B"), rule("C"))).await;
    let open = || {
        let book = Book::read(place.root()).expect("a book");
        book.alerts.iter().filter(|alert| alert.is_open()).map(|alert| alert.rule_id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(open(), ["A", "B", "C"]);
    assert_eq!((adopt(&first, &["B"]).await, open()), (1, vec!["B".to_owned(), "C".to_owned()]));
    assert_eq!((adopt(&second, &["C"]).await, adopt(&first, &["B"]).await), (0, 0), "other places keep their rules");
    let forget =
        async |has_graph| forget_instance(place.root(), "Credentials refused: acme/x", has_graph, Time::now()).await;
    assert_eq!((forget(true).await.expect("a book"), open().len()), (0, 2), "other graphs decide");
    assert_eq!((forget(false).await.expect("a book"), open().len()), (2, 0));
    assert!(Book::read(place.root()).expect("a book").rules.is_empty());
}
