//! Private spaces.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    bodies::{Listed, dates, named, team_reference},
    ids::{SpaceId, TeamId, uuid_of},
    organisation::Organisation,
    resources::Text,
    table::rows,
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

    pub(super) fn inbound_ruleset(&self) -> Value {
        let rules = self.allowed_sources.iter().map(|source| json!({"action": "allow", "source": source}));
        json!({
            "id": uuid_of("inbound-ruleset", &self.name).to_string(),
            "created_at": dates(self.id.uuid()).0,
            "created_by": "tilda.marchetti@kestrel.example.com",
            "rules": rules.collect::<Vec<_>>(),
            "space": {"id": self.id.to_string(), "name": self.name},
        })
    }

    pub(super) fn nat(&self) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let state = if self.outbound_addresses.is_empty() { "updating" } else { "enabled" };
        json!({"created_at": created, "sources": self.outbound_addresses, "state": state, "updated_at": updated})
    }

    pub(super) fn peerings(&self) -> Vec<Value> {
        let body = |peering: &Peering| {
            json!({
                "aws_account_id": "123456789012",
                "aws_region": "us-east-1",
                "aws_vpc_id": "vpc-1234567890",
                "cidr_block": peering.cidr,
                "cidr_blocks": [peering.cidr],
                "expires": "2030-01-01T12:00:00Z",
                "pcx_id": peering.pcx_id,
                "status": peering.status,
                "type": "customer-managed",
            })
        };
        self.peerings.iter().map(body).collect()
    }

    pub(super) fn vpn_connections(&self) -> Vec<Value> {
        let tunnel = |vpn: &VpnConnection, ip: &str, status: &str| {
            json!({
                "customer_ip": vpn.public_ip,
                "ip": ip,
                "last_status_change": dates(self.id.uuid()).1,
                "pre_shared_key": vpn.pre_shared_key,
                "status": status,
                "status_message": "",
            })
        };
        let body = |vpn: &VpnConnection| {
            json!({
                "id": vpn.id().to_string(),
                "name": vpn.name,
                "ike_version": 1,
                "public_ip": vpn.public_ip,
                "routable_cidrs": ["172.16.0.0/16"],
                "space_cidr_block": "10.0.0.0/16",
                "status": "active",
                "status_message": "",
                "tunnels": [tunnel(vpn, "192.0.2.17", "UP"), tunnel(vpn, "192.0.2.18", "DOWN")],
            })
        };
        self.vpn_connections.iter().map(body).collect()
    }
}

rows! {
    Space of TeamId: |space| &space.name, |space| space.team;
}

impl Listed for Space {
    fn body(&self, organisation: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let team = self.names_team.then(|| team_reference(organisation, self.team));
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "cidr": "10.0.0.0/16",
            "created_at": created,
            "data_cidr": "10.1.0.0/16",
            "generation": self.generation,
            "organization": team.as_ref().map(|team| json!({"name": team["name"]})),
            "region": named("region", &self.region),
            "shield": self.shield,
            "state": self.state,
            "team": team,
            "updated_at": updated,
        })
    }
}
