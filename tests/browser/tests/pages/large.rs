//! The explorer with fifty thousand objects.

use integration_browser_tests::{Browser, samples};
use serde_json::json;

use crate::{choose, explore, place_of};

/// The time budget in milliseconds from the start of loading to the first picture.
const PROMISED: f64 = 3_000.0;

#[tokio::test]
async fn fifty_thousand_objects_open_soon_and_move_freely() {
    let Some(browser) = Browser::start().await else { return };
    for count in [1_000, 10_000, 50_000] {
        let tab = explore(&browser, &samples::large(count)).await;
        let ready = tab.text("document.documentElement.dataset.ready").await;
        let frame = tab.wait(FRAMES).await;
        tab.until("performance.getEntriesByType('navigation')[0].loadEventEnd > 0").await;
        let whole = tab.value("Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd)").await;
        eprintln!(
            "{count} nodes: ready after {ready} ms, read whole after {whole} ms; the slowest of 40 frames took {frame} ms"
        );
        assert!(ready.parse::<f64>().is_ok_and(|ready| ready < PROMISED), "ready after {ready} ms");
        tab.close().await;
    }
}

/// Turns the mouse wheel forty times and measures each frame.
const FRAMES: &str = "
    const done = arguments[0], canvas = document.getElementById('canvas'), box = canvas.getBoundingClientRect();
    let slowest = 0, turn = 0;
    (function next() {
        const start = performance.now();
        const at = { clientX: box.left + box.width / 3, clientY: box.top + box.height / 2, bubbles: true, cancelable: true };
        canvas.dispatchEvent(new WheelEvent('wheel', { ...at, deltaY: turn < 20 ? -120 : 120 }));
        requestAnimationFrame(() => setTimeout(() => {
            slowest = Math.max(slowest, performance.now() - start);
            if (++turn < 40) next(); else done(Math.round(slowest));
        }));
    })();";

#[tokio::test]
async fn a_large_graph_begins_as_an_overview_that_one_can_go_into() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::large(50_000)).await;
    assert_eq!(tab.text("document.getElementById('hint').textContent").await, "Click a disc to go into it.");
    let (x, y) = place_of(&tab, "/^[a-z]+-\\d+$/.test(name) && tip.textContent.includes('heroku_addon')").await;
    tab.click_at(x, y).await;
    tab.until("document.getElementById('panel').hidden").await;
    choose(&tab, "redis-29").await;
    tab.until("document.querySelector('#panel .properties')?.textContent.includes('redis:basic')").await;
    tab.press("Path from here").await;
    choose(&tab, "billing-0").await;
    tab.until("/step/.test(document.getElementById('path-bar').textContent)").await;
    tab.press("Table").await;
    tab.until("document.querySelectorAll('#table tbody tr').length > 0").await;
    assert_eq!(tab.value("document.querySelectorAll('*').length < 3000").await, json!(true));
    tab.close().await;
}
