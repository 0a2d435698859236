//! Tests of each step and of the whole integration against a small fake Heroku.
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod access;
mod details;
mod lists;

use integration_heroku::fake::{
    Access, Account, AccountMembership, Addon, App, FakeHeroku, FakeOptions, Fault, Invitation, Organisation,
    Permission, Person, Reply, Role, Space, Team, TeamMembership,
};
use integration_heroku::integration;
use integration_testing_kit::{
    Collected, assert_complete, assert_entity, assert_graph, assert_missing, assert_relationship,
};
use serde_json::json;

/// A fake Heroku with one object of each kind, and the keys of these objects.
///
/// The one account has two members, of whom only Ada is in the team. Max is in no account, but has access to the
/// application. Ada has invited Eve to the team.
struct Small {
    heroku: FakeHeroku,
    account: String,
    team: String,
    ada: String,
    lin: String,
    app: String,
    addon: String,
    max: String,
    space: String,
    invitation: String,
}

async fn small() -> Small {
    let mut organisation = Organisation::empty();
    let account = organisation.add_account(Account::new("kestrel"));
    let team = organisation.add_team(Team::new("data", Some(account)));
    let ada = Person::new("ada@kestrel.example", Some("Ada Lovelace"));
    organisation.add_team_membership(TeamMembership::new(team, &ada, Role::Admin));
    let people = [ada, Person::new("lin@kestrel.example", None)].map(|person| organisation.add_person(person));
    for person in people {
        organisation.add_account_membership(AccountMembership::new(account, person, vec![Permission::ALL[0]]));
    }
    let max = Person::new("max@studio.example", None);
    let space = Space::new("kestrel-private", team);
    let app = App { owner: Some(people[0]), space: Some("kestrel-private".into()), ..App::new(team, "kestrel-api") };
    let access = Access::to_app(&app).of(people[0], &["view", "deploy"]).of(max.id, &["view"]);
    organisation.add_access(access);
    organisation.add_access(Access::to_space(&space).of(people[1], &["create_apps"]).of(max.id, &["create_apps"]));
    let eve = Person::new("eve@partner.example", Some("Eve"));
    let invited = Invitation::new(team, &eve, people[0], Role::Collaborator);
    let (max_key, space_key, invitation) = (max.id.to_string(), space.id.to_string(), invited.id.to_string());
    organisation.add_invitation(invited);
    organisation.add_space(space);
    organisation.add_person(max);
    organisation.add_person(eve);
    let addon = Addon::new(&app, "postgresql-curly-1", "heroku-postgresql:standard-0");
    let [ada, lin] = people.map(|person| person.to_string());
    let (account, team, app_key) = (account.to_string(), team.to_string(), app.id.to_string());
    let addon_key = addon.id.to_string();
    organisation.add_app(app);
    organisation.add_addon(addon);
    let heroku = FakeHeroku::start(organisation, FakeOptions::default()).await.unwrap();
    Small {
        heroku,
        account,
        team,
        ada,
        lin,
        app: app_key,
        addon: addon_key,
        max: max_key,
        space: space_key,
        invitation,
    }
}

fn values(heroku: &FakeHeroku) -> [(&'static str, String); 2] {
    [("HEROKU_API_KEY", heroku.token().to_owned()), ("HEROKU_API_URL", heroku.url())]
}

async fn collected(small: &Small, step: &str) -> Collected {
    let collected = Collected::run(&integration(), values(&small.heroku)).steps([step]).await;
    assert_complete!(collected);
    collected
}

#[tokio::test]
async fn fetch_account_makes_an_account_of_each_enterprise_account() {
    let small = small().await;
    let collected = collected(&small, "fetch-account").await;
    assert_graph!(collected, { heroku_account: 1 });
    assert_entity!(collected, &small.account, { _class: ["Account"], name: "kestrel", vendor: "Heroku", trial: false });
}

#[tokio::test]
async fn fetch_teams_makes_teams_of_their_account() {
    let small = small().await;
    let collected = collected(&small, "fetch-teams").await;
    assert_graph!(collected, { heroku_account: 1, heroku_team: 1, heroku_account_has_team: 1 });
    let (account, team) = (&small.account, &small.team);
    assert_entity!(collected, team, { _class: ["Team"], name: "data", enterpriseAccountId: account, role: "admin" });
    assert_relationship!(collected, account -[HAS]-> team);
}

#[tokio::test]
async fn fetch_members_makes_people_by_their_own_ids_and_invents_no_names() {
    let small = small().await;
    let collected = collected(&small, "fetch-members").await;
    assert_graph!(collected, { heroku_account: 1, heroku_account_member: 2, heroku_account_has_member: 2 });
    assert_entity!(collected, &small.ada, {
        _class: ["User"], name: "ada@kestrel.example", username: "ada@kestrel.example", email: "ada@kestrel.example",
        emailDomain: ["kestrel.example"], shortLoginId: "ada", mfaEnabled: true, active: true,
        enterpriseAccountId: [&small.account], permissions: [Permission::ALL[0].name()], firstName: (), lastName: (),
    });
    let (account, lin) = (&small.account, &small.lin);
    assert_relationship!(collected, account -[HAS]-> lin);
}

#[tokio::test]
async fn fetch_team_members_tells_roles_and_the_names_that_it_hears() {
    let small = small().await;
    let collected = collected(&small, "fetch-team-members").await;
    let (team, ada) = (&small.team, &small.ada);
    assert_relationship!(collected, team -[HAS]-> ada, { _type: "heroku_team_has_account_member", role: "admin" });
    assert_entity!(collected, ada, { firstName: "Ada", lastName: "Lovelace" });
    assert_entity!(collected, &small.lin, { firstName: (), lastName: () });
}

#[tokio::test]
async fn fetch_apps_makes_applications_of_their_team() {
    let small = small().await;
    let collected = collected(&small, "fetch-apps").await;
    let (team, app) = (&small.team, &small.app);
    assert_entity!(collected, app, { _class: ["Application"], name: "kestrel-api", teamId: team, region: "us" });
    assert_relationship!(collected, team -[OWNS]-> app);
}

#[tokio::test]
async fn fetch_addons_makes_services_by_one_list_a_team() {
    let small = small().await;
    let collected = collected(&small, "fetch-addons").await;
    assert_entity!(collected, &small.addon, {
        _class: ["Service"], category: ["platform"], function: ["database"], service: "heroku-postgresql",
        applicationId: &small.app, state: "provisioned", priceCents: 5_000, priceByUse: false, billingEntityType: "app",
    });
    let asked = small.heroku.log().into_iter().filter(|request| request.path.ends_with("/addons"));
    let asked: Vec<String> = asked.map(|request| request.path).collect();
    assert_eq!(asked, [format!("/teams/{}/addons", small.team)]);
}

#[tokio::test]
async fn build_relationships_ties_add_ons_to_their_applications() {
    let small = small().await;
    let collected = collected(&small, "build-relationships").await;
    let (app, addon) = (&small.app, &small.addon);
    assert_relationship!(collected, app -[HAS]-> addon, { _type: "heroku_application_has_addon" });
}

#[tokio::test]
async fn the_graph_of_a_small_organisation_is_the_one_that_was_reviewed() {
    let small = small().await;
    let collected = Collected::run(&integration(), values(&small.heroku)).await;
    insta::assert_json_snapshot!(collected.snapshot());
}

async fn sample() -> FakeHeroku {
    FakeHeroku::start(Organisation::sample(), FakeOptions::default()).await.unwrap()
}

#[tokio::test]
async fn the_sample_meets_all_that_the_plugin_declares() {
    let heroku = sample().await;
    let integration = integration();
    let run = Collected::run(&integration, values(&heroku));
    let sources = details::SOURCES.into_iter().chain(["usage"]);
    let collected = sources.fold(run, |run, source| run.source(source, true)).await;
    assert_complete!(collected);
    // No person of the sample has a tagged address; the types have their own tests of it.
    let untagged = ["heroku_account_member.untaggedEmail", "heroku_user.untaggedEmail"];
    collected.coverage().except(untagged).assert_whole();
}

#[tokio::test]
async fn the_entities_of_the_sample_are_those_of_its_organisation() {
    let heroku = sample().await;
    let collected = Collected::run(&integration(), values(&heroku)).await;
    let organisation = heroku.organisation();
    assert_eq!(collected.of_type("heroku_team").len(), organisation.teams().len());
    assert_eq!(collected.of_type("heroku_application").len(), organisation.apps().len());
    for team in organisation.teams() {
        assert_entity!(collected, &team.id.to_string(), { name: &team.name });
    }
}

#[tokio::test]
async fn a_team_whose_members_are_refused_is_missing_alone() {
    let heroku = sample().await;
    let refused = heroku.organisation().teams().next().unwrap().id.to_string();
    let refusal = Reply::json(403, &json!({"id": "forbidden", "message": "No."}));
    heroku.fault(Fault::Status(refusal).on(&format!("/teams/{refused}/members")));
    let collected = Collected::run(&integration(), values(&heroku)).steps(["fetch-team-members"]).await;
    assert_missing!(collected, heroku_team_has_account_member under &refused);
    assert!(!collected.of_type("heroku_team_has_account_member").is_empty());
}
