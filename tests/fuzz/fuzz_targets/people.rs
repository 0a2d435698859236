//! Files of people: no bytes cause a panic, and every problem names an existing line.
#![no_main]

use integration_directory::config::Format;
use integration_directory::people::{Options, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for format in [Format::Csv, Format::Json, Format::Ndjson, Format::Ldif] {
        let Ok(list) = read("people", data, &Options::default().format(format)) else { continue };
        let lines = data.len() as u64 + 1;
        assert!(list.problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
        assert!(list.people.iter().all(|person| person.email.contains('@')));
    }
});
