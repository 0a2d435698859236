//! JSON bodies of the organisation's parts, with the fields of the public schema.
//!
//! The parts themselves know neither their bodies nor the organisation.

mod access;
mod accounts;
mod addon_services;
mod fields;
mod listed;
mod pipelines;
mod references;
mod sign_in;
mod spaces;

pub(super) use accounts::{app_of_team, own_account};
pub(super) use fields::dates;
pub(super) use listed::Listed;
