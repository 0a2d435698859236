use integration_testing_kit::fake::{Fault, Reply};
use integration_testing_kit::{
    Collected, assert_complete, assert_entity, assert_graph, assert_missing, assert_relationship,
};

use crate::acme::{BRIDGE, ENGINE, integration, provider, values};
use crate::message;

async fn without_users_of_the_bridge() -> Collected {
    let (acme, provider) = (integration(), provider().await);
    let refused = Reply::new(403, "application/json", "{}");
    provider.fault(Fault::Status(refused).on(&format!("/teams/{BRIDGE}/users")));
    Collected::run(&acme, values(&provider)).await
}

#[tokio::test]
async fn what_is_missing_is_asserted_by_type_and_parent() {
    let collected = without_users_of_the_bridge().await;
    assert_missing!(collected, acme_user under BRIDGE, acme_team_has_user under BRIDGE);
    assert_missing!(collected, acme_team_has_user under BRIDGE);
}

#[tokio::test]
async fn other_gaps_than_expected_are_shown_with_all_that_is_missing() {
    let collected = without_users_of_the_bridge().await;
    let told = message(|| assert_missing!(collected, acme_user under ENGINE));
    let expected = format!(
        "the gaps differ from the expected ones\n\
         expected, but absent:\n  acme_user under \"{ENGINE}\"\n\
         unexpected:\n  acme_user under \"{BRIDGE}\"\n\
         all gaps:\n  acme_team_has_user, acme_user under \"{BRIDGE}\": "
    );
    assert!(told.starts_with(&expected), "{told}");
    assert!(message(|| assert_missing!(collected, acme_team)).contains("acme_team everywhere"));
    assert!(message(|| assert_missing!(collected, acme_user)).contains("acme_user everywhere"));
}

#[tokio::test]
async fn a_run_with_a_gap_is_not_complete_and_the_cause_is_told() {
    let collected = without_users_of_the_bridge().await;
    let told = message(|| assert_complete!(collected));
    assert!(told.starts_with("the run is partial instead of complete\nmissing:\n"), "{told}");
    assert!(told.contains("403") && told.contains("(fetch-users)"), "{told}");
}

#[tokio::test]
async fn other_counts_than_expected_are_a_table_with_what_is_missing() {
    let collected = without_users_of_the_bridge().await;
    assert_graph!(collected, { acme_team: 2, acme_user: 2, acme_team_has_user: 2 });
    let told = message(|| assert_graph!(collected, { acme_team: 2, acme_user: 3, acme_team_has_user: 4 }));
    let table = "  type                expected  found\n  acme_team_has_user         4      2\n  \
                 acme_user                  3      2\nas expected: acme_team\nmissing:\n";
    assert!(told.contains(table), "{told}");
}

#[tokio::test]
async fn an_entity_has_the_properties_that_are_named_and_may_have_others() {
    let collected = without_users_of_the_bridge().await;
    assert_entity!(collected, ENGINE, { _class: ["Team"], name: "Engine", createdOn: 1_704_067_200_000_i64, motto: () });
    assert_entity!(collected, "user-ada-1815", { "email": format!("{}@acme.example", "ada") });
    let told = message(|| assert_entity!(collected, ENGINE, { name: "Motor", motto: "Onwards", _type: "acme_team" }));
    let expected = format!(
        "acme_team \"{ENGINE}\" has unexpected properties:\n  property  expected   found\n  name      \"Motor\"    \"Engine\"\n  \
         motto     \"Onwards\"  (absent)\nas expected: _type\nits properties: _class, _key, _type, createdOn, "
    );
    assert!(told.starts_with(&expected), "{told}");
    assert!(
        message(|| assert_entity!(collected, "user-bob", {})).contains("there is no entity \"user-bob\"; there are: ")
    );
}

#[tokio::test]
async fn a_relationship_is_found_by_its_ends_and_its_class() {
    let collected = without_users_of_the_bridge().await;
    assert_relationship!(collected, ENGINE -[HAS]-> "user-ada-1815");
    assert_relationship!(collected, ENGINE -[HAS]-> "user-ada-1815", { displayName: "HAS", role: () });
    assert_relationship!(collected, (collected.entity(ENGINE)["_key"].as_str().expect("a key")) -[HAS]-> "user-ada-1815", { _type: "acme_team_has_user" });
    let told = message(|| assert_relationship!(collected, BRIDGE -[HAS]-> "user-ada-1815"));
    let expected = format!(
        "there is no \"{BRIDGE}\" -[HAS]-> \"user-ada-1815\"; there are:\n  \"{ENGINE}\" -[HAS]-> \"user-ada-1815\""
    );
    assert_eq!(told, expected);
    let told = message(|| assert_relationship!(collected, "team" -[HAS]-> "user-ada-1815"));
    assert_eq!(told, "there is no \"team\" -[HAS]-> \"user-ada-1815\"; there is no entity \"team\"");
    let told = message(|| assert_relationship!(collected, ENGINE -[OWNS]-> "user-ada-1815"));
    assert!(told.contains("-[OWNS]->") && told.contains("-[HAS]-> \"user-grace-1906\""), "{told}");
    let told = message(|| assert_relationship!(collected, ENGINE -[HAS]-> "user-ada-1815", { role: "owner" }));
    assert!(told.contains("role      \"owner\"   (absent)"), "{told}");
}
