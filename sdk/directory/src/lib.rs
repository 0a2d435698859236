//! A directory of people as a graph, from files that another system exports.
//!
//! Each provider of an account graph has logins; none knows the people behind them. This integration reads the people
//! from CSV, JSON, NDJSON, or LDIF files, and connects each person with the logins of the same e-mail address in all
//! other integrations.
//!
//! ```text
//!   bytes ─decode─▶ text ─read─▶ records ─columns─▶ people ─roster─▶ keys, managers ─step─▶ graph
//!                                   └──────────────────┴─▶ lines that cannot be read
//! ```
//!
//! A file of a human resources system is rarely clean. A line that cannot be read is a gap of the graph with the number
//! of the line, and the other lines count. Only the mapped columns are read; no other column reaches the graph.
//!
//! ```
//! use integration_directory::people::{Options, read};
//!
//! let text = b"Mitarbeiter;Name;E-Mail;Austrittsdatum\n17;Ada;Ada@Example.com;31.05.2024\n18;Bob;none;\n";
//! let list = read("people.csv", text, &Options::default())?;
//! assert_eq!(list.people[0].email, "ada@example.com");
//! assert_eq!(list.problems[0].to_string(), "people.csv, line 3: \"none\" is not an e-mail address");
//! # Ok::<(), integration_directory::people::FileError>(())
//! ```
#![deny(missing_docs)]

mod address;
mod columns;
pub mod config;
mod date;
mod decode;
mod files;
mod format;
mod options;
pub mod people;
mod person;
mod read;
mod record;
mod roster;
mod status;
mod step;
pub mod types;

use integration_sdk::Integration;

/// The directory integration: one step that reads all files.
pub fn integration() -> Integration {
    Integration::without_provider::<config::DirectoryConfig>("directory", "Directory").step(step::fetch_people())
}
