//! `completions`: a script for a shell.

use clap::Args;
use clap_complete::Shell;

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} completions bash > ~/.bash_completion
  {name} completions fish > ~/.config/fish/completions/{name}.fish")]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(session: &Session<'_>, order: &Completions) -> Result<u8, Failure> {
    let mut command = session.line.clone();
    let mut script = Vec::new();
    clap_complete::generate(order.shell, &mut command, session.program, &mut script);
    session.print(&String::from_utf8_lossy(&script))?;
    Ok(exit::SUCCESS)
}
