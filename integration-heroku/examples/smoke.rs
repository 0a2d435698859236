use integration_heroku::fake::*;
use integration_sdk::{Job, config::Values, store::Store};
#[tokio::main]
async fn main() {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    let fake = FakeHeroku::start(Organisation::sample(), FakeOptions::default()).await.unwrap();
    let integration = integration_heroku::integration();
    let dir = std::path::Path::new("/tmp/smoke");
    let store = Store::open(dir).unwrap();
    let values = Values::new(
        "heroku",
        [("HEROKU_API_KEY".to_string(), fake.token().to_string()), ("HEROKU_API_URL".into(), fake.url())],
    );
    let summary = Job::new(&integration, &store).run(&values, Default::default()).await.unwrap();
    println!("{}", serde_json::to_string_pretty(&summary).unwrap());
    let job = store.job(None).await.unwrap().unwrap();
    let out =
        integration_sdk::dataset::export(&store.open_job(&job), std::path::Path::new("/tmp/smoke/out"), &summary).await;
    println!("{out:?}");
}
