//! Content of the pictures of steps, also with hostile input.

use super::*;
use crate::markup;
use crate::measure::columns;

fn plan() -> StepGraph {
    let steps = vec![
        StepNode { emits: vec!["account".into()], ..StepNode::new("fetch-account", "Fetch account") },
        StepNode {
            depends_on: vec![Dependency::reading("fetch-account", ["account"])],
            reads: vec!["account".into()],
            emits: vec!["team".into(), "account_has_team".into()],
            scopes: vec!["read".into()],
            ..StepNode::new("fetch-teams", "Fetch teams")
        },
        StepNode {
            depends_on: vec![Dependency::after("fetch-teams")],
            source: Some("audit".into()),
            state: StepState::Disabled { reason: "switched off".into() },
            ..StepNode::new("fetch-events", "Fetch events")
        },
    ];
    StepGraph { title: "Heroku".into(), steps, ..StepGraph::default() }
}

fn run() -> StepGraph {
    let mut graph = plan();
    let runs = [
        (RunStatus::Success, 10..330, true),
        // This step started while the previous one was still running.
        (RunStatus::Partial, 200..13_100, true),
        (RunStatus::Pending, 0..0, false),
    ];
    for (step, (status, ran_ms, critical)) in graph.steps.iter_mut().zip(runs) {
        let duration_ms = ran_ms.end - ran_ms.start;
        step.run = Some(StepRun { status, duration_ms, ran_ms, objects: 3, requests: 1, critical });
    }
    graph
}

fn hostile() -> StepGraph {
    let nasty = [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "]]>--> &amp; `code` \\",
        "\u{1b}[2J\r\n\u{202e}evil\u{0}",
        "end\n---\nclick s0 \"javascript:alert(1)\"",
        "",
    ];
    let step = |(at, text): (usize, &&str)| StepNode {
        depends_on: vec![Dependency::reading(nasty[at / 2], [*text]), Dependency::after(format!("no {text}"))],
        reads: vec![(*text).into()],
        emits: nasty.iter().map(|text| (*text).into()).collect(),
        scopes: vec![(*text).into()],
        source: Some((*text).into()),
        state: if at % 2 == 0 { StepState::Enabled } else { StepState::Disabled { reason: (*text).into() } },
        run: (at % 3 == 0).then(StepRun::default),
        ..StepNode::new(*text, *text)
    };
    StepGraph { title: nasty.join(" "), steps: nasty.iter().enumerate().map(step).collect(), ..StepGraph::default() }
}

#[test]
fn a_terminal_shows_stages_and_where_each_step_reads_from() {
    let expected = "\
Heroku
3 steps in 3 stages · 1 disabled

1 ┌─ ● fetch-account  Fetch account
  │    emits   account
  │
2 ├─ ● fetch-teams    Fetch teams
  │    reads   account ← fetch-account
  │    emits   team, account_has_team
  │    scopes  read
  │
3 └─ ○ fetch-events   Fetch events
       disabled: switched off
       after   fetch-teams
       source  audit
";
    assert_eq!(text(&plan(), 80, false), expected);
}

#[test]
fn a_run_stands_behind_the_names_or_below_them_where_there_is_no_room() {
    let wide = text(&run(), 100, false);
    assert!(wide.contains("critical path 13 s: fetch-account → fetch-teams\n"), "{wide}");
    assert!(
        wide.contains("◐ fetch-teams    Fetch teams    partial        12 s  3 objects · 1 request  critical path\n")
    );
    let narrow = text(&run(), 60, false);
    assert!(narrow.contains("◐ fetch-teams    Fetch teams\n  │    partial · 12 s · 3 objects"), "{narrow}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for graph in [plan(), run(), hostile(), StepGraph::default()] {
        for width in (0..130).step_by(3) {
            let plain = text(&graph, width, false);
            assert!(plain.lines().all(|line| columns(line) <= width.max(1)), "{width}\n{plain}");
        }
    }
}

#[test]
fn colours_change_nothing_but_colour() {
    for graph in [run(), hostile()] {
        let mut coloured = text(&graph, 90, true);
        assert!(coloured.contains("\u{1b}[1m"));
        for code in ["0", "1", "2", "31", "32", "33", "34", "35"] {
            coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
        }
        let trimmed: Vec<&str> = coloured.lines().map(str::trim_end).collect();
        assert_eq!(trimmed, text(&graph, 90, false).lines().collect::<Vec<_>>());
    }
}

#[test]
fn graphviz_gets_labels_and_styles() {
    let dot = dot(&run());
    let body: Vec<&str> = dot.lines().skip(6).collect();
    let tooltip = "tooltip=\"Fetch teams (fetch-teams)\\n◐ partial · 12 s · critical path · 3 objects · 1 request\\n\
                   reads account\\nemits team, account_has_team\\nscopes read\"";
    assert_eq!(
        body[1],
        format!(
            "  s1 [label=\"Fetch teams\\nfetch-teams\\n◐ partial · 12 s · critical path\", {tooltip}, \
             color=\"#d4a72c\", penwidth=2.5];"
        )
    );
    assert_eq!(
        body[4..],
        ["  s0 -> s1 [label=\"account\", color=\"#8250df\", penwidth=2.5];", "  s1 -> s2 [style=dashed];", "}"]
    );
}

#[test]
fn mermaid_gets_labels_and_classes() {
    let expected = "\
---
title: \"Heroku\"
---
flowchart LR
  s0[\"Fetch account<br/>fetch-account\"]
  s1[\"Fetch teams<br/>fetch-teams\"]
  s2[\"Fetch events<br/>fetch-events<br/>disabled#58; switched off\"]
  s0 -->|\"account\"| s1
  s1 -.-> s2
  classDef off stroke-dasharray:5 4
  class s2 off
";
    assert_eq!(mermaid(&plan()), expected);
    assert!(mermaid(&run()).contains("  s0 ==>|\"account\"| s1\n"));
}

#[test]
fn a_drawing_says_all_about_a_step() {
    let svg = svg(&run());
    for said in ["fetch-teams", "account_has_team", "◐ partial · 12 s · critical path", "switched off", "audit"] {
        assert!(svg.contains(&format!(">{said}</text>")), "{said}");
    }
    for classes in ["step partial critical", "step off", "edge critical", "edge explicit off"] {
        assert!(svg.contains(&format!("class=\"{classes}\"")), "{classes}");
    }
    assert!(svg.contains("fetch-teams (partial) waits for fetch-account."));
}

#[test]
fn only_neighbours_on_the_critical_path_are_joined() {
    let mut graph = run();
    graph.steps[2].state = StepState::Enabled;
    graph.steps[2].depends_on.push(Dependency::after("fetch-account"));
    graph.steps[2].run = graph.steps[1].run.clone();
    let critical = |link: &links::Link| link.critical.then_some((link.from, link.to));
    let links = links::Links::of(&graph);
    assert_eq!(links.edges.iter().filter_map(critical).collect::<Vec<_>>(), [(0, 1), (1, 2)]);
}

#[test]
fn hostile_names_stay_text() {
    let svg = markup::read(&svg(&hostile())).expect("the drawing is well-formed");
    let known = ["svg", "title", "desc", "style", "rect", "path", "g", "text"];
    assert!(svg.elements.iter().all(|name| known.contains(&name.as_str())), "{:?}", svg.elements);
    assert!(svg.attributes.iter().all(|name| !name.starts_with("on") && !name.contains("href")));
    let html = markup::read(&html(&hostile())).expect("the page is well-formed");
    assert!(html.elements.iter().all(|name| !["script", "img", "a", "iframe"].contains(&name.as_str())));
    let control = |text: &str| text.chars().any(|char| char.is_control() && char != '\n' || char == '\u{202e}');
    assert!(!control(&text(&hostile(), 100, false)) && !control(&dot(&hostile())) && !control(&mermaid(&hostile())));
}

#[test]
fn hostile_names_end_no_label() {
    let unescaped = |line: &str| line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
    for line in dot(&hostile()).lines() {
        assert!(unescaped(line) % 2 == 0 && !line.trim_start().starts_with("click"), "{line}");
    }
    for line in mermaid(&hostile()).lines().skip(3) {
        let inside = line.split('"').nth(1).unwrap_or("").replace("<br/>", "");
        assert!([0, 2].contains(&line.matches('"').count()), "{line}");
        assert!(!inside.contains(['<', '>', '`', '[', ']', '|', '&']), "{line}");
    }
}

#[test]
fn a_page_loads_and_runs_nothing() {
    let page = html(&run());
    assert!(
        page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"")
    );
    for absent in ["<script", "<link", "<img", "<iframe", "url(", "@import", "src=", "href="] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert_eq!(page.matches("<th scope=\"row\">").count(), 3);
    assert!(page.contains("<td class=\"state partial\">◐ partial<br>critical path</td>"));
}

#[test]
fn cycles_and_missing_steps_are_drawn() {
    let mut graph = plan();
    graph.steps[0].depends_on = vec![Dependency::after("fetch-events"), Dependency::after("nobody")];
    graph.steps[1].depends_on.push(Dependency::after("fetch-teams"));
    assert_eq!(svg(&graph).matches("class=\"tip").count(), 5);
    assert!(svg(&graph).contains("no such step") && html(&graph).contains("<code>nobody</code>"));
    assert!(text(&graph, 80, false).contains("✗ no such step: nobody\n"));
    assert!(dot(&graph).contains("s3 [label=\"nobody\\nno such step\""));
    assert!(mermaid(&graph).contains("  s3 -.-> s0\n") && mermaid(&graph).contains("  class s3 missing\n"));
}

#[test]
fn the_same_graph_gives_the_same_bytes() {
    for graph in [run(), hostile()] {
        let all = |graph: &StepGraph| [text(graph, 80, true), dot(graph), mermaid(graph), svg(graph), html(graph)];
        assert_eq!(all(&graph), all(&graph.clone()));
    }
}
