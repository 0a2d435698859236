//! Validation of Heroku's entities against their schemas, compared to parsing alone, on one thread.
//!
//! `cargo bench -p integration-schema --bench validate [-- ENTITIES RUNS]`. The type schemas are those of the Heroku
//! plugin in `schemas/types`. The passes alternate, so that a machine of varying speed affects all of them.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use integration_graph::{Class, EntityDeclaration, ObjectType};
use integration_schema::Schemas;
use serde_json::{Value, json};

const TYPES: [(&str, &str, &str); 5] = [
    ("heroku_account", "Account", include_str!("../../../schemas/types/heroku_account.json")),
    ("heroku_team", "Team", include_str!("../../../schemas/types/heroku_team.json")),
    ("heroku_account_member", "User", include_str!("../../../schemas/types/heroku_account_member.json")),
    ("heroku_application", "Application", include_str!("../../../schemas/types/heroku_application.json")),
    ("heroku_addon", "Service", include_str!("../../../schemas/types/heroku_addon.json")),
];

fn schemas() -> Schemas {
    let mut schemas = Schemas::new(BTreeMap::new()).expect("the built-in class schemas");
    for (name, class, text) in TYPES {
        let mut declared = EntityDeclaration::new(name, ObjectType::literal(name), Class::literal(class));
        declared.schema = serde_json::from_str(text).expect("a generated schema is JSON");
        schemas.entity(&declared);
    }
    schemas.check_all().expect("schemas that compile");
    schemas
}

/// Returns an entity from the mix of a large account: mostly add-ons, few teams.
fn entity(number: usize) -> String {
    let id = format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(0x9e37_79b9) & 0xffff_ffff);
    let time = 1_700_000_000_000_u64 + number as u64;
    let (object_type, class, name, own) = match number % 100 {
        0 => (
            "heroku_team",
            "Team",
            format!("team-{number}"),
            json!({
            "enterpriseAccountId": "0f0f0f0f-0000-4000-8000-000000000001", "teamType": "enterprise", "role": "admin",
            "membershipLimit": 25, "webLink": format!("https://dashboard.heroku.com/teams/team-{number}"),
            "createdOn": time, "updatedOn": time}),
        ),
        1..10 => (
            "heroku_account_member",
            "User",
            format!("person-{number}@example.com"),
            json!({
            "username": format!("person-{number}@example.com"), "email": format!("person-{number}@example.com"),
            "emailDomain": ["example.com"], "shortLoginId": format!("person-{number}"), "mfaEnabled": true, "active": true,
            "permissions": ["view", "create"], "ssoProvider": "okta",
            "enterpriseAccountId": ["0f0f0f0f-0000-4000-8000-000000000001"]}),
        ),
        10..33 => (
            "heroku_application",
            "Application",
            format!("app-{number}"),
            json!({
            "teamId": "0f0f0f0f-0000-4000-8000-000000000002", "owner": "team@herokumanager.com", "region": "us",
            "stack": "heroku-24", "buildStack": "heroku-24", "maintenance": false, "locked": false, "archived": false,
            "productionURL": format!("https://app-{number}.herokuapp.com/"),
            "gitUrl": format!("https://git.heroku.com/app-{number}.git"), "repoSize": 102_400, "slugSize": 204_800,
            "releasedOn": time, "webLink": format!("https://dashboard.heroku.com/apps/app-{number}"),
            "createdOn": time, "updatedOn": time}),
        ),
        _ => (
            "heroku_addon",
            "Service",
            format!("postgresql-flat-{number}"),
            json!({
            "applicationId": "0f0f0f0f-0000-4000-8000-000000000003", "service": "heroku-postgresql",
            "plan": "heroku-postgresql:standard-0", "state": "provisioned", "category": ["platform"],
            "function": ["database"], "endpoints": [format!("https://addons-sso.heroku.com/addons/{number}")],
            "configVarNames": ["DATABASE_URL"], "priceCents": 5_000, "priceUnit": "month", "priceByContract": false,
            "billingEntity": "app", "providerId": format!("provider-{number}"),
            "webLink": format!("https://addons-sso.heroku.com/addons/{number}"), "createdOn": time, "updatedOn": time}),
        ),
    };
    let raw = json!({"id": id, "name": name, "created_at": "2023-11-14T22:13:20Z", "updated_at": "2023-11-14T22:13:20Z",
        "app": {"id": "0f0f0f0f-0000-4000-8000-000000000003", "name": "app"}, "state": "provisioned",
        "plan": {"id": "0f0f0f0f-0000-4000-8000-000000000004", "name": "standard-0"}, "web_url": null});
    let mut object = json!({"_key": id, "_type": object_type, "_class": [class], "displayName": name, "id": id,
        "name": name, "_rawData": [{"name": "default", "rawData": raw}]});
    if let (Value::Object(object), Value::Object(own)) = (&mut object, own) {
        object.extend(own);
    }
    object.to_string()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("an entity is JSON")
}

fn timed(texts: &[String], mut work: impl FnMut(&str)) -> Duration {
    let start = Instant::now();
    texts.iter().for_each(|text| work(text));
    start.elapsed()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let entities: usize = arguments.first().map_or(200_000, |text| text.parse().expect("a number of entities"));
    let runs: usize = arguments.get(1).map_or(5, |text| text.parse().expect("a number of runs"));
    let start = Instant::now();
    let schemas = schemas();
    println!("compiling every schema: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let texts: Vec<String> = (0..entities).map(entity).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("{entities} entities of {} bytes each", bytes / entities.max(1));
    let (mut parse, mut both, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let parsing = timed(&texts, |text| drop(black_box(parsed(text)))).as_secs_f64();
        let checking = timed(&texts, |text| {
            let findings = schemas.check(&parsed(text));
            assert!(findings.is_empty(), "{findings:?}");
        });
        let checking = checking.as_secs_f64();
        ratios.push((checking - parsing) / parsing);
        parse.push(parsing);
        both.push(checking);
    }
    let count = entities as f64;
    let (parse, both) = (median(parse), median(both));
    println!("parse:            {parse:6.2} s  {:>9.0} objects/s", count / parse);
    println!("parse and check:  {both:6.2} s  {:>9.0} objects/s", count / both);
    println!("check by itself:  {:6.2} s  {:>9.0} objects/s", both - parse, count / (both - parse));
    println!("check : parse = {:.2} (median of {runs} pairs)", median(ratios));
}
