//! The API's response bodies, limited to the fields that the graph needs.

use integration_sdk::Timestamp;
use integration_sdk::serde::Deserialize;

use crate::resource::{Mention, Named, Price};

/// An element of `/apps/{id}/domains`.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct DomainBody {
    pub(super) id: String,
    pub(super) hostname: String,
    pub(super) kind: Option<String>,
    pub(super) status: Option<String>,
    pub(super) acm_status: Option<String>,
    pub(super) cname: Option<String>,
    pub(super) sni_endpoint: Option<Mention>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

/// An element of `/apps/{id}/sni-endpoints`.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct SniEndpointBody {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) ssl_cert: Option<CertificateBody>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

/// The certificate of an SNI endpoint, without its body.
#[derive(Debug, Default, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct CertificateBody {
    #[serde(rename = "ca_signed?")]
    pub(super) ca_signed: Option<bool>,
    #[serde(rename = "self_signed?")]
    pub(super) self_signed: Option<bool>,
    pub(super) cert_domains: Option<Vec<String>>,
    pub(super) issuer: Option<String>,
    pub(super) subject: Option<String>,
    // Texts, because the API writes these times in two forms.
    pub(super) starts_at: Option<String>,
    pub(super) expires_at: Option<String>,
}

/// An element of `/apps/{id}/formation`.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct FormationBody {
    pub(super) id: String,
    pub(super) r#type: String,
    pub(super) quantity: Option<i64>,
    pub(super) dyno_size: Option<Named>,
    // Deprecated in favour of `dyno_size`.
    pub(super) size: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

/// An element of `/dyno-sizes`.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct DynoSizeBody {
    pub(super) name: String,
    pub(super) cost: Option<Price>,
}

/// An element of `/apps/{id}/log-drains`. The token is never read.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct LogDrainBody {
    pub(super) id: String,
    pub(super) url: Option<String>,
    pub(super) addon: Option<Mention>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

/// An element of `/apps/{id}/telemetry-drains`.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct TelemetryDrainBody {
    pub(super) id: String,
    pub(super) signals: Option<Vec<String>>,
    pub(super) exporter: Option<ExporterBody>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

/// The target of a telemetry drain. Its headers are never read.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct ExporterBody {
    pub(super) r#type: Option<String>,
    pub(super) endpoint: Option<String>,
}

/// An element of `/apps/{id}/webhooks`.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct WebhookBody {
    pub(super) id: String,
    pub(super) url: Option<String>,
    pub(super) include: Option<Vec<String>>,
    pub(super) level: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

/// An element of `/apps/{id}/buildpack-installations`.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct BuildpackInstallationBody {
    pub(super) ordinal: Option<i64>,
    pub(super) buildpack: BuildpackBody,
}

/// A buildpack.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct BuildpackBody {
    pub(super) url: Option<String>,
    pub(super) name: Option<String>,
}

/// Returns a time in RFC 3339, or in the form `2013-08-01 21:34:23 UTC`.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let plain = text.replacen(' ', "T", 1).replace(" UTC", "Z").replace(" +0000", "Z").replace(" -0000", "Z");
    let at: jiff::Timestamp = plain.parse().ok()?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_certificates_have_two_forms() {
        for text in ["2013-08-01T21:34:23Z", "2013-08-01 21:34:23 UTC", "2013-08-01 21:34:23 -0000"] {
            assert_eq!(moment(text).map(Timestamp::millis), Some(1_375_392_863_000), "{text}");
        }
        assert_eq!(moment("soon"), None);
    }
}
