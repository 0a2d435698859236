//! The type `heroku_addon`.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Match};
use integration_sdk::{EntityKind, Timestamp};

use crate::resource::{self, name_of};

/// A service that is attached to an application.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_addon", class = "Service", resource = "Add-on")]
pub struct Addon {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name of the add-on.
    pub name: String,
    /// The id of the application that the add-on belongs to.
    pub application_id: Option<String>,
    /// The service, such as `heroku-postgresql`.
    pub service: Option<String>,
    /// The plan, such as `heroku-postgresql:standard-0`.
    pub plan: Option<String>,
    /// The state: `provisioning`, `provisioned`, or `deprovisioned`.
    pub state: Option<String>,
    /// The category of the service; always `platform`.
    pub category: Vec<String>,
    /// The function of the service, such as `database`, derived from its name.
    pub function: Vec<String>,
    /// The addresses at which users reach the service.
    pub endpoints: Vec<String>,
    /// The names of the config vars that the add-on sets. Values are never collected.
    pub config_var_names: Vec<String>,
    /// The price in US cents.
    pub price_cents: Option<i64>,
    /// The billing period of the price, such as `month`.
    pub price_unit: Option<String>,
    /// Whether the price is part of a contract.
    pub price_by_contract: Option<bool>,
    /// Whether the price depends on the use. `priceCents` is then the price of one unit.
    pub price_by_use: Option<bool>,
    /// The name of the application or team that pays.
    pub billing_entity: Option<String>,
    /// The kind of `billingEntity`: `app` or `team`.
    pub billing_entity_type: Option<String>,
    /// The id that the add-on's provider assigned.
    pub provider_id: Option<String>,
    /// The address of the add-on at its provider.
    pub web_link: Option<String>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl From<resource::Addon> for Addon {
    fn from(addon: resource::Addon) -> Self {
        let service = name_of(addon.addon_service);
        let price = addon.billed_price;
        let (billing_entity, billing_entity_type) =
            addon.billing_entity.map(|payer| (payer.name, payer.r#type)).unwrap_or_default();
        Self {
            application_id: addon.app.map(|app| app.id),
            function: vec![function_of(service.as_deref().unwrap_or_default()).to_owned()],
            service,
            plan: name_of(addon.plan),
            state: addon.state,
            category: vec!["platform".to_owned()],
            endpoints: addon.web_url.iter().cloned().collect(),
            config_var_names: addon.config_vars.unwrap_or_default(),
            price_cents: price.as_ref().and_then(|price| price.cents),
            price_unit: price.as_ref().and_then(|price| price.unit.clone()),
            price_by_contract: price.as_ref().and_then(|price| price.contract),
            price_by_use: price.as_ref().and_then(|price| price.metered),
            billing_entity,
            billing_entity_type,
            provider_id: addon.provider_id,
            web_link: addon.web_url,
            created_on: addon.created_at,
            updated_on: addon.updated_at,
            id: addon.id,
            name: addon.name,
        }
    }
}

/// Functions of services with the words that indicate them in a service name.
///
/// The earliest matching word in this table decides. The services are listed at <https://elements.heroku.com/addons>.
const FUNCTIONS: &[(&str, &[&str])] = &[
    (
        "database",
        &["postgres", "mysql", "maria", "mongo", "sql", "dynamo", "neo4j", "graphene", "couch", "fauna", "db"],
    ),
    ("cache", &["redis", "memcache", "key-value", "keyvalue"]),
    ("messaging", &["kafka", "rabbit", "amqp", "mqtt", "pusher", "ably", "pubnub", "iron_mq", "ironmq", "karafka"]),
    (
        "logging",
        &["papertrail", "logentries", "logdna", "mezmo", "logtail", "coralogix", "sumologic", "loggly", "logz"],
    ),
    (
        "monitoring",
        &[
            "newrelic",
            "scout",
            "librato",
            "appsignal",
            "rollbar",
            "sentry",
            "bugsnag",
            "honeybadger",
            "raygun",
            "airbrake",
            "solarwinds",
            "appoptics",
            "statuscake",
            "pingdom",
            "hostedgraphite",
            "hosted-graphite",
            "datadog",
            "opbeat",
            "dead-mans-snitch",
            "deadmanssnitch",
        ],
    ),
    ("email", &["mail", "sendgrid", "mandrill", "postmark", "sparkpost", "mailtrap"]),
    ("search", &["elastic", "algolia", "searchbox", "swiftype", "typesense", "websolr", "bonsai", "sphinx"]),
    ("scheduling", &["scheduler", "cron", "temporize", "advanced-scheduler"]),
    (
        "storage",
        &["cloudinary", "bucketeer", "cloudcube", "filestack", "uploadcare", "simple-file", "hdrive", "storage"],
    ),
    ("networking", &["quotaguard", "fixie", "proximo", "edge", "cdn", "fastly", "cloudflare", "dns", "ssl", "certif"]),
    ("identity", &["auth0", "okta", "stormpath", "cloudamp", "id"]),
    ("testing", &["ci", "test", "loader", "blazemeter", "sauce"]),
];

/// The automaton that searches for all words at once, and the function of each word.
static WORDS: LazyLock<(AhoCorasick, Vec<&str>)> = LazyLock::new(|| {
    let words = FUNCTIONS.iter().flat_map(|(function, words)| words.iter().map(|word| (*word, *function)));
    let (words, functions): (Vec<&str>, Vec<&str>) = words.unzip();
    (AhoCorasick::new(words).expect("a hundred short words"), functions)
});

/// Returns the function of a service, derived from its name; `other` if no word of the table is in it.
pub(super) fn function_of(service: &str) -> &'static str {
    let (words, functions) = &*WORDS;
    let bounds = |at: usize| at == 0 || at == service.len() || service.as_bytes()[at - 1..=at].contains(&b'-');
    let counts = |found: &Match| found.len() > 3 || (bounds(found.start()) && bounds(found.end()));
    let first = words.find_overlapping_iter(service).filter(counts).map(|found| found.pattern()).min();
    first.map_or("other", |first| functions[first.as_usize()])
}

#[cfg(test)]
mod tests {
    use super::function_of;

    #[test]
    fn what_a_service_is_for_follows_from_its_name() {
        let expected = [
            ("heroku-postgresql", "database"),
            ("heroku-redis", "cache"),
            ("heroku-kafka", "messaging"),
            ("papertrail", "logging"),
            ("newrelic", "monitoring"),
            ("sendgrid", "email"),
            ("bonsai", "search"),
            ("scheduler", "scheduling"),
            ("cloudinary", "storage"),
            ("fixie", "networking"),
            ("heroku-ci", "testing"),
            ("something-new", "other"),
            ("", "other"),
        ];
        for (service, function) in expected {
            assert_eq!(function_of(service), function, "{service}");
        }
    }
}
