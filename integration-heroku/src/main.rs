//! The command-line program of the Heroku integration.

use std::process::ExitCode;

use integration_cli::Program;

fn main() -> ExitCode {
    let program = Program::new(integration_heroku::integration()).version(env!("CARGO_PKG_VERSION"));
    let program = program.questions(integration_heroku::QUESTIONS).rules(integration_heroku::RULES);
    program.sample(integration_heroku::sample).main()
}
