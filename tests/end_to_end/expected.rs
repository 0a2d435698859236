//! The graph that a collection of an organisation must produce.
//!
//! It is derived from the organisation and the rules of the data model, without the code of the integration, so that a
//! mistake in either one becomes visible.

use std::collections::{BTreeMap, BTreeSet};

use integration_heroku::fake::{IdentityProvider, Organisation, PersonId, PipelineOwner, Shared};

/// The type and the class of every object, by key.
pub type Expected = BTreeMap<String, (String, String)>;

const ACCOUNT: &str = "heroku_account";
const TEAM: &str = "heroku_team";
const MEMBER: &str = "heroku_account_member";
const APPLICATION: &str = "heroku_application";
const ADDON: &str = "heroku_addon";
const SERVICE: &str = "heroku_addon_service";
const USER: &str = "heroku_user";
const SPACE: &str = "heroku_space";
const INVITATION: &str = "heroku_team_invitation";
const PIPELINE: &str = "heroku_pipeline";
const PROVIDER: &str = "heroku_identity_provider";
const CERTIFICATE: &str = "heroku_identity_provider_certificate";
const PEERING: &str = "heroku_space_peering";
const VPN: &str = "heroku_space_vpn_connection";

/// Returns the required graph of an organisation.
pub fn graph_of(organisation: &Organisation) -> Expected {
    let mut graph = Expected::new();
    for account in organisation.accounts() {
        entity(&mut graph, account.id, ACCOUNT, "Account");
    }
    for team in organisation.teams() {
        entity(&mut graph, team.id, TEAM, "Team");
        if let Some(account) = team.account {
            relationship(&mut graph, (ACCOUNT, account), "HAS", (TEAM, team.id));
        }
    }
    // A person in several enterprise accounts is one entity.
    let mut members = BTreeSet::new();
    for membership in organisation.account_memberships() {
        if members.insert(membership.person) {
            entity(&mut graph, membership.person, MEMBER, "User");
        }
        relationship(&mut graph, (ACCOUNT, membership.account), "HAS", (MEMBER, membership.person));
    }
    let outside = outside(organisation, &members);
    for person in &outside {
        entity(&mut graph, person, USER, "User");
    }
    let type_of = |person: &PersonId| if outside.contains(person) { USER } else { MEMBER };
    for membership in organisation.team_memberships() {
        if let Some(person) = membership.person {
            relationship(&mut graph, (TEAM, membership.team), "HAS", (type_of(&person), person));
        }
    }
    for space in organisation.spaces() {
        entity(&mut graph, space.id, SPACE, "Network");
        if space.names_team {
            relationship(&mut graph, (TEAM, space.team), "OWNS", (SPACE, space.id));
        }
        for peering in &space.peerings {
            entity(&mut graph, &peering.pcx_id, PEERING, "Gateway");
            relationship(&mut graph, (SPACE, space.id), "HAS", (PEERING, &peering.pcx_id));
        }
        for vpn in &space.vpn_connections {
            entity(&mut graph, vpn.id(), VPN, "Gateway");
            relationship(&mut graph, (SPACE, space.id), "HAS", (VPN, vpn.id()));
        }
    }
    for app in organisation.apps() {
        let space = organisation.spaces().find(|space| app.space.as_deref() == Some(&space.name));
        if let Some(space) = space {
            relationship(&mut graph, (SPACE, space.id), "HAS", (APPLICATION, app.id));
        }
    }
    for access in organisation.access() {
        let to = if matches!(access.to, Shared::App(_)) { APPLICATION } else { SPACE };
        for (person, _) in &access.people {
            relationship(&mut graph, (type_of(person), *person), "ASSIGNED", (to, access.id()));
        }
    }
    for invitation in organisation.invitations() {
        entity(&mut graph, invitation.id, INVITATION, "Record");
        relationship(&mut graph, (TEAM, invitation.team), "HAS", (INVITATION, invitation.id));
        if let Some(sender) = invitation.invited_by {
            relationship(&mut graph, (type_of(&sender), sender), "CREATED", (INVITATION, invitation.id));
        }
    }
    for app in organisation.apps() {
        entity(&mut graph, app.id, APPLICATION, "Application");
        if let Some(team) = app.team {
            relationship(&mut graph, (TEAM, team), "OWNS", (APPLICATION, app.id));
        } else if let Some(owner) = app.owner {
            relationship(&mut graph, (type_of(&owner), owner), "ASSIGNED", (APPLICATION, app.id));
        }
    }
    for addon in organisation.addons() {
        entity(&mut graph, addon.id, ADDON, "Service");
        relationship(&mut graph, (APPLICATION, addon.app), "HAS", (ADDON, addon.id));
    }
    for service in organisation.addon_services() {
        let addons: Vec<_> = organisation.addons().filter(|addon| addon.service() == service.name).collect();
        // A service without add-ons is in the catalogue only.
        if !addons.is_empty() {
            entity(&mut graph, service.id, SERVICE, "Service");
        }
        for addon in addons {
            relationship(&mut graph, (SERVICE, service.id), "HAS", (ADDON, addon.id));
        }
    }
    add_shared(&mut graph, organisation);
    add_sign_in(&mut graph, organisation);
    for pipeline in organisation.pipelines() {
        entity(&mut graph, pipeline.id, PIPELINE, "Workflow");
        match pipeline.owner {
            Some(PipelineOwner::Team(team)) => relationship(&mut graph, (TEAM, team), "OWNS", (PIPELINE, pipeline.id)),
            Some(PipelineOwner::Person(person)) if members.contains(&person) || outside.contains(&person) => {
                relationship(&mut graph, (type_of(&person), person), "OWNS", (PIPELINE, pipeline.id));
            }
            _ => {}
        }
    }
    for coupling in organisation.couplings() {
        relationship(&mut graph, (PIPELINE, coupling.pipeline), "HAS", (APPLICATION, coupling.app));
    }
    graph
}

/// Adds the use of add-ons by other applications. An application may use an add-on under several names.
fn add_shared(graph: &mut Expected, organisation: &Organisation) {
    let home = |attachment: &integration_heroku::fake::Attachment| {
        organisation.addons().find(|addon| addon.id == attachment.addon).map(|addon| addon.app)
    };
    let shared = organisation.attachments().filter(|attachment| home(attachment) != Some(attachment.app));
    let shared: BTreeSet<_> = shared.map(|attachment| (attachment.app, attachment.addon)).collect();
    for (app, addon) in shared {
        relationship(graph, (APPLICATION, app), "USES", (ADDON, addon));
    }
}

/// Adds identity providers with their certificates. A team without its own uses that of its account.
fn add_sign_in(graph: &mut Expected, organisation: &Organisation) {
    let add = |graph: &mut Expected, provider: &IdentityProvider| {
        entity(graph, provider.id, PROVIDER, "Service");
        for certificate in &provider.certificates {
            entity(graph, certificate.id(), CERTIFICATE, "Certificate");
            relationship(graph, (PROVIDER, provider.id), "HAS", (CERTIFICATE, certificate.id()));
        }
    };
    for account in organisation.accounts() {
        if let Some(provider) = &account.identity_provider {
            add(graph, provider);
            relationship(graph, (ACCOUNT, account.id), "USES", (PROVIDER, provider.id));
        }
    }
    for team in organisation.teams() {
        let of_account = team.account.and_then(|account| organisation.account(account)?.identity_provider.as_ref());
        if let Some(provider) = &team.identity_provider {
            add(graph, provider);
        }
        if let Some(provider) = team.identity_provider.as_ref().or(of_account) {
            relationship(graph, (TEAM, team.id), "USES", (PROVIDER, provider.id));
        }
    }
}

/// The people in no enterprise account who are in a team, have access, sent an invitation, or own a personal app.
fn outside(organisation: &Organisation, members: &BTreeSet<PersonId>) -> BTreeSet<PersonId> {
    let in_teams = organisation.team_memberships().filter_map(|membership| membership.person);
    let with_access = organisation.access().flat_map(|access| access.people.iter().map(|(person, _)| *person));
    let senders = organisation.invitations().filter_map(|invitation| invitation.invited_by);
    let personal = organisation.apps().filter(|app| app.team.is_none()).filter_map(|app| app.owner);
    in_teams.chain(with_access).chain(senders).chain(personal).filter(|person| !members.contains(person)).collect()
}

/// The numbers of entities and of relationships.
#[allow(dead_code, reason = "the soak tests use the graph only")]
pub fn sizes(graph: &Expected) -> (u64, u64) {
    let relationships = graph.keys().filter(|key| key.contains('|')).count();
    ((graph.len() - relationships) as u64, relationships as u64)
}

fn entity(graph: &mut Expected, id: impl ToString, object_type: &str, class: &str) {
    add(graph, id.to_string(), object_type.to_owned(), class);
}

fn relationship<F: ToString, T: ToString>(graph: &mut Expected, from: (&str, F), class: &str, to: (&str, T)) {
    let key = format!("{}|{}|{}", from.1.to_string(), class.to_lowercase(), to.1.to_string());
    add(graph, key, relationship_type(from.0, class, to.0), class);
}

fn add(graph: &mut Expected, key: String, object_type: String, class: &str) {
    assert!(
        graph.insert(key.clone(), (object_type, class.to_owned())).is_none(),
        "the expected graph contains {key} twice"
    );
}

/// The type of a relationship: `<from>_<class>_<to>`, where `to` omits the leading words that it shares with `from`.
///
/// The last word of `to` always remains.
fn relationship_type(from: &str, class: &str, to: &str) -> String {
    let words: Vec<&str> = to.split('_').collect();
    let shared = from.split('_').zip(&words).take_while(|(a, b)| a == *b).count().min(words.len() - 1);
    format!("{from}_{}_{}", class.to_lowercase(), words[shared..].join("_"))
}

#[test]
fn a_relationship_s_type_keeps_the_last_word_of_its_end() {
    assert_eq!(relationship_type(ACCOUNT, "HAS", MEMBER), "heroku_account_has_member");
    assert_eq!(relationship_type(TEAM, "HAS", MEMBER), "heroku_team_has_account_member");
    assert_eq!(relationship_type(TEAM, "HAS", TEAM), "heroku_team_has_team");
}
