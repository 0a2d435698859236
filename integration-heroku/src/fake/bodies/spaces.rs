//! Bodies of private spaces and their networks.

use serde_json::{Value, json};

use super::fields::{dates, named};
use super::listed::Listed;
use super::references::team_reference;
use crate::fake::ids::uuid_of;
use crate::fake::organisation::Organisation;
use crate::fake::spaces::{Peering, Space, VpnConnection};

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

impl Space {
    pub(in crate::fake) fn inbound_ruleset(&self) -> Value {
        let rules = self.allowed_sources.iter().map(|source| json!({"action": "allow", "source": source}));
        json!({
            "id": uuid_of("inbound-ruleset", &self.name).to_string(),
            "created_at": dates(self.id.uuid()).0,
            "created_by": "tilda.marchetti@kestrel.example.com",
            "rules": rules.collect::<Vec<_>>(),
            "space": {"id": self.id.to_string(), "name": self.name},
        })
    }

    pub(in crate::fake) fn nat(&self) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let state = if self.outbound_addresses.is_empty() { "updating" } else { "enabled" };
        json!({"created_at": created, "sources": self.outbound_addresses, "state": state, "updated_at": updated})
    }

    pub(in crate::fake) fn peerings(&self) -> Vec<Value> {
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

    pub(in crate::fake) fn vpn_connections(&self) -> Vec<Value> {
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
