//! Question packs: queries that a security team asks again and again, with the meaning of their results.
//!
//! A question has one or more J1QL queries. Each query declares if its results are good, bad, unknown, or only
//! informative, and from the numbers of results follows the [`Verdict`] of the question.
//!
//! ```
//! use integration_questions::{Pack, ResultsAre};
//!
//! let text = "
//! questions:
//!   - id: without-mfa
//!     title: Which members have no second factor?
//!     description: Members without multi-factor authentication.
//!     queries:
//!       - {query: FIND acme_member WITH mfaEnabled = false, resultsAre: BAD}
//!     tags: [access]
//! ";
//! let pack = Pack::parse(text)?;
//! assert_eq!(pack.questions[0].queries[0].results_are, ResultsAre::Bad);
//! assert!(pack.problems().is_empty());
//! # Ok::<(), integration_questions::PackError>(())
//! ```
//!
//! | file | accepted form |
//! | --- | --- |
//! | `questions.yaml` of an integration | `{integrationDefinitionId?, sourceId?, questions: […]}` |
//! | file of the JupiterOne client | a list of questions |
//! | managed pack | `{integrations?, questions: […]}` with queries as a list or as a map from names to queries |
//! | custom compliance framework | `{name, requirements: [{controls: [{controlTests: […]}]}]}` |
//! | one question | an object with `title` and `queries` |
//!
//! This crate reads text. It neither runs queries nor knows files, a store, or the network.
#![deny(missing_docs)]

mod framework;
mod problems;
mod question;
mod read;
mod verdict;

pub use problems::Problem;
pub use question::{Compliance, Pack, PackQuery, Question, ResultsAre, Variable};
pub use read::PackError;
pub use verdict::{Answered, Verdict};
