//! Private spaces.

use uuid::Uuid;

use super::{
    ids::{SpaceId, TeamId, uuid_of},
    table::rows,
    text::Text,
};

/// A private space.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// The id of the space.
    pub id: SpaceId,
    /// The name of the space.
    pub name: String,
    /// The team that owns the space.
    pub team: TeamId,
    /// Whether the body of the space names the team.
    pub names_team: bool,
    /// The region, such as `virginia` or `tokyo`.
    pub region: Text,
    /// Whether the space is shielded.
    pub shield: bool,
    /// The state: `allocating`, `allocated`, or `deleting`.
    pub state: Text,
    /// The generation of the platform: `cedar` or `fir`.
    pub generation: Text,
    /// The ranges of addresses from which connections are allowed.
    pub allowed_sources: Vec<Text>,
    /// The addresses from which connections leave the space; none while it is being allocated.
    pub outbound_addresses: Vec<Text>,
    /// The peerings with other networks.
    pub peerings: Vec<Peering>,
    /// The VPN connections.
    pub vpn_connections: Vec<VpnConnection>,
}

/// A peering of a space with a customer's network.
#[derive(Debug, Clone, PartialEq)]
pub struct Peering {
    /// The id that AWS assigned.
    pub pcx_id: Text,
    /// The status, such as `active` or `pending-acceptance`.
    pub status: Text,
    /// The range of addresses of the other network.
    pub cidr: Text,
}

/// A VPN connection of a space, with two tunnels of which one is up.
#[derive(Debug, Clone, PartialEq)]
pub struct VpnConnection {
    /// The name of the connection.
    pub name: Text,
    /// The public address of the customer's gateway.
    pub public_ip: Text,
    /// The pre-shared key of its tunnels.
    pub pre_shared_key: Text,
}

impl VpnConnection {
    /// The id of the connection.
    pub fn id(&self) -> Uuid {
        uuid_of("vpn-connection", &self.name)
    }
}

impl Space {
    /// Creates an allocated space without a shield.
    pub fn new(name: impl Into<String>, team: TeamId) -> Self {
        let name = name.into();
        Self {
            id: SpaceId::derived(&name),
            name,
            team,
            names_team: true,
            region: "virginia".into(),
            shield: false,
            state: "allocated".into(),
            generation: "cedar".into(),
            allowed_sources: vec!["203.0.113.0/24".into()],
            outbound_addresses: vec!["198.51.100.7".into(), "198.51.100.8".into()],
            peerings: Vec::new(),
            vpn_connections: Vec::new(),
        }
    }
}

rows! {
    Space of TeamId: |space| &space.name, |space| space.team;
}
