//! A browser for tests: chromedriver on loopback, with a separate headless Chromium for each page.
//!
//! Everything is behind the feature `browser`, and a test runs only where `BROWSER_TESTS=1` says that Chromium and
//! chromedriver are installed:
//!
//! ```text
//! BROWSER_TESTS=1 cargo test -p integration-browser-tests --features browser
//! ```
//!
//! `Tab::close` fails a test whose page threw or logged an error; the checks of the pages are in `tests/pages`.

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
