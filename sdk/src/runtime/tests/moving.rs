//! Entities that several parts describe, with the relationships of the description that stays.

use crate::step::Parent;

use super::*;

/// A team that lists one application: its number, and when the application was updated as listed there.
type Listed = (usize, i64);

fn team(number: usize) -> String {
    format!("team:{number:06}")
}

fn owns(number: usize) -> Relationship {
    Relationship {
        class: RelationshipClass::OWNS,
        object_type: name("acme_team_owns_app"),
        from: key(&team(number)),
        to: key("app:0000001"),
        properties: Default::default(),
    }
}

/// A step that collects the application of each of these teams, in this order.
fn listing(teams: &'static [Listed], cancel_after: Option<(usize, CancellationToken)>) -> Integration {
    let work = move |context: StepContext| {
        let cancel_after = cancel_after.clone();
        async move {
            for (at, (number, updated)) in teams.iter().enumerate() {
                let part = async {
                    let app = thing("acme_app", "app:0000001").with("team", team(*number)).with("updatedOn", *updated);
                    context.add_entity(app, OnDuplicateKey::Reject).await?;
                    context.add_relationship(owns(*number)).await?;
                    if let Some((turn, cancel)) = &cancel_after
                        && *turn == at
                    {
                        cancel.cancel();
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                };
                context.partition(Parent { object_type: name("acme_team"), key: key(&team(*number)) }, part).await?;
            }
            Ok(())
        }
    };
    let owns = RelationshipDeclaration::new(name("acme_team"), RelationshipClass::OWNS, name("acme_app"));
    let apps = Step::new(id("apps"), "Apps", work).entity(declared("acme_app")).relationship(owns);
    of([adding("teams", "acme_team", &["team:000001", "team:000002", "team:000003"]), apps.reads(name("acme_team"))])
}

/// The team of the application, and the ends of the relationships to it.
async fn owners(job: &Snapshot) -> (String, Vec<String>) {
    let (mut team, mut owners) = (String::new(), Vec::new());
    for line in graph(job).await {
        let object: serde_json::Value = serde_json::from_str(line.split_once(' ').expect("a step").1).expect("JSON");
        let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        match object["_type"].as_str() {
            Some("acme_app") => team = text("team"),
            Some("acme_team_owns_app") => owners.push(text("_fromEntityKey")),
            _ => {}
        }
    }
    (team, owners)
}

#[tokio::test]
async fn an_entity_has_the_relationships_of_the_description_that_stays_in_whatever_order_they_come() {
    let orders: [&'static [Listed]; 7] = [
        &[(1, 10), (2, 20)],
        &[(2, 20), (1, 10)],
        &[(1, 10), (2, 20), (3, 15)],
        &[(3, 15), (1, 10), (2, 20)],
        &[(2, 20), (3, 15), (1, 10)],
        // The same description in two turns of one parent.
        &[(2, 20), (1, 10), (2, 20)],
        // The lesser text of equal times.
        &[(3, 20), (2, 20)],
    ];
    for order in orders {
        let bench = Bench::new();
        let (summary, job) = bench.collect(&listing(order, None)).await;
        assert_eq!(owners(&job).await, (team(2), vec![team(2)]), "{order:?}");
        assert_eq!((summary.state, summary.relationships), (JobState::Complete, 1), "{order:?}: {summary:?}");
        let step = &summary.integration_step_results[1];
        let counts = &step.encountered_type_counts;
        assert_eq!((counts[&name("acme_app")], counts[&name("acme_team_owns_app")]), (1, 1), "{order:?}");
        assert_eq!(step.skipped[&name("acme_app")].values().sum::<u64>(), 1, "one object: {order:?}");
        assert!(step.skipped.contains_key(&name("acme_team_owns_app")), "{order:?}");
        let named = step.skipped_details[&name("acme_app")].values().flatten();
        assert_eq!(named.collect::<Vec<_>>(), ["app:0000001"], "{order:?}");
    }
}

#[tokio::test]
async fn a_resumed_job_keeps_the_relationships_of_the_description_that_stays() {
    let orders: [&'static [Listed]; 2] = [&[(1, 10), (2, 20), (3, 15)], &[(2, 20), (1, 10), (3, 15)]];
    for (order, turn) in orders.into_iter().flat_map(|order| [(order, 0), (order, 1), (order, 2)]) {
        let bench = Bench::new();
        let cancel = CancellationToken::new();
        let first = listing(order, Some((turn, cancel.clone())));
        Job::new(&first, &bench.store).run(&Values::default(), cancel).await.expect("a summary");
        let row = bench.store.job(None).await.expect("a store").expect("the job");
        let (summary, job) = bench.run(Job::new(&listing(order, None), &bench.store).resume(&row)).await;
        assert_eq!(owners(&job).await, (team(2), vec![team(2)]), "{order:?} {turn}");
        let counts = &summary.integration_step_results[1].encountered_type_counts;
        assert_eq!((summary.state, counts[&name("acme_team_owns_app")]), (JobState::Complete, 1), "{order:?} {turn}");
    }
}

#[tokio::test]
async fn relationships_that_equal_descriptions_brought_stay() {
    let work = |context: StepContext| async move {
        for number in [1, 2] {
            let part = async {
                context.add_entity(thing("acme_app", "app:0000001"), OnDuplicateKey::Reject).await?;
                context.add_relationship(owns(number)).await
            };
            context.partition(Parent { object_type: name("acme_team"), key: key(&team(number)) }, part).await?;
        }
        Ok(())
    };
    let owns = RelationshipDeclaration::new(name("acme_team"), RelationshipClass::OWNS, name("acme_app"));
    let apps = Step::new(id("apps"), "Apps", work).entity(declared("acme_app")).relationship(owns);
    let bench = Bench::new();
    let (summary, job) = bench.collect(&of([apps])).await;
    assert_eq!(owners(&job).await.1, [team(1), team(2)]);
    assert!(summary.integration_step_results[0].skipped.is_empty(), "{summary:?}");
}
