//! The interactions of a reader with a small graph.

use integration_browser_tests::{Browser, Key, Light, samples};
use serde_json::json;

use crate::{choose, explore, place_of};

/// The colour of the canvas in its corner.
const CORNER: &str =
    "Array.from(document.getElementById('canvas').getContext('2d').getImageData(2, 2, 1, 1).data.slice(0, 3))";

#[tokio::test]
async fn a_small_graph_lies_as_a_whole_and_can_be_searched() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    assert_eq!(tab.text("document.querySelector('h1').textContent").await, "Heroku");
    assert_eq!(tab.text("document.querySelector('.shown').textContent").await, "121 entities");
    place_of(&tab, "name === 'Example 1'").await;
    place_of(&tab, "name.startsWith('redis')").await;

    tab.keys("/").await;
    tab.keys("exam").await;
    tab.until("document.querySelectorAll('#results [role=option]').length > 2").await;
    assert_eq!(tab.text("document.querySelector('#results .name').textContent").await, "Example 1");
    tab.keys("ple 2").await;
    tab.until("document.querySelector('#results .name').textContent === 'Example 2'").await;
    tab.key(Key::Enter).await;
    tab.until("document.querySelector('#panel h2').textContent === 'Example 2'").await;

    // The search includes properties and raw data.
    tab.click("#query").await;
    tab.value("document.getElementById('query').select()").await;
    tab.keys("redis:basic").await;
    tab.until("document.querySelector('#results .type')?.textContent.includes('in its properties')").await;
    tab.close().await;
}

#[tokio::test]
async fn a_click_chooses_an_object_and_the_panel_tells_all_about_it() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    let (x, y) = place_of(&tab, "name === 'billing-0'").await;
    tab.click_at(x, y).await;
    tab.until("document.querySelector('#panel h2')?.textContent === 'billing-0'").await;
    assert_eq!(tab.text("document.querySelector('#panel .type').textContent").await, "heroku_team");
    let panel = "document.querySelector('#panel').textContent";
    assert_eq!(tab.value(&format!("{panel}.includes('2024-05-01 10:40:00 UTC')")).await, json!(true));
    assert_eq!(
        tab.value(&format!("{panel}.includes('permissions')")).await,
        json!(false),
        "raw data must not be parsed before it is opened"
    );
    tab.value(
        "Array.from(document.querySelectorAll('#panel summary')).find((s) => s.textContent === 'Raw data').click()",
    )
    .await;
    tab.until(&format!("{panel}.includes('\"permissions\"')")).await;

    tab.press("Example 1").await;
    tab.until("document.querySelector('#panel h2').textContent === 'Example 1'").await;
    tab.value("history.back()").await;
    tab.until("document.querySelector('#panel h2').textContent === 'billing-0'").await;
    tab.key(Key::Escape).await;
    tab.until("document.getElementById('panel').hidden").await;
    tab.close().await;
}

#[tokio::test]
async fn neighbours_are_expanded_on_click() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    choose(&tab, "billing-0").await;
    tab.press("Surroundings").await;
    tab.until("location.hash.includes('view=surroundings')").await;
    let (x, y) = place_of(&tab, "name === 'Example 1'").await;
    tab.click_at(x, y).await;
    tab.until("document.querySelector('#panel h2').textContent === 'Example 1'").await;
    // Expanding the account has added its other team.
    place_of(&tab, "name === 'catalog-2'").await;
    tab.close().await;
}

#[tokio::test]
async fn the_legend_filters_by_type_class_and_relationship() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    let shown = "document.querySelector('.shown').textContent";
    tab.click("#legend label[title=heroku_addon] input").await;
    tab.until(&format!("{shown}.startsWith('61 of 121')")).await;
    tab.click("#legend label[title=User] input").await;
    tab.until(&format!("{shown}.startsWith('31 of 121')")).await;
    assert_eq!(tab.value("location.hash.includes('-type=heroku_addon')").await, json!(true));
    tab.press("Table").await;
    tab.until("document.querySelector('#table caption').textContent === 'Entities: 31'").await;

    let hash = tab.text("location.hash").await;
    tab.go(&hash).await;
    tab.until(&format!("{shown}.startsWith('31 of 121')")).await;
    tab.press("Show all").await;
    tab.until("document.querySelector('#table caption').textContent === 'Entities: 121'").await;
    tab.close().await;
}

#[tokio::test]
async fn a_path_leads_from_one_object_to_another() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    choose(&tab, "billing-0").await;
    tab.press("Path from here").await;
    choose(&tab, "catalog-2").await;
    let bar = "document.getElementById('path-bar').textContent";
    tab.until(&format!("{bar}.startsWith('2 steps')")).await;
    assert_eq!(tab.value(&format!("{bar}.includes('Example 1')")).await, json!(true));

    let hash = tab.text("location.hash").await;
    tab.go(&hash).await;
    tab.until(&format!("{bar}.startsWith('2 steps')")).await;
    tab.press("Show on its own").await;
    place_of(&tab, "name === 'Example 1'").await;

    // A path must not lead through filtered objects.
    let hidden = ["heroku_account_has_team", "heroku_account_has_account_member", "heroku_team_has_account_member"];
    let hidden: String = hidden.iter().map(|kind| format!("&-kind={kind}+HAS")).collect();
    tab.go(&format!("{hash}{hidden}")).await;
    tab.until(&format!("{bar}.startsWith('No path')")).await;
    tab.close().await;
}

#[tokio::test]
async fn a_link_opens_the_object_and_an_unknown_one_opens_the_page() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    tab.go("#at=heroku_team-000003&view=surroundings").await;
    tab.until("document.querySelector('#panel h2')?.textContent === 'search-1'").await;
    tab.go("#at=no-such-key&view=nonsense&-type=nothing&light=pink").await;
    tab.until("document.documentElement.dataset.ready").await;
    assert_eq!(tab.value("document.getElementById('panel').hidden").await, json!(true));
    tab.close().await;
}

#[tokio::test]
async fn dark_follows_the_system_and_the_button() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    tab.prefer(Light::Dark).await;
    tab.until(&format!("{CORNER}.every((part) => part < 60)")).await;
    let ground = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(tab.text(ground).await, "rgb(15, 20, 26)");
    tab.click("#light").await;
    tab.until(&format!("{CORNER}.every((part) => part > 200)")).await;
    assert_eq!(tab.text(ground).await, "rgb(246, 248, 250)");
    tab.close().await;
}

#[tokio::test]
async fn the_keyboard_reaches_everything() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    tab.click("#show-help").await;
    tab.until("document.getElementById('help').open").await;
    tab.key(Key::Escape).await;
    tab.until("!document.getElementById('help').open").await;
    tab.value("document.getElementById('canvas').focus()").await;
    tab.keys("n").await;
    tab.until("document.getElementById('live').textContent !== ''").await;
    tab.key(Key::Enter).await;
    tab.until("!document.getElementById('panel').hidden").await;
    let first = tab.text("document.querySelector('#panel h2').textContent").await;
    tab.keys("n").await;
    tab.key(Key::Enter).await;
    tab.until(&format!("document.querySelector('#panel h2').textContent !== {first:?}")).await;
    for (key, view) in [("s", "surroundings"), ("t", "table"), ("m", "map")] {
        tab.keys(key).await;
        tab.until(&format!("document.querySelector('[data-view={view}]').getAttribute('aria-pressed') === 'true'"))
            .await;
    }
    for key in ["+", "-", "0", "f", "f", "d", "d", "a"] {
        tab.keys(key).await;
    }
    tab.until("!document.getElementById('path-bar').hidden").await;
    for _ in 0..3 {
        tab.key(Key::Escape).await;
    }
    tab.until("document.getElementById('panel').hidden && document.getElementById('path-bar').hidden").await;
    tab.close().await;
}

#[tokio::test]
async fn the_table_says_what_the_picture_shows() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    tab.press("Table").await;
    tab.until("document.querySelectorAll('#table tbody tr').length === 100").await;
    tab.press("Next →").await;
    tab.until("document.querySelectorAll('#table tbody tr').length === 21").await;
    tab.press("Relationships (157)").await;
    tab.until("document.querySelector('#table caption').textContent === 'Relationships: 157'").await;
    tab.press("Entities (121)").await;
    tab.press("Relationships").await;
    tab.press("Relationships ↑").await;
    tab.until("document.querySelector('#table th[aria-sort]').getAttribute('aria-sort') === 'descending'").await;
    let degrees = tab
        .value("Array.from(document.querySelectorAll('#table td.number'), (cell) => Number(cell.textContent))")
        .await;
    let degrees: Vec<i64> = degrees.as_array().into_iter().flatten().filter_map(serde_json::Value::as_i64).collect();
    assert!(degrees.len() == 100 && degrees.is_sorted_by(|a, b| a >= b), "{degrees:?}");
    tab.close().await;
}

#[tokio::test]
async fn what_is_seen_can_be_taken_along() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    for (format, start) in [("png", &b"\x89PNG"[..]), ("svg", b"<svg xmlns="), ("csv", "\u{feff}Name,Type".as_bytes())]
    {
        tab.click("#export summary").await;
        tab.click(&format!("[data-export={format}]")).await;
        let file = tab.downloaded(&format!("heroku.{format}")).await;
        assert!(file.starts_with(start), "{format}: {:?}", &file[..file.len().min(40)]);
    }
    let svg = tab.downloaded("heroku.svg").await;
    let svg = String::from_utf8(svg).expect("an SVG in UTF-8");
    assert!(svg.contains("Example 1"));
    let parsed = format!(
        "new DOMParser().parseFromString({}, 'image/svg+xml').querySelector('parsererror')",
        serde_json::Value::from(svg)
    );
    assert_eq!(tab.value(&parsed).await, serde_json::Value::Null);
    tab.close().await;
}

#[tokio::test]
async fn a_telephone_shows_everything_without_scrolling_sideways() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    tab.shrink(380, 760).await;
    tab.until("innerWidth === 380 && getComputedStyle(document.getElementById('legend')).display === 'none'").await;
    let fits = "document.documentElement.scrollWidth <= 380 && document.querySelector('header').scrollWidth <= 380";
    tab.until(fits).await;
    tab.press("Filter").await;
    tab.until("getComputedStyle(document.getElementById('legend')).display !== 'none'").await;
    tab.press("Filter").await;
    choose(&tab, "billing-0").await;
    tab.until("document.getElementById('canvas').clientHeight > 150").await;
    for view in ["Table", "Map"] {
        tab.press(view).await;
        tab.until(fits).await;
    }
    tab.close().await;
}

/// The extent of the drawing on the canvas, in hundredths of its width and height.
const REACH: &str = "(() => {
    const canvas = document.getElementById('canvas'), { width, height } = canvas;
    const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    const is = (x, y) => [0, 1, 2].some((part) => pixels[(y * width + x) * 4 + part] !== pixels[part]);
    let [left, top, right, bottom] = [width, height, 0, 0];
    for (let y = 0; y < height; y += 2) for (let x = 0; x < width; x += 2) if (is(x, y)) {
        [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
    const part = (from, to, whole) => [Math.round(100 * from / whole), Math.round(100 * to / whole)];
    return [...part(left, right, width), ...part(top, bottom, height)];
})()";

/// Whether the map is centred, inside the canvas, and as large as the canvas allows.
const FITS: &str = "((left, right, top, bottom) =>
    left >= 1 && right <= 99 && top >= 1 && bottom <= 99 && Math.min(left, top) <= 16 && Math.max(right, bottom) >= 84
    && Math.abs(left - (100 - right)) < 8 && Math.abs(top - (100 - bottom)) < 8)";

#[tokio::test]
async fn the_map_is_fitted_to_a_window_of_another_size_until_the_reader_looks_elsewhere() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    let fits = format!("{FITS}(...{REACH})");
    tab.until(&fits).await;
    for (width, height) in [(380, 760), (760, 380), (1600, 1000)] {
        tab.shrink(width, height).await;
        tab.until(&format!("innerWidth === {width} && {fits}")).await;
    }

    // The focus of the zoom is the middle of the map, so the centre must stay fixed.
    tab.value("document.getElementById('canvas').focus()").await;
    for _ in 0..4 {
        tab.keys("+").await;
    }
    tab.shrink(700, 900).await;
    tab.until(&format!("innerWidth === 700 && document.getElementById('canvas').width > 0 && !{fits}")).await;
    let settled = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))";
    tab.wait(&format!("{settled}.then(arguments[0])")).await;
    assert_eq!(tab.value(&fits).await, json!(false), "the page must keep the zoom");
    tab.keys("0").await;
    tab.until(&fits).await;
    tab.shrink(420, 900).await;
    tab.until(&format!("innerWidth === 420 && {fits}")).await;
    tab.close().await;
}

#[tokio::test]
async fn an_empty_graph_is_a_page_too() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &integration_view::explorer::GraphPicture::default()).await;
    assert_eq!(tab.text("document.getElementById('hint').textContent").await, "The graph is empty.");
    for view in ["Surroundings", "Table", "Map"] {
        tab.press(view).await;
    }
    tab.close().await;
}
