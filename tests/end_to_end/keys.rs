//! Keys of the scopes `read`, `read` and `identity`, and `global`: the results that the documentation of Heroku lists.

use std::collections::BTreeSet;

use integration_heroku::fake::FakeOptions;
use serde_json::Value;

use crate::harness::{Heroku, Objects, Place, assert_same, assert_same_objects, undisturbed};

/// The types of which only the lists of team members tell everything.
const OF_MEMBERS: [&str; 2] = ["heroku_team_has_account_member", "heroku_team_has_user"];
/// The types of objects that may depend on a person whom only these lists name.
const OF_PEOPLE: [&str; 3] = ["heroku_account_member_owns_pipeline", "heroku_user", "heroku_user_owns_pipeline"];

fn with(scopes: &[&str]) -> Heroku {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    Heroku::with(FakeOptions { scopes, ..FakeOptions::default() })
}

/// The sample's graph without the lists of team members.
///
/// Only these lists contain the names of members, and the second factor of people outside the accounts.
fn without_team_members() -> Objects {
    let mut objects = undisturbed().objects();
    objects.retain(|_, object| !OF_MEMBERS.iter().any(|name| object["_type"] == *name));
    for object in objects.values_mut().filter_map(Value::as_object_mut) {
        let lost = match object["_type"] == "heroku_user" {
            true => ["mfaEnabled"].as_slice(),
            false => &["firstName", "lastName"],
        };
        object.retain(|name, _| !lost.contains(&name.as_str()));
    }
    objects
}

#[test]
fn without_global_only_the_members_of_teams_are_missing_and_without_identity_the_owner_too() {
    for (scopes, has_owner) in [(["read"].as_slice(), false), (&["read", "identity"], true)] {
        let heroku = with(scopes);
        let place = Place::before(&heroku);
        let (said, graph) = place.collect("");
        assert_eq!(said.code, 3, "{scopes:?}: {}", said.all());
        assert_eq!(
            said.err.contains("the owner of the credentials is unknown"),
            !has_owner,
            "{scopes:?}: {}",
            said.err
        );
        let summary = said.summary();
        assert_eq!((summary.state(), summary.status("fetch-team-members")), ("partial", "failure"));
        assert_eq!(summary.partial(), OF_MEMBERS.into_iter().chain(OF_PEOPLE).collect());
        let gaps = summary.gaps("fetch-team-members");
        let under: BTreeSet<_> = gaps.iter().filter_map(|gap| gap.under().map(str::to_owned)).collect();
        assert_eq!(under, heroku.organisation().teams().map(|team| team.id.to_string()).collect());
        for gap in gaps {
            assert_eq!((gap.code(), gap.parent_type()), ("PROVIDER_AUTHORIZATION_ERROR", Some("heroku_team")));
            assert!(gap.cause().contains("accepts scopes: global"), "{gap:?}");
            assert!(gap.cause().contains("request f00d0000"), "{gap:?}");
        }
        let inherited = summary.gaps("build-pipeline-owners");
        assert!(inherited.iter().all(|gap| gap.inherited_from() == Some("fetch-team-members")), "{inherited:?}");
        assert_same_objects(&graph.objects(), &without_team_members());
        let checked = place.run("validate data --input out");
        assert_eq!(checked.code, 0, "{}", checked.all());
    }
}

#[test]
fn with_global_nothing_is_missing() {
    let heroku = with(&["global"]);
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!((said.code, said.summary().state()), (0, "complete"), "{}", said.all());
    assert!(!said.err.contains("is unknown"), "{}", said.err);
    assert_same(&graph, undisturbed());
}
