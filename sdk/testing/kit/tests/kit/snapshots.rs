use integration_testing_kit::Collected;

use crate::acme::{ENGINE, integration, provider, provider_of, team, values};

#[tokio::test]
async fn a_snapshot_names_ids_and_times() {
    let (acme, provider) = (integration(), provider().await);
    let collected = Collected::run(&acme, values(&provider)).await;
    insta::assert_json_snapshot!(collected.snapshot().only(["acme_team", "acme_team_has_user"]));
}

#[tokio::test]
async fn a_snapshot_is_the_same_where_only_ids_and_times_are_others() {
    let acme = integration();
    let [first, second] = [("cafe0001", "2024"), ("dead0002", "2021")].map(|(id, year)| {
        let teams = [
            team(&format!("{id}-b"), "Bridge", &format!("{year}-02-01T00:00:00Z")),
            team(&format!("{id}-a"), "Engine", &format!("{year}-03-01T00:00:00Z")),
        ];
        provider_of(teams)
    });
    let (first, second) = (first.await, second.await);
    let first = Collected::run(&acme, values(&first)).await;
    let second = Collected::run(&acme, values(&second)).await;
    assert_eq!(first.snapshot().to_string(), second.snapshot().to_string());
    assert_ne!(first.snapshot().keep_ids().to_value(), second.snapshot().keep_ids().to_value());
    assert_ne!(first.snapshot().keep_times().to_value(), second.snapshot().keep_times().to_value());
}

#[tokio::test]
async fn ids_and_times_are_kept_where_asked_for() {
    let (acme, provider) = (integration(), provider().await);
    let collected = Collected::run(&acme, values(&provider)).await;
    let kept = collected.snapshot().keep_ids().keep_times().with_raw_data().to_value();
    let engine = &kept["entities"]["acme_team"][1];
    assert_eq!((&engine["_key"], &engine["createdOn"]), (&ENGINE.into(), &1_704_067_200_000_i64.into()));
}
