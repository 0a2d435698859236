//! Content of the pictures of types, also with hostile input.

use super::*;
use crate::markup;
use crate::measure::columns;

fn entity(object_type: &str, class: &str, resource: &str, count: Option<u64>) -> TypeNode {
    let (object_type, classes, resource) = (object_type.into(), vec![class.into()], resource.into());
    TypeNode { object_type, classes, resource, count, mapped: false }
}

fn relationship(from: &str, class: &str, to: &str, count: Option<u64>) -> TypeEdge {
    let object_type = format!("{from}_{}_{to}", class.to_lowercase());
    TypeEdge { object_type, class: class.into(), from: from.into(), to: to.into(), count, mapped: false }
}

fn model() -> TypeGraph {
    TypeGraph {
        title: "Heroku".into(),
        missing: Vec::new(),
        entities: vec![
            entity("account", "Account", "Enterprise Account", Some(1)),
            entity("team", "Team", "Team", Some(1_200)),
            TypeNode { mapped: true, ..entity("person", "Person", "Person", None) },
        ],
        relationships: vec![
            relationship("account", "HAS", "team", Some(1_200)),
            relationship("team", "CONTAINS", "team", None),
            TypeEdge { mapped: true, ..relationship("account", "IS", "person", Some(1)) },
        ],
    }
}

fn hostile() -> TypeGraph {
    let nasty = ["<script>", "\"'><img src=x onerror=a>", "\u{1b}[2J\n\u{202e}evil", "]|`\\ --> &lt;"];
    TypeGraph {
        title: nasty.join(" "),
        missing: Vec::new(),
        entities: nasty.iter().map(|text| entity(text, text, text, None)).collect(),
        relationships: nasty.iter().map(|text| relationship(text, text, "<b>nobody", Some(1))).collect(),
    }
}

#[test]
fn a_terminal_shows_what_leads_from_each_type() {
    let expected = "\
Heroku
3 entity types · 3 relationship types
1,201 entities · 1,201 relationships

account  Enterprise Account  Account · 1 entity
├─ HAS      ─▶ team    account_has_team    1,200
└─ IS       ╌▶ person  account_is_person       1  mapped

team     Team                Team · 1,200 entities
└─ CONTAINS ─▶ team    team_contains_team

person   Person              Person · of another source
";
    assert_eq!(text(&model(), 80, false), expected);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for graph in [model(), hostile(), TypeGraph::default()] {
        for width in (0..100).step_by(3) {
            assert!(text(&graph, width, false).lines().all(|line| columns(line) <= width.max(1)));
        }
    }
}

#[test]
fn mermaid_gets_an_arrow_for_each_relationship() {
    let expected = "\
---
title: \"Heroku\"
---
flowchart LR
  t0[\"Enterprise Account<br/>account<br/>Account<br/>1 entity\"]
  t1[\"Team<br/>team<br/>Team<br/>1,200 entities\"]
  t2[\"Person<br/>person<br/>Person\"]
  t0 -->|\"HAS · 1,200\"| t1
  t1 -->|\"CONTAINS\"| t1
  t0 -.->|\"IS · 1\"| t2
  classDef mapped stroke-dasharray:5 4
  class t2 mapped
";
    assert_eq!(mermaid(&model()), expected);
}

#[test]
fn graphviz_gets_an_arrow_for_each_relationship() {
    let dot = dot(&model());
    let body: Vec<&str> = dot.lines().skip(6).collect();
    assert_eq!(
        body,
        [
            "  t0 [label=\"Enterprise Account\\naccount\\nAccount\\n1 entity\"];",
            "  t1 [label=\"Team\\nteam\\nTeam\\n1,200 entities\"];",
            "  t2 [label=\"Person\\nperson\\nPerson\", style=\"rounded,dashed\"];",
            "",
            "  t0 -> t1 [label=\"HAS · 1,200\", tooltip=\"account_has_team\"];",
            "  t1 -> t1 [label=\"CONTAINS\", tooltip=\"team_contains_team\"];",
            "  t0 -> t2 [label=\"IS · 1\", tooltip=\"account_is_person\", style=dashed];",
            "}",
        ]
    );
}

#[test]
fn a_drawing_has_a_pill_and_one_tip_for_each_relationship() {
    let svg = svg(&model());
    assert_eq!(svg.matches("<g class=\"pill").count(), 3);
    assert_eq!(svg.matches("<path class=\"tip").count(), 3);
    assert!(svg.contains("HAS · 1,200</text>") && svg.contains("<title>account_is_person</title>"));
}

#[test]
fn a_type_that_nobody_declares_is_drawn() {
    let mut graph = model();
    graph.relationships.push(relationship("ghost", "HAS", "team", None));
    assert!(svg(&graph).contains("✗ declared by nobody"));
    assert!(html(&graph).contains("<td class=\"state missing\">✗ declared by nobody</td>"));
    assert!(text(&graph, 80, false).contains("✗ ghost  declared by nobody\n└─ HAS      ─▶ team    ghost_has_team\n"));
    assert!(mermaid(&graph).contains("  class t3 missing\n") && dot(&graph).contains("  t3 -> t1 "));
}

#[test]
fn hostile_names_stay_text() {
    let svg = markup::read(&svg(&hostile())).expect("the drawing is well-formed");
    let known = ["svg", "title", "desc", "style", "rect", "path", "g", "text"];
    assert!(svg.elements.iter().all(|name| known.contains(&name.as_str())), "{:?}", svg.elements);
    let html = markup::read(&html(&hostile())).expect("the page is well-formed");
    assert!(html.elements.iter().all(|name| !["script", "img", "b"].contains(&name.as_str())));
    assert!(html.attributes.iter().chain(&svg.attributes).all(|name| !name.starts_with("on")));
    assert!(!text(&hostile(), 90, false).contains(['\u{1b}', '\u{202e}']));
    assert!(mermaid(&hostile()).lines().skip(3).all(|line| [0, 2].contains(&line.matches('"').count())));
}

#[test]
fn the_same_graph_gives_the_same_bytes() {
    let all = |graph: &TypeGraph| [text(graph, 80, true), dot(graph), mermaid(graph), svg(graph), html(graph)];
    assert_eq!(all(&model()), all(&model().clone()));
}
