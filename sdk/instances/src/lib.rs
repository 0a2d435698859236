//! Configured instances of integrations, and the file `instances.yaml` that contains them.
//!
//! An instance is one account of a provider: its configuration, its polling, and what is kept of it. Secrets are never part
//! of an instance; it contains references to them.
//!
//! ```
//! use integration_instances::{ConfigValue, parse};
//!
//! let text = "
//! instances:
//!   - name: production
//!     pollingInterval: ONE_HOUR
//!     config:
//!       api_key: env:HEROKU_API_KEY
//! ";
//! let instances = parse(text, "heroku")?;
//! assert_eq!(instances[0].integration, "heroku");
//! assert!(matches!(instances[0].config["api_key"], ConfigValue::Secret(_)));
//! # Ok::<(), integration_instances::ReadError>(())
//! ```
//!
//! | task | function |
//! | --- | --- |
//! | read and change the file of a data directory | [`read`], [`InstanceFile`] |
//! | read a text of the same form | [`parse`] |
//! | read the forms of other programs as well | [`import`] |
//! | write instances | [`to_yaml`], and `Serialize` of [`Instance`] |
//! | compare an instance with the fields of its integration | [`Instance::fit`] |
//! | recognise a change that affects a job | [`Instance::revision`] |
#![deny(missing_docs)]

mod age;
mod document;
mod error;
mod file;
mod fit;
mod import;
mod instance;
mod name;
mod polling;
mod revision;
mod yaml;

pub use age::{Age, AgeError};
pub use document::{parse, to_yaml};
pub use error::{InstancesError, Problem, ReadError};
pub use file::{FILE, InstanceFile, read};
pub use fit::{KnownField, Misfit};
pub use import::{Imported, import};
pub use instance::{ConfigValue, Instance, KeptJobs};
pub use name::{NameError, RESERVED, check_name};
pub use polling::{Polling, PollingError};
