//! Tests of the real pages in headless Chromium. A test fails if its page throws or logs an error.

mod compared;
mod explorer;
mod hostile;
mod large;
mod pictures;

use integration_browser_tests::{Browser, Key, Tab};
use integration_view::explorer::{GraphPicture, write_html};

const DESK: (u32, u32) = (1280, 800);

/// Opens the explorer page of a graph and waits until it is drawn.
async fn explore(browser: &Browser, graph: &GraphPicture) -> Tab {
    let mut page = Vec::new();
    write_html(graph, &mut page).expect("a page in memory");
    let tab = browser.open(&page, DESK).await;
    tab.until("document.documentElement.dataset.ready").await;
    tab
}

/// Finds an object by name and selects it.
async fn choose(tab: &Tab, name: &str) {
    tab.click("#query").await;
    tab.value("document.getElementById('query').select()").await;
    tab.keys(name).await;
    tab.until("document.querySelector('#results [role=option]')").await;
    tab.key(Key::Enter).await;
    tab.until(&format!("document.querySelector('#panel h2')?.textContent === {name:?}")).await;
}

/// The centre, in window pixels, of the first object or disc that fulfils a condition.
///
/// The condition is a JavaScript expression of `name` and `tip`.
async fn place_of(tab: &Tab, condition: &str) -> (f64, f64) {
    let found = tab.value(&format!("(() => {{ {SCAN} return found((name, tip) => {condition}); }})()")).await;
    let number = |at: usize| found[at].as_f64().unwrap_or_else(|| panic!("nothing on the map fulfils {condition}"));
    (number(0), number(1))
}

/// Moves the pointer over the canvas and reads the tooltips. It goes row by row up to the first match, then around it.
const SCAN: &str = "
    const canvas = document.getElementById('canvas'), box = canvas.getBoundingClientRect();
    const tip = document.getElementById('tooltip');
    function under(x, y) {
        const at = { clientX: box.left + x, clientY: box.top + y, pointerType: 'mouse', bubbles: true };
        canvas.dispatchEvent(new PointerEvent('pointermove', at));
        return tip.hidden ? '' : tip.firstChild.textContent;
    }
    function first(fulfils) {
        for (let y = 3; y < box.height; y += 3) {
            for (let x = 3; x < box.width; x += 3) {
                const name = under(x, y);
                if (name && fulfils(name, tip)) return { name, x, y };
            }
        }
    }
    function found(fulfils) {
        const hit = first(fulfils);
        if (!hit) return null;
        let [count, sumX, sumY] = [0, 0, 0];
        for (let y = hit.y - 3; y < hit.y + 60; y += 3) {
            for (let x = hit.x - 60; x < hit.x + 60; x += 3) {
                if (under(x, y) === hit.name) [count, sumX, sumY] = [count + 1, sumX + x, sumY + y];
            }
        }
        return [Math.round(box.left + sumX / count), Math.round(box.top + sumY / count)];
    }";
