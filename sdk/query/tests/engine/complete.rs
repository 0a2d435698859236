//! Completeness: gaps and stale objects of the types that a query touched.

use std::sync::Arc;

use futures::executor::block_on;
use integration_graph::history::SnapshotGap;
use integration_graph::run::ErrorCode;
use integration_graph::{InstanceId, ObjectType, StepId};
use integration_query::graph::{AccountGraph, UnpublishedInstance};
use integration_query::{Catalogue, DeclaredType, Options, Reason, run};
use integration_store::{GraphReader, MemoryGraph, StoredObject};
use serde_json::{Value, json};

use crate::support::{edge, entity, open, options};

fn objects() -> Vec<Value> {
    vec![
        entity("acme_team", json!("Team"), "red", json!({})),
        entity("acme_user", json!("User"), "ann", json!({})),
        entity("acme_app", json!("Application"), "app", json!({})),
        edge("red", "HAS", "ann", json!({})),
        edge("red", "OWNS", "app", json!({})),
    ]
}

fn gap(types: &[&'static str]) -> SnapshotGap {
    SnapshotGap {
        step: StepId::literal("fetch"),
        types: types.iter().map(|name| ObjectType::literal(name)).collect(),
        parent: None,
        code: ErrorCode::NotCollected,
        cause: "the provider did not respond".to_owned(),
    }
}

fn with_gap(types: &[&'static str]) -> AccountGraph {
    open(vec![MemoryGraph::of(objects()).expect("valid objects").with_gaps([gap(types)])])
}

fn reasons(graph: &AccountGraph, text: &str, options: &Options) -> usize {
    block_on(run(text, graph, options)).expect("a valid query").incomplete.len()
}

#[test]
fn a_gap_of_a_touched_type_is_reported() {
    let (users, edges) = (with_gap(&["acme_user"]), with_gap(&["acme_has"]));
    let options = options();
    assert_eq!(reasons(&users, "find User", &options), 1);
    assert_eq!(reasons(&users, "find Team that has User", &options), 1);
    assert_eq!(reasons(&users, "find Team that !has User", &options), 1);
    assert_eq!(reasons(&users, "find Team", &options), 0);
    assert_eq!(reasons(&users, "find Team that owns Application", &options), 0);
    assert_eq!(reasons(&edges, "find Team that has User", &options), 1);
    assert_eq!(reasons(&edges, "find Team that relates to User", &options), 1);
    assert_eq!(reasons(&edges, "find Team that owns Application", &options), 0);
    assert_eq!(reasons(&edges, "find Team", &options), 0);
}

#[test]
fn missing_data_adds_rows_of_negated_steps_and_optional_parts() {
    let may_add_rows = |graph: &AccountGraph, text: &str, options: &Options| {
        let [incomplete] =
            block_on(run(text, graph, options)).expect("a valid query").incomplete.try_into().expect(text);
        let integration_query::Incomplete { may_add_rows, .. } = incomplete;
        may_add_rows
    };
    let of_gap = |types, text| may_add_rows(&with_gap(types), text, &options());
    for (types, text, expected) in [
        (&["acme_user"], "find Team that !has User", true),
        (&["acme_has"], "find Team that !has User", true),
        (&["acme_has"], "find Team that !relates to User that owns Application", true),
        (&["acme_user"], "find Team as t (that has User as u)? where u = undefined return t.name", true),
        (&["acme_has"], "find Team (that has User)?", true),
        (&["acme_team"], "find Team that !has User", false),
        (&["acme_team"], "find Team (that has User)?", false),
        (&["acme_owns"], "find Team that !has User that owns Application", false),
        (&["acme_user"], "find Team that has User", false),
        (&["acme_user"], "find User", false),
    ] {
        assert_eq!(of_gap(types, text), expected, "{types:?} {text}");
    }
    let options = Options { catalogue: Arc::new(of_two_integrations()), ..options() };
    let graph = open(vec![MemoryGraph::of(objects()).expect("valid objects")]);
    assert!(may_add_rows(&graph, "find User that !is crew_person", &options));
    assert!(!may_add_rows(&graph, "find User that is crew_person", &options));
    let missing = UnpublishedInstance {
        integration: "crew".to_owned(),
        instance: InstanceId::literal("east"),
        cause: "the credentials were refused".to_owned(),
    };
    let graph = graph.with_unpublished(vec![missing]);
    assert!(may_add_rows(&graph, "find Team that !has Person", &options));
    assert!(!may_add_rows(&graph, "find Person that !has Team", &options));
}

#[test]
fn a_gap_of_a_type_without_objects_concerns_selectors_that_may_select_it() {
    let graph = with_gap(&["acme_device"]);
    assert_eq!(reasons(&graph, "find Device", &options()), 1);
    assert_eq!(reasons(&graph, "find User", &options()), 1, "the class of the type is unknown");
    assert_eq!(reasons(&graph, "find acme_user", &options()), 0);
    let declared = DeclaredType { classes: ["Device".to_owned()].into(), ..DeclaredType::default() };
    let catalogue = Catalogue { entities: [("acme_device".to_owned(), declared)].into(), ..Catalogue::default() };
    let options = Options { catalogue: Arc::new(catalogue), ..options() };
    assert_eq!(reasons(&graph, "find Device", &options), 1);
    assert_eq!(reasons(&graph, "find User", &options), 0);
}

#[test]
fn a_gap_of_a_relationship_without_objects_concerns_hops_between_its_ends() {
    let graph = with_gap(&["acme_app_has_device"]);
    assert_eq!(reasons(&graph, "find Team that has User", &options()), 1, "the ends of the type are unknown");
    let ends = ("acme_app".to_owned(), "acme_device".to_owned());
    let declared = DeclaredType { classes: ["HAS".to_owned()].into(), ends: [ends].into(), ..DeclaredType::default() };
    let device = DeclaredType { classes: ["Device".to_owned()].into(), ..DeclaredType::default() };
    let catalogue = Catalogue {
        entities: [("acme_device".to_owned(), device)].into(),
        relationships: [("acme_app_has_device".to_owned(), declared)].into(),
    };
    let options = Options { catalogue: Arc::new(catalogue), ..options() };
    let of = |text| reasons(&graph, text, &options);
    assert_eq!((of("find Team that has User"), of("find Application that has User")), (0, 0));
    assert_eq!((of("find Application that has Device"), of("find Device that has Application")), (1, 1));
    assert_eq!((of("find Team that owns Application that !has Device"), of("find Application that has *")), (1, 1));
}

#[test]
fn a_disabled_step_concerns_selectors_that_name_its_types() {
    let disabled = SnapshotGap { code: ErrorCode::StepDisabled, ..gap(&["acme_device", "acme_app_has_device"]) };
    let graph = open(vec![MemoryGraph::of(objects()).expect("valid objects").with_gaps([disabled])]);
    let of_class = |class: &str| DeclaredType { classes: [class.to_owned()].into(), ..DeclaredType::default() };
    let ends = [("acme_app".to_owned(), "acme_device".to_owned())].into();
    let catalogue = Catalogue {
        entities: [("acme_device".to_owned(), of_class("Device"))].into(),
        relationships: [("acme_app_has_device".to_owned(), DeclaredType { ends, ..of_class("HAS") })].into(),
    };
    let options = Options { catalogue: Arc::new(catalogue), ..options() };
    let of = |text| reasons(&graph, text, &options);
    assert_eq!((of("find Device"), of("find acme_device"), of("find Application that has Device")), (1, 1, 1));
    assert_eq!((of("find * that has Device"), of("find Application that !has acme_device")), (1, 1));
    assert_eq!((of("find *"), of("find Application that has *"), of("find * that relates to *")), (0, 0, 0));
}

#[test]
fn stale_objects_of_a_touched_type_are_counted() {
    let step = StepId::literal("fetch");
    let stored = objects().into_iter().map(|json| {
        let object = StoredObject::from_json(step.clone(), json).expect("a valid object");
        StoredObject { is_stale: object.object_type.as_str() == "acme_user", ..object }
    });
    let id = MemoryGraph::of([]).expect("an empty graph").id();
    let graph = open(vec![MemoryGraph::new(id, stored)]);
    let answer = block_on(run("find Team that has User", &graph, &options())).expect("a valid query");
    let [incomplete] = answer.incomplete.as_slice() else { panic!("{:?}", answer.incomplete) };
    let expected = Reason::Stale { object_type: ObjectType::literal("acme_user"), objects: 1 };
    assert_eq!((&incomplete.reason, &incomplete.instance), (&expected, &Some(InstanceId::default())));
    assert_eq!(reasons(&graph, "find Team", &options()), 0);
    assert_eq!(block_on(run("find User with _stale = true", &graph, &options())).expect("a valid query").total, 1);
}

/// The catalogue of the integration of all graphs here, and of one that declares people.
fn of_two_integrations() -> Catalogue {
    let of = |integration: &str, class: &str| DeclaredType {
        classes: [class.to_owned()].into(),
        integrations: [integration.to_owned()].into(),
        ..DeclaredType::default()
    };
    let id = MemoryGraph::of([]).expect("an empty graph").id();
    let own = |class| of(&id.integration, class);
    Catalogue {
        entities: [
            ("acme_user".to_owned(), own("User")),
            ("acme_team".to_owned(), own("Team")),
            ("crew_person".to_owned(), of("crew", "Person")),
            ("crew_login".to_owned(), of("crew", "User")),
        ]
        .into(),
        relationships: [("acme_has".to_owned(), own("HAS")), ("crew_is".to_owned(), of("crew", "IS"))].into(),
    }
}

#[test]
fn an_integration_without_a_graph_concerns_the_names_that_it_alone_declares() {
    let graph = open(vec![MemoryGraph::of(objects()).expect("valid objects")]);
    let options = Options { catalogue: Arc::new(of_two_integrations()), ..options() };
    let of = |text: &str| {
        let found = block_on(run(text, &graph, &options)).expect("a valid query").incomplete;
        assert!(found.iter().all(|one| one.instance.is_none() && one.reason == Reason::NotCollected), "{found:?}");
        found.into_iter().map(|one| one.integration).collect::<Vec<_>>()
    };
    for text in ["find crew_person", "find Person", "find crew_login", "find (User|Person)", "find User that is User"] {
        assert_eq!(of(text), ["crew"], "{text}");
    }
    for text in ["find *", "find User", "find Team that has User", "find User that relates to *"] {
        assert_eq!(of(text), [""; 0], "{text}");
    }
}

#[test]
fn an_instance_without_a_graph_concerns_all_types_of_its_integration() {
    let id = MemoryGraph::of([]).expect("an empty graph").id();
    let missing = |integration: &str| UnpublishedInstance {
        integration: integration.to_owned(),
        instance: InstanceId::literal("east"),
        cause: "the credentials were refused".to_owned(),
    };
    let with = |integration: &str| {
        open(vec![MemoryGraph::of(objects()).expect("valid objects")]).with_unpublished(vec![missing(integration)])
    };
    let options = Options { catalogue: Arc::new(of_two_integrations()), ..options() };
    let own = with(&id.integration);
    let of = |graph: &AccountGraph, text: &str| reasons(graph, text, &options);
    assert_eq!((of(&own, "find User"), of(&own, "find *"), of(&own, "find Team that has User")), (1, 1, 1));
    assert_eq!((of(&own, "find acme_app"), of(&own, "find Application")), (0, 0), "no type of this integration");
    let crew = with("crew");
    assert_eq!((of(&crew, "find Person"), of(&crew, "find User"), of(&crew, "find *")), (1, 1, 1));
    assert_eq!((of(&crew, "find Team"), of(&crew, "find acme_user")), (0, 0));
    // The types of an integration of another program are unknown.
    let foreign = with("foreign");
    assert_eq!((of(&foreign, "find User"), of(&foreign, "find *"), of(&foreign, "find foreign_x")), (1, 1, 1));
    assert_eq!(of(&foreign, "find acme_user"), 0);
}
