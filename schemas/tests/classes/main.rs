//! The class schemas as a set, and what they accept and refuse.

mod examples;
mod formats;
mod set;
mod validator;
