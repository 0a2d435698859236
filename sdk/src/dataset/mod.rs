//! A collected graph in files: the exchange layout that other tools read.
//!
//! ```text
//!   DIR/summary.json
//!   DIR/graph/<step>/entities/<type>-<number>.json         {"entities": [...]}
//!   DIR/graph/<step>/relationships/<type>-<number>.json    {"relationships": [...]}
//! ```
//!
//! Objects are sorted by key, so the bytes of a graph do not depend on how it was collected. At any time, even after a
//! failure, `DIR` contains either the old graph or the new one, and only files of an earlier export are replaced or
//! removed. All files are accessible to their owner only. This module depends neither on schemas nor on the code of
//! steps.
//!
//! ```
//! # use integration_sdk::prelude::*;
//! # /// A planet.
//! # #[derive(EntityKind)]
//! # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
//! # struct Planet { #[entity(key)] id: String, name: String }
//! # #[step(id = "fetch-planets", name = "Fetch planets")]
//! # async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
//! #     planets.add(Planet { id: "planet:earth".into(), name: "Earth".into() }).await?;
//! #     Ok(())
//! # }
//! use integration_sdk::dataset::{self, Found};
//! # use integration_sdk::Integration;
//! # use integration_testing_kit::Collected;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), dataset::DatasetError> {
//! # let directory = tempfile::tempdir().expect("a temporary folder");
//! # let directory = directory.path().join("export");
//! # let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets());
//! # let collected = Collected::run_without_values(&space).await;
//! # let (snapshot, summary) = (collected.stored(), &collected.summary);
//! let exported = dataset::export(snapshot, &directory, summary).await?;
//! assert_eq!((exported.entities, exported.files), (1, 1));
//!
//! let read = dataset::read(&directory, |Found { object, .. }| {
//!     assert_eq!(object["_key"], "planet:earth");
//! })?;
//! assert_eq!(read.entities, 1);
//! # Ok(()) }
//! ```

mod content;
mod error;
mod export;
mod read;
mod tree;
mod wrapper;

pub use error::DatasetError;
pub use export::{ExportFolder, Exported, check_apart, check_kept, export};
pub use read::{Found, Read, read, read_text, unread};
pub use tree::read_tree;
pub use wrapper::Wrapper;
