//! The types `heroku_space_peering` and `heroku_space_vpn_connection`.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource;

/// A connection of a private space with another network of AWS.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_space_peering", class = "Gateway", resource = "Space Peering")]
pub struct SpacePeering {
    /// The id that AWS assigned.
    #[entity(key)]
    pub id: String,
    /// The id, which serves as the name.
    pub name: String,
    /// The category of the gateway; always `network`.
    pub category: Vec<String>,
    /// The function of the gateway; always `routing`.
    pub function: Vec<String>,
    /// Whether the gateway has a public address; always false.
    pub public: bool,
    /// The id of the private space.
    pub space_id: String,
    /// The party that manages the peering, such as `customer-managed` or `heroku-postgresql`.
    pub peering_type: Option<String>,
    /// The status, such as `active` or `pending-acceptance`.
    pub status: Option<String>,
    /// The ranges of addresses of the other network.
    pub cidr_blocks: Vec<String>,
    /// The id of the other network.
    pub aws_vpc_id: Option<String>,
    /// The region of the other network.
    pub aws_region: Option<String>,
    /// The AWS account of the other network.
    pub aws_account_id: Option<String>,
    /// The time at which a pending request expires.
    pub expires_on: Option<Timestamp>,
}

impl SpacePeering {
    /// Creates a peering of a space.
    pub fn new(peering: resource::Peering, space_id: &str) -> Self {
        Self {
            name: peering.pcx_id.clone(),
            id: peering.pcx_id,
            category: vec!["network".to_owned()],
            function: vec!["routing".to_owned()],
            public: false,
            space_id: space_id.to_owned(),
            peering_type: peering.r#type,
            status: peering.status,
            cidr_blocks: peering.cidr_blocks.unwrap_or_default(),
            aws_vpc_id: peering.aws_vpc_id,
            aws_region: peering.aws_region,
            aws_account_id: peering.aws_account_id,
            expires_on: peering.expires,
        }
    }
}

/// A VPN connection of a private space. Its pre-shared keys are not collected.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_space_vpn_connection", class = "Gateway", resource = "Space VPN Connection")]
pub struct SpaceVpnConnection {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name of the connection; the id if the API returns none.
    pub name: String,
    /// The category of the gateway; always `network`.
    pub category: Vec<String>,
    /// The function of the gateway; always `remote-access-gateway`.
    pub function: Vec<String>,
    /// Whether the gateway has a public address; always true.
    pub public: bool,
    /// The id of the private space.
    pub space_id: String,
    /// The public address of the customer's gateway.
    pub public_ip_address: Option<String>,
    /// The ranges of addresses that are reachable through the connection.
    pub routable_cidrs: Vec<String>,
    /// The range of addresses of the space.
    pub space_cidr: Option<String>,
    /// The version of the Internet Key Exchange protocol.
    pub ike_version: Option<i64>,
    /// The status, such as `active` or `failed`.
    pub status: Option<String>,
    /// The addresses of Heroku's ends of the tunnels.
    pub tunnel_addresses: Vec<String>,
    /// The number of tunnels that are up.
    pub tunnels_up: i64,
    /// The number of tunnels that are down.
    pub tunnels_down: i64,
}

impl SpaceVpnConnection {
    /// Creates a VPN connection of a space.
    pub fn new(vpn: resource::VpnConnection, space_id: &str) -> Self {
        let tunnels = vpn.tunnels.unwrap_or_default();
        let up = tunnels.iter().filter(|tunnel| tunnel.status.as_deref() == Some("UP")).count();
        Self {
            name: vpn.name.unwrap_or_else(|| vpn.id.clone()),
            id: vpn.id,
            category: vec!["network".to_owned()],
            function: vec!["remote-access-gateway".to_owned()],
            public: true,
            space_id: space_id.to_owned(),
            public_ip_address: vpn.public_ip,
            routable_cidrs: vpn.routable_cidrs.unwrap_or_default(),
            space_cidr: vpn.space_cidr_block,
            ike_version: vpn.ike_version,
            status: vpn.status,
            tunnels_up: up as i64,
            tunnels_down: (tunnels.len() - up) as i64,
            tunnel_addresses: tunnels.into_iter().filter_map(|tunnel| tunnel.ip).collect(),
        }
    }
}
