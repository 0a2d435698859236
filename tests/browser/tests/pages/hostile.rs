//! Names that would cause harm if the page interpreted them as markup.

use integration_browser_tests::{Browser, samples};
use serde_json::json;

use crate::{explore, place_of};

#[tokio::test]
async fn hostile_names_are_text_everywhere_and_run_nothing() {
    let Some(browser) = Browser::start().await else { return };
    let graph = samples::hostile();
    let tab = explore(&browser, &graph).await;
    assert_eq!(tab.text("document.title").await, graph.title);
    place_of(&tab, "name.startsWith('<img src=x')").await;
    let scripts = tab.value("document.scripts.length").await;
    for view in ["map", "surroundings", "table"] {
        for node in &graph.nodes {
            let key: String = url::form_urlencoded::byte_serialize(node.key.as_bytes()).collect();
            tab.value(&format!("location.hash = {}", json!(format!("#view={view}&at={key}")))).await;
            tab.until(&format!(
                "document.querySelector('#panel .key')?.textContent.startsWith('odd-{}-')",
                at(&node.key)
            ))
            .await;
            tab.value(
                "document.querySelectorAll('#panel details:not([open]) summary').forEach((part) => part.click())",
            )
            .await;
            tab.value("document.querySelectorAll('#panel button.quiet').forEach((part) => part.click())").await;
        }
    }
    for text in ["<script>", "onerror", "\u{202e}", "=HYPER"] {
        tab.value(&format!(
            "(() => {{ const query = document.getElementById('query'); query.focus(); query.value = {};\
             query.dispatchEvent(new Event('input')); }})()",
            json!(text)
        ))
        .await;
        tab.until("!document.getElementById('results').hidden").await;
    }
    tab.press("Map").await;
    tab.click("#export summary").await;
    tab.click("[data-export=svg]").await;
    let svg = tab.downloaded("odd-title-script-document-title-owned-script.svg").await;
    let svg = json!(String::from_utf8(svg).expect("an SVG in UTF-8"));
    let parsed = format!(
        "new DOMParser().parseFromString({svg}, 'image/svg+xml').querySelectorAll('script, img, parsererror').length"
    );
    assert_eq!(tab.value(&parsed).await, json!(0));
    assert_eq!(tab.value("window.owned ?? null").await, json!(null));
    assert_eq!(tab.value("document.scripts.length").await, scripts);
    assert_eq!(tab.value("document.querySelectorAll('img, b, i, iframe, a[href^=java]').length").await, json!(0));
    assert_eq!(tab.value("({}).polluted ?? null").await, json!(null));
    let marks = "/[\\u202a-\\u202e\\u2066-\\u2069\\u200f\\u0000\\u001b]/.test(document.body.innerText)";
    assert_eq!(tab.value(marks).await, json!(false), "direction and control marks must appear as visible symbols");
    tab.close().await;
}

#[tokio::test]
async fn the_policy_lets_nothing_in_run_load_or_leave() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::small()).await;
    let policy = tab.text("document.querySelector('meta[http-equiv]').content").await;
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let tried = tab
        .wait(
            "const done = arguments[0], seen = [];\
             document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective));\
             const script = document.createElement('script'); script.textContent = 'window.owned = 1';\
             document.body.append(script);\
             const image = document.createElement('div'); image.setAttribute('onclick', 'window.owned = 2');\
             document.body.append(image); image.click();\
             try { fetch('http://127.0.0.1:9/').catch(() => {}); } catch {}\
             setTimeout(() => done({ owned: window.owned ?? null, seen: seen.sort() }), 200);",
        )
        .await;
    assert_eq!(tried["owned"], json!(null));
    assert_eq!(tried["seen"], json!(["connect-src", "script-src-attr", "script-src-elem"]));
    // The test does not close the page, because `close` would fail on the logged violations.
}

fn at(key: &str) -> &str {
    key.split('-').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn relationships_without_an_end_are_listed() {
    let Some(browser) = Browser::start().await else { return };
    let tab = explore(&browser, &samples::hostile()).await;
    tab.press("Table").await;
    tab.press("Relationships without an end (1)").await;
    tab.until("document.querySelector('#table tbody').textContent.includes('no-such-<b>key')").await;
    tab.close().await;
}
