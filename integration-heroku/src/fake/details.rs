//! The details of applications: domains, certificates, process types, drains, webhooks, and buildpacks.
//!
//! They follow from the name of the application. Every field that must never be collected contains `planted`.

use std::sync::{Arc, LazyLock};

use integration_testing::{Answer, Route};
use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    bodies::dates,
    ids::{mixed, uuid_of},
    organisation::Organisation,
    resources::{Addon, App},
    scopes::READERS,
};

/// A text that no graph may contain.
pub const PLANTED: &str = "planted-5f1c";
/// A token in a path, as addresses of chat services contain it.
const PLANTED_PATH: &str = "planted-5f1c-2Zx8vQpLrT5y";

/// The sizes of dynos, with their monthly prices in cents. Sizes of private spaces have none.
const SIZES: [(&str, Option<u32>); 5] = [
    ("Basic", Some(700)),
    ("Standard-1X", Some(2_500)),
    ("Standard-2X", Some(5_000)),
    ("Performance-M", Some(25_000)),
    ("Private-S", None),
];

/// The day on which the process started. All fakes of a process have the same certificates.
static TODAY: LazyLock<Timestamp> = LazyLock::new(|| {
    let now = Timestamp::now();
    let day = TimeZone::UTC.to_datetime(now).date().to_datetime(Time::midnight());
    TimeZone::UTC.to_timestamp(day).unwrap_or(now)
});

/// The routes of the details.
pub(super) fn routes(organisation: &Arc<Organisation>) -> Vec<Route> {
    type Bodies = fn(&Organisation, &App) -> Vec<Value>;
    let details: [(&str, Bodies); 7] = [
        ("domains", |_, app| domains(app)),
        ("sni-endpoints", |_, app| sni_endpoints(app)),
        ("formation", |_, app| formation(app)),
        ("log-drains", log_drains),
        ("telemetry-drains", |_, app| telemetry_drains(app)),
        ("webhooks", |_, app| webhooks(app)),
        ("buildpack-installations", |_, app| buildpacks(app)),
    ];
    let route = |(name, bodies): (&str, Bodies)| {
        let organisation = organisation.clone();
        let route = Route::get(&format!("/apps/{{id}}/{name}"), move |request| {
            let app = organisation.apps.find(request.parameter("id"));
            app.map_or_else(|| Answer::not_found("app"), |app| Answer::list(bodies(&organisation, app)))
        });
        let route = route.scopes(READERS);
        // Installations of buildpacks have no id.
        if name == "buildpack-installations" { route } else { route.sortable(["id"]) }
    };
    let sizes = Route::get("/dyno-sizes", |_| Answer::list(dyno_sizes())).scopes(READERS);
    details.into_iter().map(route).chain([sizes]).collect()
}

fn dyno_sizes() -> Vec<Value> {
    let size = |(name, cents): &(&str, Option<u32>)| {
        json!({
            "id": uuid_of("dyno size", name).to_string(),
            // The API writes the sizes of a formation in another way.
            "name": name.to_lowercase(),
            "cost": cents.map(|cents| json!({"cents": cents, "unit": "month"})),
            "memory": 0.5, "compute": 1, "dedicated": false, "private_space_only": cents.is_none(),
        })
    };
    SIZES.iter().map(size).collect()
}

fn body(kind: &str, name: &str, mut fields: Value) -> Value {
    let id = uuid_of(kind, name);
    let (created, updated) = dates(id);
    fields["id"] = id.to_string().into();
    fields["created_at"] = created.into();
    fields["updated_at"] = updated.into();
    fields
}

/// The custom domains of an application.
fn custom_domains(app: &App) -> &'static [&'static str] {
    match app.name.as_str() {
        "kestrel-api" => &["api.kestrel.example.com"],
        "kestrel-shop" => &["shop.kestrel.example.com", "*.shop.kestrel.example.com"],
        "kestrel-checkout" => &["pay.kestrel.example.com"],
        "kestrel-legacy" => &["old.kestrel.example.com"],
        "kestrel-blog" => &["blog.kestrel.example.com"],
        _ => &[],
    }
}

fn app_reference(app: &App) -> Value {
    json!({"id": app.id.to_string(), "name": app.name})
}

fn domains(app: &App) -> Vec<Value> {
    let endpoint = sni_endpoints(app).first().map(|endpoint| json!({"id": endpoint["id"], "name": endpoint["name"]}));
    let custom = custom_domains(app).iter().map(|hostname| {
        let fields = json!({
            "app": app_reference(app),
            "acm_status": endpoint.as_ref().map(|_| "cert issued"),
            "acm_status_reason": null,
            "cname": format!("{}.herokudns.com", uuid_of("cname", hostname)),
            "hostname": hostname,
            "kind": "custom",
            "sni_endpoint": endpoint,
            "status": "succeeded",
        });
        body("domain", hostname, fields)
    });
    let own = format!("{}.herokuapp.com", app.name);
    let fields = json!({
        "app": app_reference(app), "acm_status": null, "acm_status_reason": null, "cname": null, "hostname": own,
        "kind": "heroku", "sni_endpoint": null, "status": "succeeded",
    });
    custom.chain([body("domain", &own, fields)]).collect()
}

/// The end of the validity of a certificate. Only one is relative to the present, so that it always expires soon.
fn expiry(app: &App) -> String {
    match app.name.as_str() {
        "kestrel-shop" => (*TODAY + SignedDuration::from_hours(20 * 24)).to_string(),
        "kestrel-legacy" => "2023-02-01 00:00:00 UTC".to_owned(),
        _ => "2039-01-01T00:00:00Z".to_owned(),
    }
}

fn sni_endpoints(app: &App) -> Vec<Value> {
    let names = custom_domains(app);
    // The blog has a domain, but no certificate.
    if names.is_empty() || app.name == "kestrel-blog" {
        return Vec::new();
    }
    let is_legacy = app.name == "kestrel-legacy";
    let fields = json!({
        "app": app_reference(app),
        "certificate_chain": format!("-----BEGIN CERTIFICATE-----\n{PLANTED}\n-----END CERTIFICATE-----"),
        "display_name": null,
        "domains": [],
        "name": format!("sni-{}", app.name),
        "ssl_cert": {
            "id": uuid_of("certificate", &app.name).to_string(),
            "ca_signed?": !is_legacy,
            "cert_domains": names,
            "expires_at": expiry(app),
            "issuer": if is_legacy { "/CN=old.kestrel.example.com" } else { "/C=US/O=Let's Encrypt/CN=R11" },
            "self_signed?": is_legacy,
            "starts_at": "2022-02-01T00:00:00Z",
            "subject": format!("/CN={}", names[0]),
        },
    });
    vec![body("sni-endpoint", &app.name, fields)]
}

fn formation(app: &App) -> Vec<Value> {
    let types: &[&str] = match app.name.as_str() {
        "kestrel-worker" => &["worker"],
        "kestrel-api" | "kestrel-shop" => &["web", "worker"],
        _ => &["web"],
    };
    let process = |process: &&str| {
        let name = format!("{}/{process}", app.name);
        let size = match &app.space {
            Some(_) => "Private-S",
            None => SIZES[mixed(&name, 3) as usize % 4].0,
        };
        let fields = json!({
            "app": app_reference(app),
            "command": format!("bundle exec {process} --token={PLANTED}"),
            "dyno_size": {"id": uuid_of("dyno size", size).to_string(), "name": size},
            "quantity": mixed(&name, 4) % 4,
            "size": size,
            "type": process,
        });
        body("formation", &name, fields)
    };
    types.iter().map(process).collect()
}

/// The log drains of an application: one of each add-on that stores logs, and one of its own.
fn log_drains(organisation: &Organisation, app: &App) -> Vec<Value> {
    let drain = |name: &str, addon: Value, url: String| {
        let fields = json!({"addon": addon, "app": app_reference(app), "token": format!("d.{PLANTED}"), "url": url});
        body("log drain", name, fields)
    };
    let stores = organisation.addons_of_app(app.id).filter(|addon| addon.plan.starts_with("papertrail:"));
    let of_addon = |addon: &Addon| {
        let reference = json!({"id": addon.id.to_string(), "name": addon.name, "app": app_reference(app)});
        drain(&addon.name, reference, format!("syslog+tls://logs.papertrail.example:12345?key={PLANTED}"))
    };
    let mut drains: Vec<Value> = stores.map(of_addon).collect();
    if app.name == "kestrel-billing" {
        let url = format!("https://user:{PLANTED}@logs.unknown.example.net/in?key={PLANTED}");
        drains.push(drain(&app.name, Value::Null, url));
    }
    drains
}

fn telemetry_drains(app: &App) -> Vec<Value> {
    if app.name != "kestrel-tracking" {
        return Vec::new();
    }
    let fields = json!({
        "exporter": {
            "type": "otlphttp",
            "endpoint": format!("https://user:{PLANTED}@otel.example.net/v1?key={PLANTED}"),
            "headers": {"API-Key": PLANTED},
        },
        "owner": {"id": app.id.to_string(), "type": "app"},
        "signals": ["traces", "metrics"],
    });
    vec![body("telemetry drain", &app.name, fields)]
}

fn webhooks(app: &App) -> Vec<Value> {
    let url = match app.name.as_str() {
        "kestrel-gateway" => format!("http://user:{PLANTED}@hooks.kestrel.example.com/heroku?secret={PLANTED}"),
        "kestrel-shop" => format!("https://chat.example.com/hooks/{PLANTED_PATH}?secret={PLANTED}"),
        _ => return Vec::new(),
    };
    let fields =
        json!({"app": app_reference(app), "include": ["api:release", "api:build"], "level": "notify", "url": url});
    vec![body("webhook", &app.name, fields)]
}

fn buildpacks(app: &App) -> Vec<Value> {
    let official =
        |name: &str| json!({"name": name, "url": format!("https://buildpack-registry.s3.example/{name}.tgz")});
    let own = format!("https://user:{PLANTED}@github.com/kestrel/heroku-buildpack-fonts?key={PLANTED}");
    let installed = match app.name.as_str() {
        _ if app.stack.as_ref() == "container" => Vec::new(),
        "kestrel-blog" => vec![official("heroku/ruby"), json!({"name": own, "url": own})],
        _ if app.name.len().is_multiple_of(2) => vec![official("heroku/nodejs")],
        _ => vec![official("heroku/ruby")],
    };
    (0..)
        .zip(installed)
        .map(|(ordinal, buildpack): (u32, Value)| json!({"ordinal": ordinal, "buildpack": buildpack}))
        .collect()
}
