//! Serves the fake until its input ends, then prints the objects of all scopes as JSON.
//!
//! ```sh
//! cargo run -p integration-fake-jupiterone --example serve
//! ```

use std::collections::BTreeMap;

use integration_fake_jupiterone::{FakeJupiterOne, FakeOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = FakeOptions { accepts_earlier_header: true, ..FakeOptions::default() };
    let service = FakeJupiterOne::start(options).await?;
    let FakeOptions { account, api_key, .. } = service.options();
    eprintln!("JUPITERONE_API_BASE_URL={} JUPITERONE_ACCOUNT={account} JUPITERONE_API_KEY={api_key}", service.url());
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    let jobs = service.jobs();
    for job in &jobs {
        eprintln!("{}: {}, {} uploads, {:?}", job.id, job.status.name(), job.uploads.len(), job.defects);
    }
    let uploaded = jobs.iter().map(|job| {
        let key = |object: &serde_json::Value| object["_key"].as_str().unwrap_or_default().to_owned();
        let objects = job.objects.iter().map(|object| (key(object), object)).collect::<BTreeMap<_, _>>();
        (&job.id, objects)
    });
    println!("{}", serde_json::to_string_pretty(&uploaded.collect::<BTreeMap<_, _>>())?);
    Ok(())
}
