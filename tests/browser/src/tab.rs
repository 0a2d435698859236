//! A page in its window, with the actions of a test.

use std::fmt::Display;
use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use fantoccini::actions::{InputSource, MouseActions, PointerAction};
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::command::Post;

/// The time limit of one request to the page.
const PATIENCE: Duration = Duration::from_secs(20);

/// The preferences of the reader's system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Dark text on a light background.
    Light,
    /// Light text on a dark background.
    Dark,
}

/// A page in its window. Every call has a time limit and panics after it.
#[derive(Debug)]
pub struct Tab {
    client: Client,
    folder: TempDir,
    address: String,
}

impl Tab {
    pub(crate) async fn open(client: Client, folder: TempDir, page: &[u8]) -> Tab {
        let path = folder.path().join("page.html");
        fs::write(&path, page).expect("the page on disk");
        let address = format!("file://{}", path.display());
        let tab = Tab { client, folder, address };
        tab.go("").await;
        tab
    }

    /// Reloads the page with a fragment in its address.
    pub async fn go(&self, fragment: &str) {
        within("leave", self.client.goto("about:blank")).await;
        within("open", self.client.goto(&format!("{}{fragment}", self.address))).await;
    }

    /// The value of a JavaScript expression.
    pub async fn value(&self, expression: &str) -> Value {
        within(expression, self.client.execute(&format!("return {expression}"), Vec::new())).await
    }

    /// The value of an expression that is a text.
    pub async fn text(&self, expression: &str) -> String {
        let value = self.value(expression).await;
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    /// Runs a script and waits for its result, which the script passes to `arguments[0]`.
    pub async fn wait(&self, script: &str) -> Value {
        within(script, self.client.execute_async(script, Vec::new())).await
    }

    /// Waits until a condition is true.
    ///
    /// # Panics
    /// Panics with the last value if the condition remains false.
    pub async fn until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[0], start = performance.now();\
             (function look() {{ if ({expression}) done(true);\
             else if (performance.now() - start > 10000) done(false); else setTimeout(look, 10); }})()"
        );
        assert_eq!(self.wait(&script).await, json!(true), "the condition remained false: {expression}");
    }

    /// Clicks the element that matches a CSS selector.
    pub async fn click(&self, selector: &str) {
        let element =
            within(selector, self.client.wait().at_most(PATIENCE / 2).for_element(Locator::Css(selector))).await;
        within(selector, element.click()).await;
    }

    /// Clicks the button with this text.
    pub async fn press(&self, text: &str) {
        let path = format!("//button[not(@hidden) and normalize-space()=\"{text}\"]");
        let element = within(text, self.client.wait().at_most(PATIENCE / 2).for_element(Locator::XPath(&path))).await;
        within(text, element.click()).await;
    }

    /// Types into the focused element, including the special keys of [`Key`].
    pub async fn keys(&self, text: &str) {
        let active = within("the focus", self.client.active_element()).await;
        within(text, active.send_keys(text)).await;
    }

    /// Presses one key.
    pub async fn key(&self, key: Key) {
        self.keys(&String::from(char::from(key))).await;
    }

    /// Clicks a position in the window.
    pub async fn click_at(&self, x: f64, y: f64) {
        let point = |x, y| PointerAction::MoveTo { duration: None, x, y };
        let mouse = MouseActions::new("mouse".into())
            .then(point(x, y))
            .then(PointerAction::Down { button: 0 })
            .then(PointerAction::Up { button: 0 });
        within("a click", self.client.perform_actions(mouse)).await;
    }

    /// Sets the preferences of the reader's system.
    pub async fn prefer(&self, light: Light) {
        let value = if light == Light::Dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        within("light", self.client.issue_cmd(Post::devtools("Emulation.setEmulatedMedia", &features))).await;
    }

    /// Reduces the window to the size of a phone.
    pub async fn shrink(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true });
        within("size", self.client.issue_cmd(Post::devtools("Emulation.setDeviceMetricsOverride", &size))).await;
    }

    /// Waits for the file that the page offers under a name, and returns its contents.
    ///
    /// # Panics
    /// Panics if the page does not offer the file.
    pub async fn downloaded(&self, name: &str) -> Vec<u8> {
        let path: PathBuf = self.folder.path().join("downloads").join(name);
        let arrives = async {
            while !path.exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, arrives).await.unwrap_or_else(|_| panic!("the page did not offer {name}"));
        fs::read(&path).expect("the offered file")
    }

    /// Closes the window.
    ///
    /// # Panics
    /// Panics if the page threw, logged an error, or violated its content security policy.
    pub async fn close(self) {
        let log = within("the log", self.client.issue_cmd(Post::log())).await;
        let errors: Vec<&Value> =
            log.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE").collect();
        within("close", self.client.clone().close()).await;
        assert!(errors.is_empty(), "the page logged errors: {errors:#?}");
    }
}

async fn within<T, E: Display>(what: &str, answer: impl Future<Output = Result<T, E>>) -> T {
    let answer = timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("no response in time: {what}"));
    answer.unwrap_or_else(|error| panic!("{what}: {error}"))
}
