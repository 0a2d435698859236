//! Add-on plans with their prices, and the words from which names are generated.

use super::ids::mixed;

/// An add-on plan.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The name, which starts with the service: `heroku-postgresql:standard-0`.
    pub name: &'static str,
    /// The price per month in US cents.
    pub cents: u32,
    /// The config var that an add-on of the plan sets.
    pub config_var: &'static str,
}

const fn priced(name: &'static str, cents: u32, config_var: &'static str) -> Plan {
    Plan { name, cents, config_var }
}

pub(crate) static PLANS: [Plan; 21] = [
    priced("heroku-postgresql:essential-0", 500, "DATABASE_URL"),
    priced("heroku-postgresql:essential-1", 900, "DATABASE_URL"),
    priced("heroku-postgresql:standard-0", 5_000, "DATABASE_URL"),
    priced("heroku-postgresql:standard-2", 20_000, "DATABASE_URL"),
    priced("heroku-postgresql:premium-0", 20_000, "DATABASE_URL"),
    priced("heroku-redis:mini", 300, "REDIS_URL"),
    priced("heroku-redis:premium-0", 1_500, "REDIS_URL"),
    priced("heroku-redis:premium-1", 3_000, "REDIS_URL"),
    priced("heroku-kafka:basic-0", 10_000, "KAFKA_URL"),
    priced("papertrail:choklad", 0, "PAPERTRAIL_API_TOKEN"),
    priced("papertrail:fixa", 700, "PAPERTRAIL_API_TOKEN"),
    priced("newrelic:wayne", 0, "NEW_RELIC_LICENSE_KEY"),
    priced("sendgrid:starter", 0, "SENDGRID_PASSWORD"),
    priced("sendgrid:bronze", 995, "SENDGRID_PASSWORD"),
    priced("scheduler:standard", 0, "SCHEDULER_URL"),
    priced("cloudinary:starter", 0, "CLOUDINARY_URL"),
    priced("cloudamqp:lemur", 0, "CLOUDAMQP_URL"),
    priced("memcachier:dev", 0, "MEMCACHIER_SERVERS"),
    priced("bonsai:standard-sm", 5_000, "BONSAI_URL"),
    priced("rollbar:free", 0, "ROLLBAR_ACCESS_TOKEN"),
    priced("ssl:endpoint", 2_000, "SSL_ENDPOINT"),
];

/// Returns the plan of a name.
pub(crate) fn plan(name: &str) -> Option<&'static Plan> {
    PLANS.iter().find(|plan| plan.name == name)
}

/// The name of a service for people: its words with capitals.
pub(crate) fn human_name(service: &str) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    service.split('-').filter_map(capitalised).collect::<Vec<_>>().join(" ")
}

pub(crate) const SHAPES: [&str; 16] = [
    "acute",
    "angular",
    "clear",
    "colorful",
    "concave",
    "convex",
    "cubic",
    "curly",
    "cylindrical",
    "deep",
    "fitted",
    "flat",
    "globular",
    "graceful",
    "octagonal",
    "rugged",
];

pub(crate) const GIVEN_NAMES: [&str; 16] = [
    "Amara",
    "Björn",
    "Chloé",
    "Dmitri",
    "Elif",
    "Farid",
    "Grace",
    "Hiroshi",
    "Inês",
    "Jürgen",
    "Kofi",
    "Léa",
    "Maja",
    "Noor",
    "Oluwaseun",
    "Priya",
];

pub(crate) const FAMILY_NAMES: [&str; 16] = [
    "Adeyemi",
    "Brandt",
    "Castillo",
    "Dvořák",
    "Eriksson",
    "Fujimoto",
    "Grünwald",
    "Haddad",
    "Iyer",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Müßig",
    "Nakamura",
    "Okafor",
    "Petrović",
];

/// The name of an add-on in Heroku's style: service, shape, and number.
pub(crate) fn addon_name(service: &str, number: usize) -> String {
    let service = service.trim_start_matches("heroku-");
    let shape = SHAPES[(mixed(service, number as u64) % SHAPES.len() as u64) as usize];
    format!("{service}-{shape}-{number:05}")
}
