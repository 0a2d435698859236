//! The graph that a collection of an organisation must produce.
//!
//! It is derived from the organisation and the rules of the data model, without the code of the integration, so that a
//! mistake in either one becomes visible.

use std::collections::{BTreeMap, BTreeSet};

use integration_heroku::fake::Organisation;

/// The type and the class of every object, by key.
pub type Expected = BTreeMap<String, (String, String)>;

const ACCOUNT: &str = "heroku_account";
const TEAM: &str = "heroku_team";
const MEMBER: &str = "heroku_account_member";
const APPLICATION: &str = "heroku_application";
const ADDON: &str = "heroku_addon";

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
    for membership in organisation.team_memberships() {
        if let Some(person) = membership.person.filter(|person| members.contains(person)) {
            relationship(&mut graph, (TEAM, membership.team), "HAS", (MEMBER, person));
        }
    }
    for app in organisation.apps() {
        entity(&mut graph, app.id, APPLICATION, "Application");
        relationship(&mut graph, (TEAM, app.team), "OWNS", (APPLICATION, app.id));
    }
    for addon in organisation.addons() {
        entity(&mut graph, addon.id, ADDON, "Service");
        relationship(&mut graph, (APPLICATION, addon.app), "HAS", (ADDON, addon.id));
    }
    graph
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
