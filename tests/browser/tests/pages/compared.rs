//! Two graphs laid over each other.

use integration_browser_tests::{Browser, samples};
use integration_view::explorer::Change;
use serde_json::json;

use crate::{choose, explore};

#[tokio::test]
async fn what_was_added_removed_and_changed_is_counted_and_can_be_seen_alone() {
    let Some(browser) = Browser::start().await else { return };
    let graph = samples::comparison();
    let count = |code: fn(&Change) -> bool| graph.nodes.iter().filter(|node| code(&node.change)).count();
    let tab = explore(&browser, &graph).await;
    for (title, expected) in [
        ("+ Added", count(|change| *change == Change::Added)),
        ("− Removed", count(|change| *change == Change::Removed)),
        ("~ Changed", count(|change| matches!(change, Change::Changed { .. }))),
    ] {
        let row = format!("document.querySelector('#legend label[title=\"{title}\"]').closest('li')");
        assert!(expected > 0);
        assert_eq!(tab.text(&format!("{row}.querySelector('span.count').textContent")).await, expected.to_string());
        tab.value(&format!("{row}.querySelector('.only').click()")).await;
        tab.until(&format!("document.querySelector('.shown').textContent.startsWith('{expected} of ')")).await;
    }
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
