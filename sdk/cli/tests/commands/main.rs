//! Tests of the commands from the outside, with the small integration of `tests/program`.

mod collect;
mod documents;
mod jobs;
mod new;
mod space;
mod usage;
mod validate;
