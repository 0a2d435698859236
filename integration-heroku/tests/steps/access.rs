//! Tests of access to applications and spaces, of invitations, and of people in no enterprise account.

use integration_heroku::fake::{
    Access, AccountMembership, App, FakeHeroku, FakeOptions, Fault, Organisation, Permission, Person, Reply, Role,
    Team, TeamMembership,
};
use integration_heroku::integration;
use integration_testing_kit::{
    Collected, assert_complete, assert_entity, assert_graph, assert_missing, assert_relationship,
};
use serde_json::json;

use crate::{collected, sample, small, values};

fn forbidden() -> Fault {
    Fault::Status(Reply::json(403, &json!({"id": "forbidden", "message": "No."})))
}

#[tokio::test]
async fn fetch_access_links_members_and_people_outside_with_their_permissions() {
    let small = small().await;
    let collected = collected(&small, "fetch-access").await;
    let (ada, max, app) = (&small.ada, &small.max, &small.app);
    assert_relationship!(collected, ada -[ASSIGNED]-> app, {
        _type: "heroku_account_member_assigned_application", permissions: ["view", "deploy"], owner: true,
    });
    assert_relationship!(collected, max -[ASSIGNED]-> app, {
        _type: "heroku_user_assigned_application", permissions: ["view"], owner: false,
    });
    assert_entity!(collected, max, {
        _type: "heroku_user", _class: ["User"], name: "max@studio.example", email: "max@studio.example",
        emailDomain: ["studio.example"], shortLoginId: "max", external: true, firstName: (), mfaEnabled: (),
    });
    assert_graph!(collected, {
        heroku_account: 1, heroku_account_has_member: 2, heroku_account_has_team: 1, heroku_account_member: 2,
        heroku_account_member_assigned_application: 1, heroku_account_member_assigned_space: 1, heroku_application: 1,
        heroku_space: 1, heroku_team: 1, heroku_team_owns_application: 1, heroku_team_owns_space: 1, heroku_user: 1,
        heroku_user_assigned_application: 1, heroku_user_assigned_space: 1,
    });
}

#[tokio::test]
async fn fetch_access_links_people_to_spaces() {
    let small = small().await;
    let collected = collected(&small, "fetch-access").await;
    let (lin, max, space) = (&small.lin, &small.max, &small.space);
    let may_create = json!(["create_apps"]);
    assert_relationship!(collected, lin -[ASSIGNED]-> space, {
        _type: "heroku_account_member_assigned_space", permissions: &may_create,
    });
    assert_relationship!(collected, max -[ASSIGNED]-> space, {
        _type: "heroku_user_assigned_space", permissions: &may_create,
    });
}

#[tokio::test]
async fn access_takes_one_request_a_team() {
    let heroku = sample().await;
    Collected::run(&integration(), values(&heroku)).steps(["fetch-access"]).await;
    let paths = heroku.log().into_iter().map(|request| request.path);
    let asked = paths.filter(|path| path.ends_with("/permissions")).count();
    assert_eq!(asked, heroku.organisation().teams().len());
}

#[tokio::test]
async fn fetch_invitations_makes_records_with_their_senders() {
    let small = small().await;
    let collected = collected(&small, "fetch-invitations").await;
    let (team, ada, invitation) = (&small.team, &small.ada, &small.invitation);
    assert_entity!(collected, invitation, {
        _type: "heroku_team_invitation", _class: ["Record"], name: "eve@partner.example", role: "collaborator",
        invitedBy: "ada@kestrel.example", status: "pending", teamId: team,
    });
    assert_relationship!(collected, team -[HAS]-> invitation, { _type: "heroku_team_has_invitation" });
    assert_relationship!(collected, ada -[CREATED]-> invitation, {
        _type: "heroku_account_member_created_team_invitation",
    });
    assert!(collected.of_type("heroku_user").is_empty(), "an invited person has no access yet");
}

#[tokio::test]
async fn a_former_colleague_who_sent_an_invitation_is_a_user() {
    let heroku = sample().await;
    let collected = Collected::run(&integration(), values(&heroku)).steps(["fetch-invitations"]).await;
    let sent = collected.of_type("heroku_user_created_team_invitation");
    assert_eq!((sent.len(), collected.of_type("heroku_user").len()), (1, 1));
    assert_eq!(collected.of_type("heroku_user")[0]["email"], "marek.novak@kestrel.example.com");
}

#[tokio::test]
async fn fetch_team_members_adds_names_and_second_factor_to_people_outside() {
    let heroku = sample().await;
    let collected = Collected::run(&integration(), values(&heroku)).steps(["fetch-team-members"]).await;
    assert_complete!(collected);
    let contractor = &Person::new("ruben.vos@studio.example.org", None).id.to_string();
    assert_entity!(collected, contractor, { _type: "heroku_user", external: true, mfaEnabled: false });
    let team = &Team::new("kestrel-storefront", None).id.to_string();
    assert_relationship!(collected, team -[HAS]-> contractor, { _type: "heroku_team_has_user", role: "collaborator" });
}

/// An account of two members and a team in which one of them and an outsider are. All have access to the application.
async fn mixed() -> (FakeHeroku, [String; 3]) {
    let mut organisation = Organisation::empty();
    let accounts =
        ["wren", "wren-labs"].map(|name| organisation.add_account(integration_heroku::fake::Account::new(name)));
    let team = organisation.add_team(Team::new("data", Some(accounts[0])));
    let people = ["ada@wren.example", "lin@wren.example", "max@studio.example"].map(|email| Person::new(email, None));
    for (account, person) in accounts.into_iter().zip(&people) {
        organisation.add_account_membership(AccountMembership::new(account, person.id, vec![Permission::View]));
    }
    let app = App::new(team, "wren-api");
    let access = people.iter().fold(Access::to_app(&app), |access, person| access.of(person.id, &["view"]));
    organisation.add_access(access);
    organisation.add_app(app);
    let keys = [0, 1, 2].map(|at| people[at].id.to_string());
    for person in people {
        organisation.add_team_membership(TeamMembership::new(team, &person, Role::Member));
        organisation.add_person(person);
    }
    (FakeHeroku::start(organisation, FakeOptions::default()).await.unwrap(), keys)
}

#[tokio::test]
async fn a_person_who_may_be_a_member_of_a_refused_account_is_a_gap_and_no_user() {
    let (heroku, [ada, lin, max]) = mixed().await;
    let labs = heroku.organisation().accounts().nth(1).unwrap().id.to_string();
    heroku.fault(forbidden().on(&format!("/enterprise-accounts/{labs}/members")));
    let collected = Collected::run(&integration(), values(&heroku)).await;
    let team = heroku.organisation().teams().next().unwrap().id.to_string();
    assert_missing!(
        collected,
        heroku_account_has_member under &labs, heroku_account_member under &labs,
        heroku_account_member_assigned_application under &labs, heroku_account_member_assigned_application under &team,
        heroku_account_member_assigned_space under &labs,
        heroku_account_member_created_team_invitation under &labs,
        heroku_team_has_account_member under &labs, heroku_team_has_account_member under &team,
        heroku_team_has_invitation under &labs, heroku_team_has_user under &labs, heroku_team_has_user under &team,
        heroku_team_invitation under &labs, heroku_user under &labs, heroku_user under &team,
        heroku_user_assigned_application under &labs, heroku_user_assigned_application under &team,
        heroku_user_assigned_space under &labs, heroku_user_created_team_invitation under &labs
    );
    let people = collected.of_type("heroku_user");
    assert!(people.is_empty(), "neither Lin nor Max is certainly outside: {people:?}");
    let linked = |person: &str| collected.relationships().filter(|of| of["_fromEntityKey"] == person).count();
    assert_eq!([&ada, &lin, &max].map(|person| linked(person)), [1, 0, 0]);
}

#[tokio::test]
async fn the_gap_closes_when_the_account_answers() {
    let (heroku, [_, lin, max]) = mixed().await;
    let collected = Collected::run(&integration(), values(&heroku)).await;
    assert_complete!(collected);
    assert_entity!(collected, &lin, { _type: "heroku_account_member" });
    assert_entity!(collected, &max, { _type: "heroku_user" });
}

#[tokio::test]
async fn refused_permissions_are_missing_under_their_team_alone() {
    let heroku = sample().await;
    let refused = heroku.organisation().teams().next().unwrap().id.to_string();
    heroku.fault(forbidden().on(&format!("/teams/{refused}/permissions")));
    let collected = Collected::run(&integration(), values(&heroku)).steps(["fetch-access"]).await;
    assert_missing!(
        collected,
        heroku_account_member_assigned_application under &refused, heroku_account_member_assigned_space under &refused,
        heroku_user under &refused, heroku_user_assigned_application under &refused,
        heroku_user_assigned_space under &refused
    );
    assert!(!collected.of_type("heroku_account_member_assigned_application").is_empty());
}

#[tokio::test]
async fn refused_invitations_are_missing_under_their_team_alone() {
    let heroku = sample().await;
    let refused = heroku.organisation().teams().next().unwrap().id.to_string();
    heroku.fault(forbidden().on(&format!("/teams/{refused}/invitations")));
    let collected = Collected::run(&integration(), values(&heroku)).steps(["fetch-invitations"]).await;
    assert_missing!(
        collected,
        heroku_account_member_created_team_invitation under &refused, heroku_team_has_invitation under &refused,
        heroku_team_invitation under &refused, heroku_user under &refused,
        heroku_user_created_team_invitation under &refused
    );
    assert_eq!(collected.of_type("heroku_team_invitation").len(), 2);
}

#[tokio::test]
async fn fetch_spaces_makes_networks_of_their_team_by_one_list() {
    let small = small().await;
    let collected = collected(&small, "fetch-spaces").await;
    let (team, space) = (&small.team, &small.space);
    assert_entity!(collected, space, {
        _class: ["Network"], name: "kestrel-private", teamId: team, region: "virginia", shield: false,
        state: "allocated", generation: "cedar", CIDR: "10.0.0.0/16", dataCIDR: "10.1.0.0/16",
    });
    assert_relationship!(collected, team -[OWNS]-> space);
    let asked = small.heroku.log().into_iter().filter(|request| request.path.ends_with("/spaces")).count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn build_placements_ties_applications_to_their_space() {
    let small = small().await;
    let collected = collected(&small, "build-placements").await;
    let (space, app) = (&small.space, &small.app);
    assert_relationship!(collected, space -[HAS]-> app, { _type: "heroku_space_has_application" });
}
