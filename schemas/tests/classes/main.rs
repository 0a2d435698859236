//! The class schemas as a set, and what they accept and refuse.

mod examples;
mod set;
mod validator;
