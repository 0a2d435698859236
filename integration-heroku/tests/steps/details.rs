//! Tests of the details of applications: off by default, limited by a filter, and without credentials.

use integration_heroku::fake::{App, FakeHeroku, Fault, PLANTED, Reply};
use integration_heroku::integration;
use integration_testing_kit::{Collected, assert_complete, assert_entity, assert_missing, assert_relationship};
use serde_json::{Value, json};

use crate::{sample, values};

pub const SOURCES: [&str; 5] = [
    "application-domains",
    "application-formation",
    "application-drains",
    "application-webhooks",
    "application-buildpacks",
];

async fn details(heroku: &FakeHeroku, settings: &[(&'static str, &str)]) -> Collected {
    let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let integration = integration();
    let run = Collected::run(&integration, values(heroku).into_iter().chain(settings));
    SOURCES.into_iter().fold(run, |run, source| run.source(source, true)).await
}

/// The id of an application of the sample.
fn app(heroku: &FakeHeroku, name: &str) -> String {
    let app: &App = heroku.organisation().apps().find(|app| app.name == name).unwrap();
    app.id.to_string()
}

/// The requests below `/apps`.
fn asked(heroku: &FakeHeroku) -> Vec<String> {
    heroku.log().into_iter().map(|request| request.path).filter(|path| path.starts_with("/apps/")).collect()
}

#[tokio::test]
async fn details_are_off_by_default() {
    let heroku = sample().await;
    let collected = Collected::run(&integration(), values(&heroku)).await;
    assert_complete!(collected);
    assert_eq!(asked(&heroku), Vec::<String>::new());
}

#[tokio::test]
async fn a_domain_has_the_certificate_that_it_presents() {
    let heroku = sample().await;
    let collected = details(&heroku, &[]).await;
    assert_complete!(collected);
    let domains = collected.of_type("heroku_domain");
    let wildcard = domains.iter().find(|domain| domain["name"] == "*.shop.kestrel.example.com").unwrap();
    let (shop, endpoint) = (app(&heroku, "kestrel-shop"), wildcard["sniEndpointId"].as_str().unwrap());
    let shop = shop.as_str();
    assert_eq!(wildcard["domainName"], "shop.kestrel.example.com");
    assert_relationship!(collected, shop -[HAS]-> endpoint, { _type: "heroku_application_has_sni_endpoint" });
    let domain = wildcard["_key"].as_str().unwrap();
    assert_relationship!(collected, domain -[USES]-> endpoint, { _type: "heroku_domain_uses_sni_endpoint" });
    let old = collected.of_type("heroku_sni_endpoint").into_iter().find(|of| of["selfSigned"] == true).unwrap().clone();
    assert_eq!(
        (&old["expiresOn"], &old["domainName"]),
        (&json!(1_675_209_600_000_i64), &json!("old.kestrel.example.com"))
    );
}

#[tokio::test]
async fn targets_have_no_credentials() {
    let heroku = sample().await;
    let collected = details(&heroku, &[]).await;
    let of_type = |object_type: &str| collected.of_type(object_type).into_iter().cloned().collect::<Vec<Value>>();
    let hosts: Vec<Value> = of_type("heroku_log_drain").iter().map(|drain| drain["host"].clone()).collect();
    assert!(
        hosts.contains(&json!("logs.papertrail.example:12345")) && hosts.contains(&json!("logs.unknown.example.net"))
    );
    assert_eq!(of_type("heroku_telemetry_drain")[0]["host"], "otel.example.net");
    let urls: Vec<Value> = of_type("heroku_webhook").iter().map(|webhook| webhook["url"].clone()).collect();
    assert!(urls.contains(&json!("http://hooks.kestrel.example.com/heroku")), "{urls:?}");
    assert_entity!(collected, "heroku_buildpack:heroku/ruby", { official: true });
    let fonts = "https://github.com/kestrel/heroku-buildpack-fonts";
    assert_entity!(collected, &format!("heroku_buildpack:{fonts}"), { url: fonts, official: false });
    let planted = collected.entities().chain(collected.relationships()).find(|of| of.to_string().contains(PLANTED));
    assert_eq!(planted, None);
}

#[tokio::test]
async fn a_filter_limits_the_requests() {
    let heroku = sample().await;
    let settings =
        [("HEROKU_DETAILS_TEAMS", "kestrel-storefront"), ("HEROKU_DETAILS_APPLICATIONS", "kestrel-shop*, x")];
    let collected = details(&heroku, &settings).await;
    assert_complete!(collected);
    // kestrel-shop, kestrel-shop-staging, and kestrel-shop-jp with seven requests each.
    assert_eq!(asked(&heroku).len(), 3 * 7);
    let wrong = details(&heroku, &[("HEROKU_DETAILS_TEAMS", "storefront")]).await;
    let cause = &wrong.step("fetch-formation").gaps[0].cause;
    assert!(cause.contains("there is no team \"storefront\""), "{cause}");
}

#[tokio::test]
async fn an_application_whose_details_are_refused_is_missing_alone() {
    let heroku = sample().await;
    let refused = app(&heroku, "kestrel-api");
    let refusal = Reply::json(403, &json!({"id": "forbidden", "message": "No."}));
    heroku.fault(Fault::Status(refusal).on(&format!("/apps/{refused}/formation")));
    let collected = details(&heroku, &[]).await;
    assert_missing!(collected, heroku_formation under &refused, heroku_application_has_formation under &refused);
    assert!(collected.of_type("heroku_formation").len() > 20);
}
