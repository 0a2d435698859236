//! A browser for tests: chromedriver on loopback, with a separate headless Chromium for each page.
//!
//! Everything is behind the feature `browser`. A test runs only if `BROWSER_TESTS=1` is set, because it requires
//! Chromium and chromedriver:
//!
//! ```text
//! BROWSER_TESTS=1 cargo test -p integration-browser-tests --features browser
//! ```
//!
//! `Tab::close` fails a test if its page threw or logged an error. The tests of the pages are in `tests/pages`.

#![deny(missing_docs)]

#[cfg(feature = "browser")]
mod command;
#[cfg(feature = "browser")]
mod driver;
#[cfg(feature = "browser")]
#[path = "../../../sdk/view/examples/explorer_gallery/samples.rs"]
#[allow(missing_docs)]
pub mod samples;
#[cfg(feature = "browser")]
mod tab;

#[cfg(feature = "browser")]
pub use {driver::Browser, fantoccini::key::Key, tab::Light, tab::Tab};
