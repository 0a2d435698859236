//! The command-line program of the Heroku integration and of the directory of people.

use std::process::ExitCode;

use integration_cli::Program;

fn main() -> ExitCode {
    let program = Program::new(integration_heroku::integration()).version(env!("CARGO_PKG_VERSION"));
    let program = program.questions(integration_heroku::QUESTIONS).rules(integration_heroku::RULES);
    let program = program.sample(integration_heroku::sample);
    let program = program.also(integration_directory::integration()).questions(integration_heroku::PEOPLE_QUESTIONS);
    program.sample(integration_heroku::sample_directory).main()
}
