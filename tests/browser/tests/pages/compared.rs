//! The comparison of two graphs in one picture.

use integration_browser_tests::{Browser, samples};
use integration_view::explorer::{Change, GraphPicture};
use serde_json::json;

use crate::{choose, explore};

/// The numbers of entities and relationships with a change.
fn counts(graph: &GraphPicture, code: fn(&Change) -> bool) -> (usize, usize) {
    let nodes = graph.nodes.iter().filter(|node| code(&node.change)).count();
    // A relationship without both ends appears only in the table.
    let there = |key: &str| graph.nodes.iter().any(|node| node.key == key);
    let edges = graph.edges.iter().filter(|edge| there(&edge.from) && there(&edge.to));
    (nodes, edges.filter(|edge| code(&edge.change)).count())
}

fn row(title: &str) -> String {
    format!("document.querySelector('#legend label[title=\"{title}\"]').closest('li')")
}

#[tokio::test]
async fn what_became_of_objects_is_counted_and_can_be_seen_alone() {
    let Some(browser) = Browser::start().await else { return };
    let graph = samples::comparison();
    let tab = explore(&browser, &graph).await;
    let changes: [(&str, fn(&Change) -> bool); 4] = [
        ("+ Added", |change| *change == Change::Added),
        ("− Removed", |change| *change == Change::Removed),
        ("~ Changed", |change| matches!(change, Change::Changed { .. })),
        ("? Unknown", |change| matches!(change, Change::Unknown { .. })),
    ];
    for (title, code) in changes {
        let (row, (nodes, edges)) = (row(title), counts(&graph, code));
        assert!(nodes > 0);
        let shown = tab.text(&format!("{row}.querySelector('span.count').textContent")).await;
        assert_eq!(shown, format!("{nodes} + {edges}"));
        tab.value(&format!("{row}.querySelector('.only').click()")).await;
        tab.until(&format!("document.querySelector('.shown').textContent.startsWith('{nodes} of ')")).await;
    }
    tab.close().await;
}

#[tokio::test]
async fn a_removed_relationship_is_seen_between_two_ends_that_stay() {
    let Some(browser) = Browser::start().await else { return };
    let mut graph = samples::comparison();
    graph.nodes.iter_mut().for_each(|node| node.change = Change::Same);
    graph.edges.iter_mut().for_each(|edge| edge.change = Change::Same);
    let at = graph.edges.iter().position(|edge| edge.class == "ASSIGNED" || edge.class == "OWNS").expect("an edge");
    graph.edges[at].change = Change::Removed;
    let tab = explore(&browser, &graph).await;
    tab.value(&format!("{}.querySelector('.only').click()", row("− Removed"))).await;
    tab.until("document.querySelector('.shown').textContent.includes('0 of')").await;
    assert_eq!(
        tab.value("document.querySelector('.shown').textContent.includes('and 2 ends of relationships')").await,
        json!(true)
    );
    tab.value("document.querySelector('[data-view=table]').click()").await;
    tab.value("[...document.querySelectorAll('#table .tabs button')][1].click()").await;
    tab.until("document.querySelectorAll('#table tbody tr').length === 1").await;
    assert_eq!(
        tab.value("document.querySelector('#table tbody').textContent.includes('− Removed')").await,
        json!(true)
    );
    tab.close().await;
}

#[tokio::test]
async fn what_is_missing_is_stated_above_the_picture_and_in_what_is_saved_of_it() {
    let Some(browser) = Browser::start().await else { return };
    let mut graph = samples::comparison();
    graph.missing = vec!["Data are missing from job 1: teams.".into()];
    let tab = explore(&browser, &graph).await;
    assert_eq!(tab.text("document.getElementById('missing').textContent").await, graph.missing[0]);
    let saved = "
        let saved;
        URL.createObjectURL = (blob) => { saved = blob; return 'data:,'; };
        document.querySelector('[data-export=svg]').click();
        const done = arguments[0];
        saved.text().then(done);";
    let svg = tab.wait(saved).await;
    assert!(svg.as_str().is_some_and(|svg| svg.contains(&graph.missing[0])), "{svg}");
    tab.close().await;
}

#[tokio::test]
async fn a_changed_object_tells_what_it_was_before() {
    let Some(browser) = Browser::start().await else { return };
    let graph = samples::comparison();
    let changed =
        graph.nodes.iter().find(|node| matches!(node.change, Change::Changed { .. })).expect("a changed object");
    let tab = explore(&browser, &graph).await;
    choose(&tab, &changed.name).await;
    let rows = "document.querySelector('#panel .changes').textContent";
    tab.until("document.querySelector('#panel .changes')").await;
    assert_eq!(tab.value(&format!("{rows}.includes('createdOn2021-')")).await, json!(true), "{}", tab.text(rows).await);
    assert_eq!(tab.value(&format!("{rows}.includes('2024-05-01')")).await, json!(true));
    assert_eq!(tab.text("document.querySelector('#panel .chip.changed').textContent").await, "~ Changed");
    tab.close().await;
}

#[tokio::test]
async fn without_a_comparison_nothing_speaks_of_changes() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    assert_eq!(tab.value("document.getElementById('legend').textContent.includes('Changes')").await, json!(false));
    tab.close().await;
}
