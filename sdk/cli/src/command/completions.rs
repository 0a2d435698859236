//! `completions`: generates a completion script for a shell.

use clap::Args;
use clap_complete::Shell;

use crate::context::Context;
use crate::exit;
use crate::failure::Failure;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} completions bash > ~/.bash_completion
  {name} completions fish > ~/.config/fish/completions/{name}.fish")]
pub(crate) struct Completions {
    /// Shell to generate the script for
    shell: Shell,
}

pub(crate) fn run(context: &Context<'_>, args: &Completions) -> Result<u8, Failure> {
    let mut command = context.line.clone();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, context.program, &mut script);
    context.print(&String::from_utf8_lossy(&script))?;
    Ok(exit::SUCCESS)
}
