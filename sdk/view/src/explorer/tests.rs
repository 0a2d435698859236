use std::collections::BTreeMap;

use super::discs::Map;
use super::*;

fn node(key: &str, object_type: &str) -> GraphNode {
    GraphNode {
        key: key.into(),
        object_type: object_type.into(),
        classes: vec!["Thing".into()],
        name: format!("name of {key}"),
        json: format!("{{\"_key\":\"{key}\"}}"),
        change: Change::Same,
    }
}

fn edge(from: &str, class: &str, to: &str) -> GraphEdge {
    GraphEdge {
        key: format!("{from}|{}|{to}", class.to_lowercase()),
        object_type: format!("t_{class}"),
        class: class.into(),
        from: from.into(),
        to: to.into(),
        ..GraphEdge::default()
    }
}

fn graph(nodes: &[(&str, &str)], edges: &[(&str, &str, &str)]) -> GraphPicture {
    GraphPicture {
        title: "Test".into(),
        nodes: nodes.iter().map(|(key, object_type)| node(key, object_type)).collect(),
        edges: edges.iter().map(|(from, class, to)| edge(from, class, to)).collect(),
        ..GraphPicture::default()
    }
}

/// An account with teams, with people in one or several of them, and with many applications.
fn company() -> GraphPicture {
    let mut graph = graph(&[("account", "account")], &[]);
    for team in 0..6 {
        graph.nodes.push(node(&format!("team-{team}"), "team"));
        graph.edges.push(edge("account", "HAS", &format!("team-{team}")));
        for app in 0..40 {
            let key = format!("app-{team}-{app}");
            graph.nodes.push(node(&key, "app"));
            graph.edges.push(edge(&format!("team-{team}"), "OWNS", &key));
        }
    }
    for person in 0..60 {
        let key = format!("person-{person}");
        graph.nodes.push(node(&key, "person"));
        graph.edges.push(edge("account", "HAS", &key));
        for team in 0..=person % 3 {
            graph.edges.push(edge(&format!("team-{}", (person + team) % 6), "HAS", &key));
        }
    }
    graph
}

fn html(graph: &GraphPicture) -> String {
    let mut page = Vec::new();
    write_html(graph, &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

fn columns(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("id=\"graph\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn parents_of(graph: &GraphPicture) -> BTreeMap<String, String> {
    let index = Index::of(graph);
    let parents = hierarchy::parents(&index);
    let key = |at: usize| index.nodes[at].key.clone();
    parents.iter().enumerate().filter_map(|(at, parent)| parent.map(|parent| (key(at), key(parent)))).collect()
}

#[test]
fn the_same_objects_give_the_same_bytes_in_any_order_on_any_number_of_threads() {
    let graph = company();
    let mut turned = graph.clone();
    turned.nodes.reverse();
    turned.edges.rotate_left(17);
    let on = |threads: usize, graph: &GraphPicture| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| html(graph))
    };
    let page = on(1, &graph);
    assert!(page == on(3, &graph) && page == on(2, &turned));
}

#[test]
fn everything_lies_in_the_disc_that_it_belongs_to_and_nothing_on_anything_else() {
    let graph = company();
    let index = Index::of(&graph);
    let Map { discs, order, places } = discs::map(&index);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..graph.nodes.len()));
    for disc in &discs {
        for &node in &order[disc.start..disc.end] {
            let (x, y, radius) = places[node];
            assert!((x - disc.x).hypot(y - disc.y) + radius <= disc.radius + 1e-6);
        }
    }
    for (at, a) in places.iter().enumerate() {
        for b in &places[..at] {
            assert!((a.0 - b.0).hypot(a.1 - b.1) > a.2 + b.2 - 0.1, "{a:?} {b:?}");
        }
    }
}

#[test]
fn many_leaves_of_one_type_get_a_disc_of_their_own() {
    let graph = company();
    let map = discs::map(&Index::of(&graph));
    // Two teams have applications and a few people, so the applications form a disc there. Four have applications only,
    // so their discs are collections already. The account has forty people in addition to its teams.
    let collections = map.discs[1..].iter().filter(|disc| disc.node.is_none()).count();
    assert_eq!((map.discs.len(), collections), (1 + 1 + 6 + 3, 3));
}

#[test]
fn a_person_in_one_team_belongs_to_it_and_in_several_to_the_account() {
    let parents = parents_of(&graph(
        &[("a", "account"), ("t1", "team"), ("t2", "team"), ("p1", "person"), ("p2", "person"), ("p3", "person")],
        &[
            ("a", "HAS", "t1"),
            ("a", "HAS", "t2"),
            ("a", "HAS", "p1"),
            ("t1", "HAS", "p1"),
            ("a", "HAS", "p2"),
            ("t1", "HAS", "p2"),
            ("t2", "HAS", "p2"),
            ("t2", "USES", "p3"),
        ],
    ));
    let found = |key: &str| parents.get(key).map(String::as_str);
    assert_eq!((found("t1"), found("p1"), found("p2"), found("p3")), (Some("a"), Some("t1"), Some("a"), None));
}

#[test]
fn owners_in_a_circle_still_give_a_map() {
    let graph = graph(
        &[("a", "x"), ("b", "x"), ("c", "y"), ("d", "z")],
        &[("a", "HAS", "b"), ("b", "HAS", "a"), ("a", "OWNS", "a"), ("c", "HAS", "d"), ("d", "HAS", "c")],
    );
    assert_eq!(discs::map(&Index::of(&graph)).order.len(), 4);
    assert_eq!(columns(&html(&graph))["from"].as_array().unwrap().len(), 5);
}

#[test]
fn a_long_chain_of_owners_does_not_exhaust_the_stack() {
    let keys: Vec<String> = (0..3_000).map(|at| format!("{at:05}")).collect();
    let mut graph =
        GraphPicture { nodes: keys.iter().map(|key| node(key, "folder")).collect(), ..GraphPicture::default() };
    graph.edges = keys.windows(2).map(|pair| edge(&pair[0], "CONTAINS", &pair[1])).collect();
    assert_eq!(discs::map(&Index::of(&graph)).order.len(), 3_000);
}

#[test]
fn a_relationship_to_what_is_not_there_is_listed_and_not_drawn() {
    let page = columns(&html(&graph(&[("a", "x")], &[("a", "HAS", "lost"), ("gone", "HAS", "a")])));
    assert_eq!(page["from"], serde_json::json!([]));
    assert_eq!(page["dangling"][1], serde_json::json!(["gone|has|a", "t_HAS", "HAS", "gone", "a", 0]));
}

#[test]
fn hostile_texts_stay_inside_their_elements() {
    let bad = "</script><script>alert(1)</script><!--";
    let mut graph = graph(&[(bad, bad)], &[(bad, bad, "lost")]);
    graph.title = bad.into();
    graph.subtitle = bad.into();
    graph.missing = vec![bad.into()];
    graph.nodes[0].classes = vec![bad.into()];
    graph.nodes[0].name = bad.into();
    graph.nodes[0].json = format!("{{\"x\": \"{bad}\"}}");
    graph.nodes[0].change = Change::Changed { before: bad.into(), unknown: vec![bad.into()] };
    let page = html(&graph);
    assert!(!page.contains("alert(1)</script>") && !page.contains("<!--"));
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(columns(&page)["key"][0], bad);
}

#[test]
fn objects_stand_in_blocks_line_by_line_in_the_order_of_the_columns() {
    let mut graph = company();
    graph.nodes[3].change = Change::Changed { before: "{\"old\":\n1}".into(), unknown: vec!["old".into()] };
    let page = html(&graph);
    let block = |id: &str| -> Vec<&str> {
        let (_, rest) = page.split_once(&format!("id=\"{id}\">")).unwrap();
        rest.split_once("</script>").unwrap().0.lines().collect()
    };
    let lines: Vec<&str> = ["n0", "n1", "n2"].into_iter().flat_map(block).collect();
    let columns = columns(&page);
    for (at, key) in columns["key"].as_array().unwrap().iter().enumerate() {
        assert!(lines[at].starts_with(&format!("{{\"_key\":{key}}}")), "{at}: {}", lines[at]);
    }
    assert_eq!(lines.iter().filter(|line| line.ends_with("\t{\"old\": 1}\t[\"old\"]")).count(), 1);
    assert!(!page.contains("id=\"e0\""), "relationships without JSON need no block");
    assert_eq!(columns["change"].as_array().unwrap().iter().filter(|code| **code == 3).count(), 1);
}

#[test]
fn without_a_comparison_there_is_no_column_of_changes() {
    assert!(columns(&html(&company())).get("change").is_none());
}

#[test]
fn what_is_missing_stands_above_the_picture() {
    let page = |missing: &[&str]| {
        html(&GraphPicture { missing: missing.iter().map(|line| (*line).to_owned()).collect(), ..company() })
    };
    assert!(page(&["No <teams>"]).contains("<div id=\"missing\" role=\"note\"><p>No &lt;teams&gt;</p></div>"));
    assert!(!page(&[]).contains("id=\"missing\""));
}

#[test]
fn nothing_at_all_is_a_page_too() {
    let page = html(&GraphPicture::default());
    assert_eq!(columns(&page)["discX"], serde_json::json!([0.0]));
    assert!(page.contains("<h1>Integration</h1>"));
}
