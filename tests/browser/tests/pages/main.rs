//! The real pages in headless Chromium. Each test fails where its page throws or logs an error.

mod compared;
mod explorer;
mod hostile;
mod large;
mod pictures;

use integration_browser_tests::{Browser, Key, Tab};
use integration_view::explorer::{GraphPicture, write_html};

const DESK: (u32, u32) = (1280, 800);

/// The explorer page of a graph, drawn.
async fn explore(browser: &Browser, graph: &GraphPicture) -> Tab {
    let mut page = Vec::new();
    write_html(graph, &mut page).expect("a page in memory");
    let tab = browser.open(&page, DESK).await;
    tab.until("document.documentElement.dataset.ready").await;
    tab
}

/// Finds an object by name and chooses it.
async fn choose(tab: &Tab, name: &str) {
    tab.click("#query").await;
    tab.value("document.getElementById('query').select()").await;
    tab.keys(name).await;
    tab.until("document.querySelector('#results [role=option]')").await;
    tab.key(Key::Enter).await;
    tab.until(&format!("document.querySelector('#panel h2')?.textContent === {name:?}")).await;
}

/// The middle of the first object or disc of the canvas whose name fulfils a condition, in pixels of the window.
async fn place_of(tab: &Tab, condition: &str) -> (f64, f64) {
    let found = tab.value(&format!("(() => {{ {SCAN} return found((name, tip) => {condition}); }})()")).await;
    let number = |at: usize| found[at].as_f64().unwrap_or_else(|| panic!("nothing on the map fulfils {condition}"));
    (number(0), number(1))
}

/// Moves the pointer over the whole canvas and reads the tooltip.
const SCAN: &str = "
    const canvas = document.getElementById('canvas'), box = canvas.getBoundingClientRect();
    const tip = document.getElementById('tooltip');
    function found(fulfils) {
        let first = null, hits = [];
        for (let y = 2; y < box.height; y += 2) {
            for (let x = 2; x < box.width; x += 2) {
                const at = { clientX: box.left + x, clientY: box.top + y, pointerType: 'mouse', bubbles: true };
                canvas.dispatchEvent(new PointerEvent('pointermove', at));
                const name = tip.hidden ? '' : tip.firstChild.textContent;
                if (!name || (first !== null && name !== first) || (first === null && !fulfils(name, tip))) continue;
                first = name;
                hits.push([at.clientX, at.clientY]);
            }
        }
        const middle = (at) => Math.round(hits.reduce((sum, hit) => sum + hit[at], 0) / hits.length);
        return hits.length ? [middle(0), middle(1)] : null;
    }";
