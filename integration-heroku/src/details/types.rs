//! The types of the details.

use integration_sdk::prelude::*;

use super::bodies::{
    BuildpackBody, DomainBody, FormationBody, LogDrainBody, SniEndpointBody, TelemetryDrainBody, WebhookBody, moment,
};
use super::prices::DynoPrices;
use super::{DetailedApplication, address};
use crate::resource::name_of;
use crate::types::Application;

/// A custom domain of an application.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_domain", class = "Domain", resource = "Custom Domain")]
pub struct Domain {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The host name; it begins with `*.` for all names below a domain.
    pub name: String,
    /// The host name without `*.`.
    pub domain_name: String,
    /// The id of the application.
    pub application_id: String,
    /// The status of the domain, such as `succeeded` or `pending`.
    pub status: Option<String>,
    /// The status of the automated certificate, such as `cert issued` or `failing`.
    pub acm_status: Option<String>,
    /// The target of the DNS entry.
    pub cname: Option<String>,
    /// The id of the SNI endpoint that serves the certificate.
    pub sni_endpoint_id: Option<String>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl Domain {
    pub(super) fn new(body: DomainBody, app: &DetailedApplication) -> Self {
        Self {
            domain_name: body.hostname.trim_start_matches("*.").to_owned(),
            application_id: app.id.clone(),
            status: body.status,
            acm_status: body.acm_status,
            cname: body.cname,
            sni_endpoint_id: body.sni_endpoint.map(|endpoint| endpoint.id),
            created_on: body.created_at,
            updated_on: body.updated_at,
            id: body.id,
            name: body.hostname,
        }
    }
}

/// An SNI endpoint with the certificate that it serves. The certificate itself is never collected.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_sni_endpoint", class = "Certificate", resource = "SNI Endpoint")]
pub struct SniEndpoint {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name that a user or Heroku assigned.
    pub name: String,
    /// The id of the application.
    pub application_id: String,
    /// The first name of the certificate.
    pub domain_name: Option<String>,
    /// All names of the certificate.
    pub alternative_names: Vec<String>,
    /// The issuer of the certificate.
    pub issuer: Option<String>,
    /// The subject of the certificate.
    pub subject: Option<String>,
    /// Whether the certificate is signed by its own key.
    pub self_signed: Option<bool>,
    /// Whether a certificate authority signed the certificate.
    pub ca_signed: Option<bool>,
    /// The begin of the validity of the certificate.
    pub issued_on: Option<Timestamp>,
    /// The end of the validity of the certificate.
    pub expires_on: Option<Timestamp>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl SniEndpoint {
    pub(super) fn new(body: SniEndpointBody, app: &DetailedApplication) -> Self {
        let certificate = body.ssl_cert.unwrap_or_default();
        let names = certificate.cert_domains.unwrap_or_default();
        Self {
            name: body.display_name.or(body.name).unwrap_or_else(|| body.id.clone()),
            application_id: app.id.clone(),
            domain_name: names.first().cloned(),
            alternative_names: names,
            issuer: certificate.issuer,
            subject: certificate.subject,
            self_signed: certificate.self_signed,
            ca_signed: certificate.ca_signed,
            issued_on: certificate.starts_at.as_deref().and_then(moment),
            expires_on: certificate.expires_at.as_deref().and_then(moment),
            created_on: body.created_at,
            updated_on: body.updated_at,
            id: body.id,
        }
    }
}

/// A process type of an application, with the number and the size of its dynos. The command is never collected.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_formation", class = "Resource", resource = "Process Type")]
pub struct Formation {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The process type, such as `web` or `worker`.
    pub name: String,
    /// The application and the process type.
    pub display_name: String,
    /// The id of the application.
    pub application_id: String,
    /// The number of dynos.
    pub quantity: Option<i64>,
    /// The size of each dyno, such as `Standard-1X`.
    pub size: Option<String>,
    /// The price of all dynos in US cents, if all of them run for the whole period.
    pub price_cents: Option<i64>,
    /// The period of the price, such as `month`.
    pub price_unit: Option<String>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl Formation {
    pub(super) fn new(body: FormationBody, app: &DetailedApplication, prices: &DynoPrices) -> Self {
        let size = name_of(body.dyno_size).or(body.size);
        let price = size.as_deref().and_then(|size| prices.price(size));
        let cents = price.and_then(|price| price.cents).zip(body.quantity);
        Self {
            display_name: format!("{} {}", app.name, body.r#type),
            application_id: app.id.clone(),
            quantity: body.quantity,
            price_cents: cents.map(|(cents, quantity)| cents.saturating_mul(quantity)),
            price_unit: price.and_then(|price| price.unit.clone()),
            size,
            created_on: body.created_at,
            updated_on: body.updated_at,
            id: body.id,
            name: body.r#type,
        }
    }
}

/// A target of the log of an application. Its address and its token are credentials; only the host is collected.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_log_drain", class = "Resource", resource = "Log Drain")]
pub struct LogDrain {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The host; the id if the address has none.
    pub name: String,
    /// The host of the address, with its port.
    pub host: Option<String>,
    /// The id of the application.
    pub application_id: String,
    /// The id of the add-on that receives the log.
    pub addon_id: Option<String>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl LogDrain {
    pub(super) fn new(body: LogDrainBody, app: &DetailedApplication) -> Self {
        let host = body.url.as_deref().and_then(address::host);
        Self {
            name: host.clone().unwrap_or_else(|| body.id.clone()),
            host,
            application_id: app.id.clone(),
            addon_id: body.addon.map(|addon| addon.id),
            created_on: body.created_at,
            updated_on: body.updated_at,
            id: body.id,
        }
    }
}

/// A target of the traces, metrics, and logs of an application. Only the host of its address is collected.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_telemetry_drain", class = "Resource", resource = "Telemetry Drain")]
pub struct TelemetryDrain {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The host; the id if the address has none.
    pub name: String,
    /// The host of the address, with its port.
    pub host: Option<String>,
    /// The id of the application.
    pub application_id: String,
    /// The signals: `traces`, `metrics`, and `logs`.
    pub signals: Vec<String>,
    /// The protocol, such as `otlphttp`.
    pub exporter_type: Option<String>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl TelemetryDrain {
    pub(super) fn new(body: TelemetryDrainBody, app: &DetailedApplication) -> Self {
        let (exporter_type, endpoint) = body.exporter.map(|exporter| (exporter.r#type, exporter.endpoint)).unzip();
        let host = endpoint.flatten().as_deref().and_then(address::host);
        Self {
            name: host.clone().unwrap_or_else(|| body.id.clone()),
            host,
            application_id: app.id.clone(),
            signals: body.signals.unwrap_or_default(),
            exporter_type: exporter_type.flatten(),
            created_on: body.created_at,
            updated_on: body.updated_at,
            id: body.id,
        }
    }
}

/// A subscription to events of an application.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_webhook", class = "Resource", resource = "Webhook")]
pub struct Webhook {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The host; the id if the address has none.
    pub name: String,
    /// The host of the address, with its port.
    pub host: Option<String>,
    /// The address without user information, query, and parts of the path that look like credentials.
    pub url: Option<String>,
    /// The id of the application.
    pub application_id: String,
    /// The events, such as `api:release`.
    pub include: Vec<String>,
    /// Whether failed deliveries are repeated: `notify` or `sync`.
    pub level: Option<String>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl Webhook {
    pub(super) fn new(body: WebhookBody, app: &DetailedApplication) -> Self {
        let host = body.url.as_deref().and_then(address::host);
        Self {
            name: host.clone().unwrap_or_else(|| body.id.clone()),
            host,
            url: body.url.as_deref().and_then(address::without_secret_path),
            application_id: app.id.clone(),
            include: body.include.unwrap_or_default(),
            level: body.level,
            created_on: body.created_at,
            updated_on: body.updated_at,
            id: body.id,
        }
    }
}

/// A buildpack that builds applications.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_buildpack", class = "Resource", resource = "Buildpack", merge)]
pub struct Buildpack {
    /// The name or the address of the buildpack.
    #[entity(key)]
    pub key: String,
    /// The name, such as `heroku/ruby`, or the address of a buildpack without one.
    pub name: String,
    /// The address without user information and query.
    pub url: Option<String>,
    /// Whether Heroku maintains the buildpack.
    pub official: bool,
}

impl Buildpack {
    /// Creates a buildpack, unless it has neither a name nor a usable address.
    pub(super) fn new(body: BuildpackBody) -> Option<Self> {
        let url = body.url.as_deref().and_then(address::without_credentials);
        // The name of a buildpack that is not registered is its address, with the credentials in it.
        let named = body.name.filter(|name| !name.contains("://")).or_else(|| url.clone())?;
        let official = named.starts_with("heroku/") || named.starts_with("https://github.com/heroku/");
        Some(Self { key: format!("heroku_buildpack:{named}"), name: named, url, official })
    }
}

relationship!(
    /// A custom domain of an application.
    pub ApplicationHasDomain: Application -[HAS]-> Domain
);
relationship!(
    /// An SNI endpoint of an application.
    pub ApplicationHasSniEndpoint: Application -[HAS]-> SniEndpoint
);
relationship!(
    /// The certificate that a domain presents.
    pub DomainUsesSniEndpoint: Domain -[USES]-> SniEndpoint
);
relationship!(
    /// A process type of an application.
    pub ApplicationHasFormation: Application -[HAS]-> Formation
);
relationship!(
    /// A log drain of an application.
    pub ApplicationHasLogDrain: Application -[HAS]-> LogDrain
);
relationship!(
    /// A telemetry drain of an application.
    pub ApplicationHasTelemetryDrain: Application -[HAS]-> TelemetryDrain
);
relationship!(
    /// A webhook of an application.
    pub ApplicationHasWebhook: Application -[HAS]-> Webhook
);
relationship!(
    /// A buildpack of an application.
    pub ApplicationUsesBuildpack: Application -[USES]-> Buildpack {
        /// The position in the order of execution.
        ordinal: Option<i64>,
    }
);
