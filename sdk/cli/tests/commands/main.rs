//! What people and programs see of the commands: the tiny integration of `tests/program` run as a program.

mod collect;
mod documents;
mod jobs;
mod new;
mod space;
mod usage;
mod validate;
