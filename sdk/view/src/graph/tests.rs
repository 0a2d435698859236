//! Content of the pictures of a collected graph, also with hostile input.

use super::*;
use crate::measure::columns;

fn node(key: &str, object_type: &str, name: &str) -> GraphNode {
    GraphNode { key: key.into(), object_type: object_type.into(), name: name.into(), ..GraphNode::default() }
}

fn edge(from: &str, class: &str, to: &str) -> GraphEdge {
    let (key, object_type) = (format!("{from}|{class}|{to}"), format!("any_{}_any", class.to_lowercase()));
    GraphEdge { key, object_type, class: class.into(), from: from.into(), to: to.into(), ..GraphEdge::default() }
}

fn graph() -> GraphPicture {
    GraphPicture {
        title: "Heroku".into(),
        subtitle: "job 1".into(),
        missing: vec!["Data are missing: app.".into()],
        nodes: vec![
            GraphNode { change: Change::Unknown { before: None }, ..node("team-2", "team", "") },
            GraphNode { change: Change::Added, ..node("team-1", "team", "Search") },
            node("account-1", "account", "Example"),
        ],
        edges: vec![
            edge("team-1", "OWNS", "app-9"),
            GraphEdge { change: Change::Removed, ..edge("account-1", "HAS", "team-2") },
            GraphEdge { change: Change::Unknown { before: None }, ..edge("account-1", "HAS", "team-1") },
        ],
    }
}

fn counts() -> GraphCounts {
    let one = |object_type: &str, count| TypeCount { object_type: object_type.into(), count, ..TypeCount::default() };
    GraphCounts {
        title: "Heroku".into(),
        subtitle: "job 1".into(),
        missing: vec!["Data are missing: app.".into()],
        entities: vec![
            one("account", 1),
            TypeCount { changes: Changes { added: 12, removed: 1, changed: 0, unknown: 4 }, ..one("team", 1_200) },
        ],
        relationships: vec![TypeCount { mapped: true, ..one("account_is_person", 7) }, one("account_has_team", 1_200)],
    }
}

fn hostile() -> GraphPicture {
    let nasty = ["<script>", "\"'><img src=x onerror=a>", "\u{1b}[2J\n\u{202e}evil", "]|`\\ --> &lt;"];
    GraphPicture {
        title: nasty.join(" "),
        subtitle: nasty.concat(),
        missing: nasty.iter().map(|text| (*text).to_owned()).collect(),
        nodes: nasty.iter().map(|text| node(text, text, text)).collect(),
        edges: nasty.iter().map(|text| edge(text, text, "\"<b>nobody")).collect(),
    }
}

#[test]
fn mermaid_gets_every_object_by_type_and_key() {
    let expected = "\
---
title: \"Heroku · job 1 · Data are missing: app.\"
---
flowchart LR
  n0[\"Example<br/>account\"]
  n1[\"Search<br/>team\"]
  n2[\"team-2<br/>team\"]
  n3[\"app-9<br/>not in the graph\"]
  n0 -->|\"HAS (unknown)\"| n1
  n0 -.->|\"HAS\"| n2
  n1 -->|\"OWNS\"| n3
  classDef added stroke:#2da44e,stroke-width:3px
  class n1 added
  classDef unknown stroke:#8250df,stroke-width:3px,stroke-dasharray:2 3
  class n2 unknown
  classDef missing stroke:#cf222e,stroke-dasharray:5 4
  class n3 missing
";
    assert_eq!(mermaid(&graph()), expected);
}

#[test]
fn graphviz_gets_every_object_by_type_and_key() {
    let dot = dot(&graph());
    let body: Vec<&str> = dot.lines().skip(4).collect();
    assert_eq!(
        body,
        [
            "  label=\"Heroku · job 1\\nData are missing: app.\";",
            "",
            "  n0 [label=\"Example\\naccount\", tooltip=\"account-1\", fillcolor=\"#d8e8fb\"];",
            "  n1 [label=\"Search\\nteam\", tooltip=\"team-1 (added)\", fillcolor=\"#d9f2dc\", color=\"#2da44e\", penwidth=2];",
            "  n2 [label=\"team-2\\nteam\", tooltip=\"team-2 (unknown)\", fillcolor=\"#d9f2dc\", color=\"#8250df\", penwidth=2, style=\"rounded,filled,dotted\"];",
            "  n3 [label=\"app-9\\nnot in the graph\", style=\"rounded,dashed\", color=\"#cf222e\", fontcolor=\"#cf222e\"];",
            "",
            "  n0 -> n1 [label=\"HAS\", tooltip=\"any_has_any (unknown)\", color=\"#8250df\", penwidth=2, style=\"dotted\"];",
            "  n0 -> n2 [label=\"HAS\", tooltip=\"any_has_any (removed)\", color=\"#cf222e\", penwidth=2, style=\"dashed\"];",
            "  n1 -> n3 [label=\"OWNS\", tooltip=\"any_owns_any\"];",
            "}",
        ]
    );
}

#[test]
fn a_terminal_shows_the_largest_types_first() {
    let expected = "\
Heroku
job 1
Data are missing: app.

1,201 entities
  team               1,200  12 added  1 removed  4 unknown
  account                1

1,207 relationships
  account_has_team   1,200
  account_is_person      7  mapped
";
    assert_eq!(text(&counts(), 80, false), expected);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in (0..60).step_by(3) {
        assert!(text(&counts(), width, false).lines().all(|line| columns(line) <= width.max(1)));
    }
}

#[test]
fn the_order_in_which_objects_come_does_not_matter() {
    let mut turned = graph();
    turned.nodes.reverse();
    turned.edges.reverse();
    assert_eq!([dot(&graph()), mermaid(&graph())], [dot(&turned), mermaid(&turned)]);
}

#[test]
fn hostile_names_stay_text() {
    assert!(mermaid(&hostile()).lines().skip(3).all(|line| [0, 2].contains(&line.matches('"').count())));
    let dot = dot(&hostile());
    assert!(!dot.contains(['\u{1b}', '\u{202e}']));
    let bare = dot.replace("\\\\", "").replace("\\\"", "");
    assert!(bare.lines().all(|line| line.matches('"').count().is_multiple_of(2)), "{bare}");
}

#[test]
fn a_picture_within_the_limits_is_one_that_mermaid_reads() {
    let Limit { entities, relationships } = Limit::MERMAID;
    let name = |at: u64| format!("someone.{at}@engineering.example.com");
    let large = GraphPicture {
        nodes: (0..entities).map(|at| node(&format!("user-{at}"), "heroku_account_member", &name(at))).collect(),
        edges: (0..relationships)
            .map(|at| edge(&format!("user-{}", at % entities), "ASSIGNED", &format!("user-{}", at / 2)))
            .collect(),
        ..GraphPicture::default()
    };
    assert!(Limit::MERMAID.allows(entities, relationships) && !Limit::MERMAID.allows(entities + 1, 0));
    assert!(mermaid(&large).len() < 50_000, "{}", mermaid(&large).len());
}

#[test]
fn a_picture_has_every_object_and_no_markup_of_the_provider() {
    let mut graph = graph();
    graph.nodes.push(node("team-3", "team", "<script>alert(1)</script>"));
    let svg = svg(&graph);
    for text in ["Search", "Example", "team-2", "OWNS", "app-9", "not in the graph", "4 entities · 3 relationships"] {
        assert!(svg.contains(text), "{text} is missing");
    }
    assert!(!svg.contains("<script>"));
    crate::markup::read(&svg).expect("well-formed markup");
}
