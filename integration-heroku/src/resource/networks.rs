//! The network of a private space: rules, addresses, peerings, and VPN connections.

use std::fmt;

use integration_sdk::Timestamp;
use integration_sdk::serde::de::value::MapAccessDeserializer;
use integration_sdk::serde::de::{MapAccess, Visitor};
use integration_sdk::serde::{Deserialize, Deserializer};

use super::Resource;

objects! { InboundRuleset InboundRule OutboundAddresses Peering Tunnel }

resources! {
    /// An element of `/spaces/{id}/vpn-connections`.
    VpnConnection {
        name: Option<String>,
        public_ip: Option<String>,
        routable_cidrs: Option<Vec<String>>,
        space_cidr_block: Option<String>,
        ike_version: Option<i64>,
        status: Option<String>,
        tunnels: Option<Vec<Tunnel>>,
    }
}

/// The response of `/spaces/{id}/inbound-ruleset`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct InboundRuleset {
    /// The rules in their order.
    pub rules: Option<Vec<InboundRule>>,
}

/// A rule for connections from outside a space.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct InboundRule {
    /// `allow` or `deny`.
    pub action: String,
    /// The range of addresses, such as `0.0.0.0/0`.
    pub source: String,
}

/// The response of `/spaces/{id}/nat`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct OutboundAddresses {
    /// The addresses from which connections leave the space.
    pub sources: Option<Vec<String>>,
    /// `disabled`, `updating`, or `enabled`.
    pub state: Option<String>,
}

/// An element of `/spaces/{id}/peerings`. It has no field `id`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct Peering {
    /// The id that AWS assigned.
    pub pcx_id: String,
    /// The party that manages the peering, such as `customer-managed`.
    pub r#type: Option<String>,
    /// The ranges of addresses of the other network.
    pub cidr_blocks: Option<Vec<String>>,
    /// The status, such as `active`.
    pub status: Option<String>,
    /// The id of the other network.
    pub aws_vpc_id: Option<String>,
    /// The region of the other network.
    pub aws_region: Option<String>,
    /// The AWS account of the other network.
    pub aws_account_id: Option<String>,
    /// The time at which a pending request expires.
    pub expires: Option<Timestamp>,
}

impl Resource for Peering {
    fn id(&self) -> &str {
        &self.pcx_id
    }
}

/// A tunnel of a VPN connection. Its pre-shared key is not read.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct Tunnel {
    /// The address of Heroku's end.
    pub ip: Option<String>,
    /// The address of the customer's end.
    pub customer_ip: Option<String>,
    /// `UP` or `DOWN`.
    pub status: Option<String>,
}
