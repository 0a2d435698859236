//! Comparisons of two jobs. Data that a job with gaps did not collect are unknown, not removed.

use std::collections::BTreeMap;

use integration_heroku::fake::{FakeOptions, Fault, Reply};
use serde_json::{Value, json};

use crate::harness::{Graph, Heroku, Place};

/// The counts of changes by type: added, removed, changed, unknown.
type Changes = BTreeMap<String, [u64; 4]>;

/// The counts that `visualize graph --format text` prints for two jobs.
fn changes(place: &Place, newer: usize, older: usize) -> Changes {
    let ids = place.run("jobs list --format json").json();
    let id = |at: usize| ids[at]["id"].as_str().expect("an id").to_owned();
    let said = place.run(&format!("visualize graph --format text --job {} --against {}", id(newer), id(older)));
    assert_eq!(said.code, 0, "{}", said.all());
    let lines = said.out.lines().filter(|line| line.starts_with("  "));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let count = |name: &str| {
                let at = words.iter().position(|word| *word == name)?;
                words[at - 1].replace(',', "").parse().ok()
            };
            let counts = ["added", "removed", "changed", "unknown"].map(|name| count(name).unwrap_or(0));
            (words[0].to_owned(), counts)
        })
        .filter(|(_, counts)| *counts != [0; 4])
        .collect()
}

/// The numbers of objects that depend on the applications of a team.
fn of_team(graph: &Graph, team: &str) -> (u64, u64) {
    let apps = graph.of_type("heroku_application").into_iter().filter(|(_, app)| app["teamId"] == team);
    let apps: Vec<String> = apps.map(|(key, _)| key).collect();
    let has = graph.of_type("heroku_application_has_addon");
    let of_apps = has.values().filter(|has| apps.iter().any(|app| has["_fromEntityKey"] == app.as_str()));
    (apps.len() as u64, of_apps.count() as u64)
}

#[test]
fn nothing_that_a_job_of_one_step_did_not_collect_counts_as_removed() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, all) = place.collect("");
    let (_, selected) = place.collect("--step fetch-teams");
    let found = changes(&place, 0, 1);
    assert!(!found.is_empty());
    assert!(found.values().all(|[added, removed, changed, _]| added + removed + changed == 0), "{found:?}");
    let size = |graph: &Graph| graph.objects().len() as u64;
    assert_eq!(found.values().map(|counts| counts[3]).sum::<u64>(), size(&all) - size(&selected));
    assert_eq!(
        changes(&place, 1, 0),
        Changes::new(),
        "data that the selected job did not collect must not count as new"
    );
}

#[test]
fn the_applications_of_a_refused_team_are_unknown_and_the_changes_of_other_teams_are_exact() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let mut teams: Vec<(String, (u64, u64))> =
        graph.of_type("heroku_team").into_keys().map(|team| (team.clone(), of_team(&graph, &team))).collect();
    teams.retain(|(_, counts)| counts.0 > 0 && counts.1 > 0);
    let [(silent, of_silent), (emptied, of_emptied), ..] = teams.as_slice() else { panic!("two teams") };
    let refusal = heroku.refuse_apps(silent);
    heroku.serve_apps(&graph, emptied, &[]);
    assert_eq!(place.collect("").0.code, 3);
    let expected = |counts: &dyn Fn(u64) -> [u64; 4], (apps, addons): (u64, u64)| -> Changes {
        [("heroku_application", apps), ("heroku_team_owns_application", apps), ("heroku_application_has_addon", addons)]
            .map(|(name, count)| (name.to_owned(), counts(count)))
            .into()
    };
    let both = |removed: &dyn Fn(u64) -> [u64; 4]| -> Changes {
        let (unknown, removed) = (expected(&|count| [0, 0, 0, count], *of_silent), expected(removed, *of_emptied));
        let sum = |name: &String| std::array::from_fn(|at| unknown[name][at] + removed[name][at]);
        unknown.keys().map(|name| (name.clone(), sum(name))).collect()
    };
    let changes = |newer, older| -> Changes {
        let mut found = changes(&place, newer, older);
        found.retain(|name, _| expected(&|count| [0, 0, 0, count], *of_silent).contains_key(name));
        found
    };
    assert_eq!(changes(0, 1), both(&|count| [0, count, 0, 0]));
    assert_eq!(changes(1, 0), expected(&|count| [count, 0, 0, 0], *of_emptied));
    heroku.server().lift(refusal);
    assert_eq!(place.collect("").0.code, 0);
    assert_eq!(changes(0, 2), expected(&|count| [0, count, 0, 0], *of_emptied));
    assert_eq!(changes(2, 0), expected(&|count| [count, 0, 0, 0], *of_emptied));
}

#[test]
fn names_that_a_refused_list_would_have_given_have_not_changed() {
    let (whole, narrow) =
        (Heroku::sample(), Heroku::with(FakeOptions { scopes: vec!["read".into()], ..FakeOptions::default() }));
    let place = Place::before(&whole);
    let (_, graph) = place.collect("");
    let types = ["heroku_team_has_account_member", "heroku_team_has_user"];
    let memberships = types.map(|name| (name.to_owned(), [0, 0, 0, graph.of_type(name).len() as u64]));
    let place = place.with("HEROKU_API_URL", narrow.url());
    assert_eq!(place.run("collect").code, 3);
    let found = changes(&place, 0, 1);
    // The members keep the names that an earlier job collected.
    assert_eq!(found.into_iter().collect::<Vec<_>>(), memberships);
}

#[test]
fn every_picture_of_a_job_with_gaps_states_them() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let team = place.collect("").1.of_type("heroku_team").into_keys().next().expect("a team");
    let pictures = [
        "graph --format text",
        "graph --format dot",
        "graph --format mermaid",
        "graph --output g.html",
        "types --job --format text",
        "types --job --format svg",
        "types --job --format html",
        "types --job --format dot",
        "types --job --format mermaid",
        "steps --job --format text",
        "steps --job --format svg",
        "steps --job --format html",
        "steps --job --format dot",
        "steps --job --format mermaid",
    ];
    let drawn = |line: &str| {
        let said = place.run(&format!("visualize {line}"));
        assert_eq!(said.code, 0, "{}", said.all());
        let text = if line.contains("--output") { place.read("g.html") } else { said.out };
        // A picture may break a line because of its width.
        text.replace("</text>\n<text", " ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(pictures.iter().all(|line| !drawn(line).contains("Data are missing from job")));
    heroku.refuse_apps(&team);
    place.collect("");
    for line in pictures {
        let drawn = drawn(line);
        assert!(
            drawn.contains("Data are missing from job") && drawn.contains("heroku_application of 1 heroku_team"),
            "{line}: {drawn}"
        );
    }
    place.run("collect --step fetch-teams");
    for line in pictures {
        assert!(drawn(line).contains("Not collected by job"), "{line}");
    }
}

#[test]
fn a_picture_of_some_types_has_these_and_what_lies_between_them() {
    let place = Place::alone();
    place.run("collect --sample");
    let said = place.run("visualize graph --type heroku_team,heroku_application --format text");
    let types: Vec<&str> =
        said.out.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    assert!(types.contains(&"heroku_team") && !types.contains(&"heroku_addon"), "{}", said.out);
    let mermaid = place.run("visualize graph --type heroku_team,heroku_application --format mermaid").out;
    assert!(mermaid.contains("OWNS") && !mermaid.contains("heroku_addon") && !mermaid.contains("not in the graph"));
    let unknown = place.run("visualize graph --type heroku_tea");
    assert_eq!(unknown.code, 2, "{}", unknown.all());
    assert!(unknown.err.contains("heroku_team"), "{}", unknown.err);
}

#[test]
fn a_removed_relationship_is_drawn_between_ends_that_stay() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let team = graph.of_type("heroku_team_has_account_member").into_values().next().expect("a membership");
    let team = team["_fromEntityKey"].as_str().expect("a key").to_owned();
    heroku.fault(Fault::Status(Reply::json(200, &json!([]))).on(&format!("/teams/{team}/members")));
    assert_eq!(place.collect("").0.code, 0);
    let earlier = place.run("jobs list --format json").json()[1]["id"].as_str().expect("an id").to_owned();
    let said = place.run(&format!("visualize graph --output g.html --against {earlier}"));
    assert_eq!(said.code, 0, "{}", said.all());
    let page = place.read("g.html");
    let (_, data) = page.split_once("id=\"graph\">").expect("the columns");
    let columns: Value = serde_json::from_str(data.split_once("</script>").expect("an end").0).expect("JSON");
    let codes = |name: &str| -> Vec<u64> {
        columns[name].as_array().expect("a column").iter().filter_map(Value::as_u64).collect()
    };
    let (nodes, edges) = (codes("change"), codes("edgeChange"));
    let removed: Vec<usize> = (0..edges.len()).filter(|at| edges[*at] == 2).collect();
    assert!(!removed.is_empty());
    let ends = |at: &usize| ["from", "to"].map(|end| nodes[columns[end][*at].as_u64().expect("a number") as usize]);
    assert!(
        removed.iter().all(|at| ends(at).iter().all(|change| [0, 3].contains(change))),
        "both ends of a removed relationship must be in the comparison"
    );
}
