//! Draws a few sample graphs in every format: `cargo run -p integration-view --example gallery -- DIR`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use integration_view::{
    Dependency, RunStatus, StepGraph, StepNode, StepRun, StepState, TypeEdge, TypeGraph, TypeNode, steps, types,
};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map_or_else(|| PathBuf::from("gallery"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    let step_graphs = [("plan", heroku()), ("run", heroku_run()), ("odd", odd()), ("many", many(40))];
    for (name, graph) in &step_graphs {
        write(
            &folder,
            name,
            [
                ("txt", steps::text(graph, 100, false)),
                ("ansi", steps::text(graph, 120, true)),
                ("dot", steps::dot(graph)),
                ("mmd", steps::mermaid(graph)),
                ("svg", steps::svg(graph)),
                ("html", steps::html(graph)),
            ],
        )?;
    }
    for (name, graph) in &[("types", heroku_types()), ("types-odd", odd_types())] {
        write(
            &folder,
            name,
            [
                ("txt", types::text(graph, 100, false)),
                ("ansi", types::text(graph, 120, true)),
                ("dot", types::dot(graph)),
                ("mmd", types::mermaid(graph)),
                ("svg", types::svg(graph)),
                ("html", types::html(graph)),
            ],
        )?;
    }
    println!("{}", steps::text(&heroku_run(), 120, true));
    println!("{}", types::text(&heroku_types(), 120, true));
    Ok(())
}

fn write(folder: &Path, name: &str, pictures: [(&str, String); 6]) -> io::Result<()> {
    for (extension, picture) in pictures {
        fs::write(folder.join(format!("{name}.{extension}")), picture)?;
    }
    Ok(())
}

fn step(id: &str, name: &str, depends_on: Vec<Dependency>, emits: &[&str]) -> StepNode {
    let mut reads: Vec<String> = depends_on.iter().flat_map(|dependency| dependency.through.clone()).collect();
    reads.dedup();
    StepNode {
        depends_on,
        reads,
        emits: emits.iter().map(|&object_type| object_type.into()).collect(),
        scopes: vec!["read".into()],
        ..StepNode::new(id, name)
    }
}

fn heroku() -> StepGraph {
    let account = || Dependency::reading("fetch-account", ["heroku_account"]);
    let team = || Dependency::reading("fetch-teams", ["heroku_team"]);
    let mut steps = vec![
        step("fetch-account", "Fetch account", vec![], &["heroku_account"]),
        step(
            "fetch-members",
            "Fetch members",
            vec![account()],
            &["heroku_account_member", "heroku_account_has_member"],
        ),
        step("fetch-teams", "Fetch teams", vec![account()], &["heroku_team", "heroku_account_has_team"]),
        step("fetch-apps", "Fetch apps", vec![team()], &["heroku_application", "heroku_team_owns_application"]),
        step("fetch-addons", "Fetch add-ons", vec![team()], &["heroku_addon"]),
        step(
            "fetch-team-members",
            "Fetch team members",
            vec![team(), Dependency::reading("fetch-members", ["heroku_account_member"])],
            &["heroku_team_has_account_member"],
        ),
        step(
            "build-relationships",
            "Build relationships",
            vec![
                Dependency::reading("fetch-apps", ["heroku_application"]),
                Dependency::reading("fetch-addons", ["heroku_addon"]),
            ],
            &["heroku_application_has_addon"],
        ),
    ];
    steps[5].scopes = vec!["global".into()];
    steps[6].scopes.clear();
    StepGraph { title: "Heroku".into(), steps, ..StepGraph::default() }
}

fn heroku_run() -> StepGraph {
    use RunStatus::{Cached, Failure, Partial, Success};
    let mut graph = heroku();
    let runs = [
        (Success, 312, 1, 2, true),
        (Cached, 40, 2_420, 0, false),
        (Success, 1_940, 20, 12, true),
        (Success, 9_870, 400, 31, true),
        (Failure, 3_200, 310, 14, false),
        (Partial, 4_120, 1_134, 11, false),
        (Success, 83, 600, 0, true),
    ];
    let mut begun = 0;
    for (step, (status, duration_ms, objects, requests, critical)) in graph.steps.iter_mut().zip(runs) {
        let ran_ms = begun..begun + duration_ms;
        begun = if critical { ran_ms.end } else { begun };
        step.run = Some(StepRun { status, duration_ms, ran_ms, objects, requests, critical });
    }
    graph.steps.push(StepNode {
        state: StepState::Disabled { reason: "ingestion source `audit` is off".into() },
        source: Some("audit".into()),
        run: Some(StepRun::default()),
        ..step(
            "fetch-events",
            "Fetch audit events",
            vec![Dependency::reading("fetch-account", ["heroku_account"]), Dependency::after("fetch-members")],
            &["heroku_event"],
        )
    });
    graph
}

/// Creates steps with hostile names, a cycle, a loop, a missing step, and no dependencies.
fn odd() -> StepGraph {
    let steps = vec![
        step(
            "<script>alert(1)</script>",
            "A \"name\" & <b>more</b> \u{202e}txet",
            vec![Dependency::after("b]\"; c")],
            &["]]>-->`|#", "日本語のタイプ"],
        ),
        step("b]\"; c", "\u{1b}[31mred\u{1b}[0m\nline", vec![Dependency::after("<script>alert(1)</script>")], &[]),
        step("self", "Waits for itself", vec![Dependency::reading("self", ["x"])], &["x"]),
        step("lost", "Waits for nobody", vec![Dependency::reading("no-such-step", ["y"])], &[]),
        step(
            "alone-1",
            &"A name that goes on and on ".repeat(4),
            vec![],
            &["a_type_with_a_name_that_is_far_too_long_to_fit_into_any_card"],
        ),
        step("alone-2", "", vec![], &["a", "b", "c", "d", "e", "f", "g", "h"]),
        step("alone-3", "Alone", vec![], &[]),
        step("alone-4", "Alone", vec![], &[]),
    ];
    StepGraph { title: "Odd </svg> \"things\"".into(), steps, ..StepGraph::default() }
}

/// Creates a sample plan, which is the same in every run.
fn many(count: usize) -> StepGraph {
    let mut state = 42_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    let mut steps: Vec<StepNode> = Vec::new();
    for at in 0..count {
        let mut sources: Vec<usize> = (0..below(3)).filter(|_| at > 0).map(|_| below(at)).collect();
        sources.sort_unstable();
        sources.dedup();
        let depends_on = sources
            .iter()
            .map(|from| Dependency::reading(format!("fetch-{from:02}"), [format!("vendor_type_{from:02}")]));
        let emits = format!("vendor_type_{at:02}");
        steps.push(step(&format!("fetch-{at:02}"), &format!("Fetch things {at:02}"), depends_on.collect(), &[&emits]));
    }
    StepGraph { title: "Forty steps".into(), steps, ..StepGraph::default() }
}

fn heroku_types() -> TypeGraph {
    let node = |object_type: &str, class: &str, resource: &str, count| TypeNode {
        object_type: object_type.into(),
        classes: vec![class.into()],
        resource: resource.into(),
        count: Some(count),
        mapped: false,
    };
    let edge = |object_type: &str, from: &str, class: &str, to: &str, count| TypeEdge {
        object_type: object_type.into(),
        class: class.into(),
        from: from.into(),
        to: to.into(),
        count: Some(count),
        mapped: false,
    };
    TypeGraph {
        title: "Heroku".into(),
        missing: Vec::new(),
        entities: vec![
            node("heroku_account", "Account", "Enterprise Account", 1),
            node("heroku_account_member", "User", "User", 1_210),
            node("heroku_team", "Team", "Team", 10),
            node("heroku_application", "Application", "Application", 200),
            node("heroku_addon", "Service", "Add-on", 600),
            TypeNode { count: None, mapped: true, ..node("person", "Person", "Person", 0) },
        ],
        relationships: vec![
            edge("heroku_account_has_member", "heroku_account", "HAS", "heroku_account_member", 1_210),
            edge("heroku_account_has_team", "heroku_account", "HAS", "heroku_team", 10),
            edge("heroku_team_has_account_member", "heroku_team", "HAS", "heroku_account_member", 1_134),
            edge("heroku_team_owns_application", "heroku_team", "OWNS", "heroku_application", 200),
            edge("heroku_application_has_addon", "heroku_application", "HAS", "heroku_addon", 600),
            TypeEdge {
                mapped: true,
                ..edge("heroku_account_member_is_person", "heroku_account_member", "IS", "person", 1_190)
            },
        ],
    }
}

fn odd_types() -> TypeGraph {
    let mut graph = heroku_types();
    graph.title = "Odd <types>".into();
    let edge = |from: &str, class: &str, to: &str| TypeEdge {
        object_type: format!("{from}_{class}_{to}"),
        class: class.into(),
        from: from.into(),
        to: to.into(),
        ..TypeEdge::default()
    };
    graph.relationships.extend([
        edge("heroku_team", "CONTAINS", "heroku_team"),
        edge("heroku_application", "TRUSTS", "heroku_account"),
        edge("heroku_team", "MANAGES", "heroku_application"),
        edge("heroku_addon", "\"><script>", "undeclared"),
    ]);
    graph
}
