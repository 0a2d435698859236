//! Add-ons with their prices, and the services that they belong to.

use std::fmt;

use integration_sdk::Timestamp;
use integration_sdk::serde::de::value::MapAccessDeserializer;
use integration_sdk::serde::de::{MapAccess, Visitor};
use integration_sdk::serde::{Deserialize, Deserializer};

use super::{Mention, Named, Resource};

objects! { BillingEntity Price }

resources! {
    /// An element of `/teams/{id}/addons` or `/addons`.
    Addon {
        name: String,
        addon_service: Option<Named>,
        plan: Option<Named>,
        app: Option<Mention>,
        billing_entity: Option<BillingEntity>,
        billed_price: Option<Price>,
        config_vars: Option<Vec<String>>,
        state: Option<String>,
        provider_id: Option<String>,
        web_url: Option<String>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// An element of `/addon-services`, Heroku's catalogue.
    AddonService {
        name: String,
        human_name: Option<String>,
        state: Option<String>,
        supports_sharing: Option<bool>,
        supports_multiple_installations: Option<bool>,
        supported_generations: Option<Vec<Named>>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
}

/// The application or team that pays for an add-on.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct BillingEntity {
    /// The name of the application or team.
    pub name: Option<String>,
    /// `app` or `team`.
    pub r#type: Option<String>,
}

/// The price of an add-on.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct Price {
    /// The amount in US cents.
    pub cents: Option<i64>,
    /// The billing period, such as `month`.
    pub unit: Option<String>,
    /// Whether a contract covers the price.
    pub contract: Option<bool>,
    /// Whether the price depends on the use.
    pub metered: Option<bool>,
}
