//! The pages of steps and types, which contain no script.

use integration_browser_tests::{Browser, Light};
use integration_view::{Dependency, StepGraph, StepNode, TypeEdge, TypeGraph, TypeNode, steps, types};
use serde_json::json;

use crate::DESK;

fn hostile_name() -> String {
    "</svg></title><script>window.owned = 1</script><img src=x onerror=\"window.owned = 2\">".into()
}

fn step_page() -> String {
    let graph = StepGraph {
        title: hostile_name(),
        missing: Vec::new(),
        steps: vec![
            StepNode { emits: vec!["heroku_account".into()], ..StepNode::new("fetch-account", "Fetch account") },
            StepNode {
                depends_on: vec![Dependency::reading("fetch-account", ["heroku_account"])],
                ..StepNode::new("fetch-teams", hostile_name())
            },
        ],
    };
    steps::html(&graph)
}

fn type_page() -> String {
    let node = |object_type: &str| TypeNode { object_type: object_type.into(), ..TypeNode::default() };
    let graph = TypeGraph {
        title: hostile_name(),
        missing: Vec::new(),
        entities: vec![node("heroku_account"), TypeNode { resource: hostile_name(), ..node("heroku_team") }],
        relationships: vec![TypeEdge {
            object_type: "heroku_account_has_team".into(),
            from: "heroku_account".into(),
            class: "HAS".into(),
            to: "heroku_team".into(),
            ..TypeEdge::default()
        }],
    };
    types::html(&graph)
}

#[tokio::test]
async fn steps_and_types_are_drawn_in_both_lights_and_run_nothing() {
    let Some(browser) = Browser::start().await else { return };
    for page in [step_page(), type_page()] {
        let tab = browser.open(page.as_bytes(), DESK).await;
        assert_eq!(tab.value("document.querySelectorAll('svg .box').length >= 2").await, json!(true));
        assert_eq!(tab.value("document.querySelectorAll('table tbody tr').length >= 2").await, json!(true));
        assert_eq!(tab.value("document.scripts.length + document.images.length").await, json!(0));
        assert_eq!(tab.value("window.owned ?? null").await, json!(null));
        let grounds = "[document.body, document.querySelector('figure')].map((at) => getComputedStyle(at).backgroundColor).join()";
        tab.prefer(Light::Light).await;
        assert_eq!(tab.text(grounds).await, "rgb(246, 248, 250),rgb(255, 255, 255)");
        tab.prefer(Light::Dark).await;
        assert_eq!(tab.text(grounds).await, "rgb(15, 20, 26),rgb(20, 26, 34)");
        tab.close().await;
    }
}
