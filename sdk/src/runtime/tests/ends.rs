//! Relationships with rejected ends.

use std::collections::BTreeSet;

use crate::graph::{Direction, MappedRelationship, MappedRelationshipDeclaration};
use crate::step::Parent;

use super::*;

fn owns(from: &str, to: &str) -> Relationship {
    Relationship {
        class: RelationshipClass::HAS,
        object_type: name("acme_team_has_app"),
        from: key(from),
        to: key(to),
        properties: Default::default(),
    }
}

fn team_has_app() -> RelationshipDeclaration {
    RelationshipDeclaration::new(name("acme_team"), RelationshipClass::HAS, name("acme_app"))
}

fn mapped(source: &str) -> MappedRelationship {
    MappedRelationship {
        class: RelationshipClass::HAS,
        object_type: name("acme_app_has_host"),
        source: key(source),
        direction: Direction::Forward,
        target_filter_keys: vec![vec!["_class".into(), "name".into()]],
        target_entity: [("_class".to_owned(), "Host".into()), ("name".to_owned(), "h".into())].into_iter().collect(),
        skip_target_creation: false,
        properties: Default::default(),
    }
}

/// The way in which an application is rejected.
#[derive(Debug, Clone, Copy)]
enum Refused {
    Not,
    Classless,
    Invalid,
}

/// Teams, two applications of which the second may be rejected, and a step that links both to their team.
fn linked(refused: Refused, links_first: bool) -> Integration {
    let apps = move |context: StepContext| async move {
        context.add_entity(thing("acme_app", "app:0000001"), OnDuplicateKey::Reject).await?;
        let second = thing("acme_app", "app:0000002");
        let second = match refused {
            Refused::Not => second,
            Refused::Classless => Entity { classes: Vec::new(), ..second },
            Refused::Invalid => second.with("name", 7),
        };
        let parent = Parent { object_type: name("acme_team"), key: key("team:000001") };
        context.partition(parent, context.add_entity(second, OnDuplicateKey::Reject)).await
    };
    let links = |context: StepContext| async move {
        let parent = Parent { object_type: name("acme_team"), key: key("team:000001") };
        let all = async {
            for app in ["app:0000001", "app:0000002"] {
                context.add_relationship(owns("team:000001", app)).await?;
                context.add_mapped_relationship(mapped(app)).await?;
            }
            Ok(())
        };
        context.partition(parent, all).await
    };
    let hosts = MappedRelationshipDeclaration {
        object_type: name("acme_app_has_host"),
        class: RelationshipClass::HAS,
        source: name("acme_app"),
        target: name("acme_host"),
        direction: Direction::Forward,
    };
    let (apps, links) = (
        Step::new(id("apps"), "Apps", apps).entity(declared("acme_app")),
        Step::new(id("links"), "Links", links).relationship(team_has_app()).mapped_relationship(hosts),
    );
    let (apps, links) = if links_first { (apps.after("links"), links) } else { (apps, links.after("apps")) };
    of([adding("teams", "acme_team", &["team:000001"]), apps, links])
}

fn step<'a>(summary: &'a Summary, wanted: &str) -> &'a StepReport {
    summary.integration_step_results.iter().find(|step| step.id.as_str() == wanted).expect("the step")
}

#[tokio::test]
async fn a_relationship_to_a_refused_entity_is_left_out_and_is_a_gap_until_the_entity_is_collected() {
    let undisturbed = {
        let bench = Bench::new();
        let (summary, job) = bench.collect(&linked(Refused::Not, false)).await;
        assert_eq!((summary.state, summary.relationships), (JobState::Complete, 4));
        graph(&job).await
    };
    for (refused, validation) in [
        (Refused::Classless, Validation::Off),
        (Refused::Classless, Validation::Warn),
        (Refused::Invalid, Validation::Quarantine),
        (Refused::Invalid, Validation::Fail),
        (Refused::Classless, Validation::Fail),
    ] {
        for links_first in [false, true] {
            let case = format!("{refused:?}, {validation:?}, links first: {links_first}");
            let bench = Bench::new();
            let integration = linked(refused, links_first);
            let (first, _) = bench.run(Job::new(&integration, &bench.store).validation(validation)).await;
            let row = bench.store.job(None).await.expect("a store").expect("the job");
            let (again, job) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
            for summary in [&first, &again] {
                assert_eq!(
                    (summary.state, summary.entities, summary.relationships),
                    (JobState::Partial, 2, 2),
                    "{case}"
                );
                let links = step(summary, "links");
                assert_eq!((links.status.label(), links.objects()), ("partial", 2), "{case}");
                let own: Vec<_> = links.gaps.iter().filter(|gap| gap.inherited_from.is_none()).collect();
                assert_eq!(own.len(), 2, "{case}: {links:?}");
                assert!(own[1].cause.contains("team:000001|has|app:0000002"), "{case}: {own:?}");
            }
            let left = graph(&job).await;
            assert!(left.iter().all(|object| !object.contains("app:0000002")), "{case}: {left:?}");
            let row = bench.store.job(None).await.expect("a store").expect("the job");
            let whole = linked(Refused::Not, links_first);
            let (healed, job) = bench.run(Job::new(&whole, &bench.store).resume(&row)).await;
            assert_eq!((healed.state, graph(&job).await), (JobState::Complete, undisturbed.clone()), "{case}");
        }
    }
}

#[tokio::test]
async fn a_relationship_of_an_entity_that_one_step_described_badly_and_another_well_stays() {
    let describing = |step: &str, classes: &'static [&'static str]| {
        let work = move |context: StepContext| async move {
            let classes = classes.iter().map(|class| Class::literal(class)).collect();
            context.add_entity(Entity { classes, ..thing("acme_app", "app:0000001") }, OnDuplicateKey::Merge).await
        };
        let declaration = EntityDeclaration { on_duplicate_key: OnDuplicateKey::Merge, ..declared("acme_app") };
        Step::new(id(step), step, work).entity(declaration)
    };
    let links = Step::new(id("links"), "Links", |context: StepContext| async move {
        context.add_relationship(owns("team:000001", "app:0000001")).await
    });
    let bench = Bench::new();
    let steps = [
        adding("teams", "acme_team", &["team:000001"]),
        describing("badly", &[]),
        links.relationship(team_has_app()).after("badly"),
        describing("well", &["Record"]).after("links"),
    ];
    let (summary, _) = bench.collect(&of(steps)).await;
    assert_eq!((summary.entities, summary.relationships), (2, 1));
    assert_eq!(step(&summary, "links").objects(), 1);
}

#[tokio::test]
async fn a_relationship_to_an_entity_that_a_resumed_job_does_not_find_again_is_left_out() {
    let teams = |keys: &'static [&'static str], whole: bool| {
        let work = move |context: StepContext| async move {
            for text in keys {
                context.add_entity(thing("acme_team", text), OnDuplicateKey::Reject).await?;
            }
            if !whole {
                context.missing(&name("acme_team"), &StepError::Other("the second page did not come".into()));
            }
            Ok(())
        };
        let apps = |context: StepContext| async move {
            loop {
                let cursor = context.watermark(&name("acme_team")).cursor();
                if cursor.ended {
                    break;
                }
                cursor.changed().await;
            }
            for team in context.page(&name("acme_team"), None, 10).await? {
                let team = key(team["_key"].as_str().expect("a key"));
                let app = format!("app:{team}");
                let parent = Parent { object_type: name("acme_team"), key: team.clone() };
                let one = async {
                    context.add_entity(thing("acme_app", &app), OnDuplicateKey::Reject).await?;
                    context.add_relationship(owns(team.as_str(), &app)).await
                };
                context.partition(parent, one).await?;
            }
            Ok(())
        };
        let apps = Step::new(id("apps"), "Apps", apps).entity(declared("acme_app")).relationship(team_has_app());
        of([Step::new(id("teams"), "Teams", work).entity(declared("acme_team")), apps.follows(name("acme_team"))])
    };
    let bench = Bench::new();
    let (first, _) = bench.collect(&teams(&["team:000001", "team:000002"], false)).await;
    assert_eq!((first.state, first.relationships), (JobState::Partial, 2));
    let row = bench.store.job(None).await.expect("a store").expect("the job");
    let (second, job) = bench.run(Job::new(&teams(&["team:000001"], true), &bench.store).resume(&row)).await;
    let dangling = graph(&job).await.into_iter().filter(|object| object.contains(r#"_fromEntityKey":"team:000002""#));
    assert_eq!((dangling.count(), second.entities), (0, 3));
}

#[tokio::test]
async fn a_relationship_to_an_entity_whose_key_belongs_to_another_type_is_left_out() {
    let has =
        |object_type: &str, from: &str, to: &str| Relationship { object_type: name(object_type), ..owns(from, to) };
    for greater_first in [true, false] {
        // The type `acme_app` is less than `acme_team`, so the application keeps the key.
        let teams = adding("teams", "acme_team", &["shared:0001", "team:000001"]);
        let apps = adding("apps", "acme_app", &["shared:0001", "app:0000001"]);
        let (teams, apps) = if greater_first { (teams, apps.after("teams")) } else { (teams.after("apps"), apps) };
        let links = Step::new(id("links"), "Links", move |context: StepContext| async move {
            context.add_relationship(has("acme_team_has_app", "shared:0001", "app:0000001")).await?;
            context.add_relationship(has("acme_team_has_app", "team:000001", "shared:0001")).await?;
            context.add_relationship(has("acme_app_has_app", "shared:0001", "app:0000001")).await?;
            context.add_mapped_relationship(mapped("shared:0001")).await
        });
        let app_has_app = RelationshipDeclaration::new(name("acme_app"), RelationshipClass::HAS, name("acme_app"));
        let hosts = MappedRelationshipDeclaration {
            object_type: name("acme_app_has_host"),
            class: RelationshipClass::HAS,
            source: name("acme_team"),
            target: name("acme_host"),
            direction: Direction::Forward,
        };
        let links = links.relationship(team_has_app()).relationship(app_has_app).mapped_relationship(hosts);
        let bench = Bench::new();
        let integration = of([teams, apps, links]);
        let (first, _) = bench.collect(&integration).await;
        let row = bench.store.job(None).await.expect("a store").expect("the job");
        let (again, job) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
        for summary in [&first, &again] {
            assert_eq!(
                (summary.state, summary.entities, summary.relationships),
                (JobState::Partial, 3, 2),
                "{summary:?}"
            );
            let own = step(summary, "links").gaps.iter().flat_map(|gap| &gap.types);
            let gaps: BTreeSet<&str> = own.map(ObjectType::as_str).collect();
            assert_eq!(gaps, ["acme_app_has_host", "acme_team_has_app"].into(), "{summary:?}");
        }
        let left = graph(&job).await;
        let of_type = |of: &str| left.iter().filter(|object| object.contains(&format!(r#""_type":"{of}""#))).count();
        assert_eq!((of_type("acme_app_has_app"), of_type("acme_team_has_app")), (1, 1), "{left:?}");
    }
}
