//! A resumed job keeps its options, or is rejected.

use serde_json::{Value, json};

use crate::config::{Config, ConfigError, Field};
use crate::store::{JobRow, JobStore, NewJob};

use super::*;
use crate::graph::InstanceId;

async fn newest(bench: &Bench) -> JobRow {
    bench.store.job(None).await.expect("a store").expect("the job")
}

async fn refused(job: Job, values: &Values) -> String {
    match job.run(values, CancellationToken::new()).await.expect_err("the job cannot be resumed") {
        JobError::Resume(error) => error.to_string(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_job_whose_options_cannot_be_read_is_not_resumed_with_others() {
    for options in [json!({}), json!({"validation": "quarantine"}), json!({"validation": "strict"}), json!([])] {
        let bench = Bench::new();
        let new = NewJob { integration: "test".into(), instance: InstanceId::default(), options };
        drop(bench.store.begin(new).await.expect("a store"));
        let integration = flawed();
        let error =
            refused(Job::new(&integration, &bench.store).resume(&newest(&bench).await), &Values::default()).await;
        assert!(error.contains("its options cannot be read"), "{error}");
    }
}

#[tokio::test]
async fn a_job_with_damaged_documents_is_not_resumed_and_hides_no_other_job() {
    let bench = Bench::new();
    let integration = of([failing("teams", "acme_team")]);
    bench.collect(&integration).await;
    bench.run(Job::new(&integration, &bench.store).instance(InstanceId::literal("other"))).await;
    let sql = "UPDATE job SET options = '{\"steps\":', summary = '{' WHERE number = (SELECT max(number) FROM job)";
    bench.damage(sql);
    let jobs = bench.store.jobs().await.expect("both jobs");
    assert_eq!(jobs.len(), 2);
    let error = refused(Job::new(&integration, &bench.store).resume(&jobs[0]), &Values::default()).await;
    assert!(error.contains("its options cannot be read") && error.contains("damaged"), "{error}");
    let (other, _) = bench.run(Job::new(&integration, &bench.store).resume(&jobs[1])).await;
    assert_eq!(other.state, JobState::Partial);
}

#[tokio::test]
async fn a_job_in_a_state_of_another_version_is_listed_and_not_resumed() {
    let bench = Bench::new();
    let integration = of([failing("teams", "acme_team")]);
    bench.collect(&integration).await;
    bench.collect(&integration).await;
    let sql = "UPDATE job SET state = 'paused', summary = '{\"state\":\"paused\"}' WHERE number = 2";
    bench.damage(sql);
    let jobs = bench.store.jobs().await.expect("both jobs");
    assert_eq!([jobs[0].state, jobs[1].state], [JobState::Unknown, JobState::Partial]);
    let error = jobs[0].summary().expect_err("another version").to_string();
    assert!(error.contains(&format!("the summary of the job {}", jobs[0].id)), "{error}");
    assert!(jobs[1].summary().expect("a summary").is_some());
    let job = Job::new(&integration, &bench.store).resume(&jobs[0]);
    let error = job.run(&Values::default(), CancellationToken::new()).await.expect_err("a state").to_string();
    assert!(error.contains("the state of the job") && error.contains("another version"), "{error}");
    let (summary, _) = bench.run(Job::new(&integration, &bench.store)).await;
    assert_eq!(summary.state, JobState::Partial);
}

#[tokio::test]
async fn a_step_s_result_that_cannot_be_read_ends_the_resumed_job_rather_than_the_step_s_work() {
    let bench = Bench::new();
    let (_, _) =
        bench.collect(&of([failing("teams", "acme_team"), adding("users", "acme_user", &["user:000001"])])).await;
    let row = newest(&bench).await;
    let job = bench.store.resume(row.id).await.expect("a store");
    let sql = "UPDATE step_run SET result = '{\"objects\":1}' WHERE step = 'users'";
    bench.damage(sql);
    drop(job);
    let integration = of([failing("teams", "acme_team"), adding("users", "acme_user", &["user:000001"])]);
    let job = Job::new(&integration, &bench.store).resume(&newest(&bench).await);
    let error = job.run(&Values::default(), CancellationToken::new()).await.expect_err("a result").to_string();
    assert!(error.contains("the result of the step `users`"), "{error}");
}

/// Class schemas whose `StepStatsSnapshot` requires a property.
fn demanding(property: &str) -> BTreeMap<String, Value> {
    let record = json!({
        "$id": "#Record", "type": "object", "allOf": [{"$ref": "#Entity"}], "properties": {}, "required": [property],
    });
    BTreeMap::from([("Record".to_owned(), record)])
}

#[tokio::test]
async fn a_resumed_job_keeps_the_class_schemas_that_it_began_with() {
    let bench = Bench::new();
    let integration = of([adding("teams", "acme_team", &["team:000001"])]);
    let job = || Job::new(&integration, &bench.store).validation(Validation::Quarantine);
    let (first, _) = bench.run(job().class_schemas(demanding("colour"))).await;
    assert_eq!((first.state, first.entities), (JobState::Partial, 0));
    let row = newest(&bench).await;
    let error = refused(job().class_schemas(demanding("size")).resume(&row), &Values::default()).await;
    assert!(error.contains("it began with others"), "{error}");
    for schemas in [BTreeMap::new(), demanding("colour")] {
        let (again, _) = bench.run(job().resume(&newest(&bench).await).class_schemas(schemas)).await;
        assert_eq!((again.state, again.entities), (JobState::Partial, 0));
        assert_eq!(again.integration_step_results[0].gaps, first.integration_step_results[0].gaps);
    }
}

#[tokio::test]
async fn a_job_is_not_resumed_with_other_secret_fields() {
    let bench = Bench::new();
    let plain = || of([failing("teams", "acme_team")]);
    bench.collect(&plain().secret_fields(["token"])).await;
    let integration = plain().secret_fields(["password"]);
    let error = refused(Job::new(&integration, &bench.store).resume(&newest(&bench).await), &Values::default()).await;
    assert!(error.contains("secret fields have changed since it began (password, token)"), "{error}");
    let other = Integration::without_provider::<()>("other", "Other").step(failing("teams", "acme_team"));
    let error = refused(Job::new(&other, &bench.store).resume(&newest(&bench).await), &Values::default()).await;
    assert!(error.contains("it belongs to the integration \"test\", not to \"other\""), "{error}");
}

struct Regional;

impl Config for Regional {
    fn fields() -> Vec<Field> {
        vec![
            Field::of::<Option<String>>("region", "Where.", None),
            Field::of::<Option<crate::config::SecretString>>("token", "The token.", None),
        ]
    }
    fn read(_: &Values) -> Result<Self, ConfigError> {
        Ok(Self)
    }
}

#[tokio::test]
async fn a_job_is_not_resumed_with_another_configuration_but_with_another_secret() {
    let bench = Bench::new();
    let integration = Integration::without_provider::<Regional>("test", "Test").step(failing("teams", "acme_team"));
    let values = |region: &str, token: &str| {
        Values::new(
            "test",
            [("REGION", region), ("TOKEN", token)].map(|(name, text)| (name.to_owned(), text.to_owned())),
        )
    };
    let (began, cancel) = (values("eu", "one"), CancellationToken::new());
    Job::new(&integration, &bench.store).run(&began, cancel).await.expect("a summary");
    let row = newest(&bench).await;
    assert!(!row.options.to_string().contains("one"), "{}", row.options);
    let job = || Job::new(&integration, &bench.store).resume(&row);
    let error = refused(job(), &values("us", "one")).await;
    assert!(error.contains("the configuration has changed since it began (region)"), "{error}");
    let again = job().run(&values("eu", "two"), CancellationToken::new()).await.expect("a summary");
    assert_eq!(again.state, JobState::Partial);
}
