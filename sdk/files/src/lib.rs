//! Files at the border of a program.
//!
//! | task | module |
//! | --- | --- |
//! | read a file that another program wrote | [`input`]: regular files, up to a given size |
//! | write collected data | [`owner_only`]: files and folders that only their owner can access |
//! | replace a folder or a file at once | [`staging`]: a new result next to the earlier one until it is complete |
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! use integration_files::{input, owner_only};
//! use std::io::Write;
//!
//! let path = folder.path().join("collected.json");
//! owner_only::create(&path)?.write_all(b"{}")?;
//! assert_eq!(input::read(&path, input::DOCUMENT)?, b"{}");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! This crate depends on no other crate of the workspace. Authors of integrations use its modules as
//! `integration_sdk::input` and `integration_sdk::owner_only`.
#![deny(missing_docs)]

pub mod input;
pub mod owner_only;
pub mod staging;
pub mod work_folder;
