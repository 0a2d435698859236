//! The class schemas as a set, with valid and invalid objects.

mod examples;
mod formats;
mod set;
mod validator;
