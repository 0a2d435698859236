//! The steps that read the network of each private space, with one request each.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::{Space, SpaceHasPeering, SpaceHasVpnConnection, SpacePeering, SpaceVpnConnection};

/// The range that contains all addresses.
const EVERYWHERE: &str = "0.0.0.0/0";

/// Adds the rules for connections from outside to private spaces.
#[step(id = "fetch-space-rules", name = "Fetch inbound rules of spaces", scopes("read"))]
pub async fn fetch_space_rules(api: Client<Heroku>, spaces: Read<Space>, rules: Annotate<Space>) -> StepResult {
    let rules_of = async |space: Space| {
        let ruleset = api.inbound_ruleset(&space.id).await?;
        let allowed = ruleset.rules.into_iter().flatten().filter(|rule| rule.action == "allow");
        let mut sources: Vec<String> = allowed.map(|rule| rule.source).collect();
        sources.sort();
        rules.add(&space, [("public", sources.iter().any(|source| source == EVERYWHERE))]).await?;
        rules.add(&space, [("inboundSources", sources)]).await?;
        Ok(())
    };
    spaces.for_each_concurrent(rules_of).await
}

/// Adds the addresses from which connections leave private spaces.
#[step(id = "fetch-space-addresses", name = "Fetch outbound addresses of spaces", scopes("read"))]
pub async fn fetch_space_addresses(api: Client<Heroku>, spaces: Read<Space>, addresses: Annotate<Space>) -> StepResult {
    let addresses_of = async |space: Space| {
        let outbound = api.outbound_addresses(&space.id).await?;
        let sources = outbound.sources.map(|mut sources| {
            sources.sort();
            sources
        });
        addresses.add(&space, [("outboundState", outbound.state)]).await?;
        addresses.add(&space, [("outboundAddresses", sources)]).await?;
        Ok(())
    };
    spaces.for_each_concurrent(addresses_of).await
}

/// Emits the peerings of private spaces with other networks.
#[step(id = "fetch-space-peerings", name = "Fetch peerings of spaces", scopes("read"))]
pub async fn fetch_space_peerings(
    api: Client<Heroku>,
    spaces: Follow<Space>,
    peerings: Emit<SpacePeering>,
    has: Emit<SpaceHasPeering>,
) -> StepResult {
    let peerings_of = async |space: Space| {
        let mut listing = api.peerings(&space.id);
        while let Some(peering) = listing.try_next().await? {
            let (peering, raw) = peering.into_parts();
            let peering = peerings.add(SpacePeering::new(peering, &space.id).with_raw(raw)).await?;
            has.add(&space, &peering).await?;
        }
        Ok(())
    };
    spaces.for_each_concurrent(peerings_of).await
}

/// Emits the VPN connections of private spaces.
#[step(id = "fetch-space-vpn-connections", name = "Fetch VPN connections of spaces", scopes("read"))]
pub async fn fetch_space_vpn_connections(
    api: Client<Heroku>,
    spaces: Follow<Space>,
    connections: Emit<SpaceVpnConnection>,
    has: Emit<SpaceHasVpnConnection>,
) -> StepResult {
    let connections_of = async |space: Space| {
        let mut listing = api.vpn_connections(&space.id);
        while let Some(vpn) = listing.try_next().await? {
            let (vpn, raw) = vpn.into_parts();
            let vpn = connections.add(SpaceVpnConnection::new(vpn, &space.id).with_raw(raw)).await?;
            has.add(&space, &vpn).await?;
        }
        Ok(())
    };
    spaces.for_each_concurrent(connections_of).await
}
