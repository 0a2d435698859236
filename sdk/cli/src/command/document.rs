//! `document`: writes the data model as Markdown.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use integration_sdk::{Plan, input};

use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::markdown::{self, Page};
use crate::style::printable_path;

/// The maximum number of lines that `--check` shows of each version.
const SHOWN: usize = 12;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} document                             print the tables
  {name} document --file README.md            update the tables in the file
  {name} document --file README.md --check    check in CI that the file is up to date

The tables are written between these two lines. A file without them gets them at its end:
  <!-- data-model:begin -->
  <!-- data-model:end -->")]
pub(crate) struct Document {
    /// File to update [default: stdout]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Do not write; exit with code 4 if the file is out of date
    #[arg(long, requires = "file")]
    check: bool,
}

pub(crate) fn run(context: &Context<'_>, args: &Document) -> Result<u8, Failure> {
    let plan = Plan::new(context.integration)?;
    let model = markdown::data_model(context.integration, &plan);
    let Some(path) = &args.file else {
        context.print(&model)?;
        return Ok(exit::SUCCESS);
    };
    let old = match input::read_to_string(path, input::DOCUMENT) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::file("read", path)(error)),
    };
    let page = Page::parse(old.as_deref().unwrap_or_default())
        .map_err(|reason| Failure::Markers { path: path.clone(), reason })?;
    let new = page.with(&model);
    match (old, args.check) {
        (Some(old), _) if old == new => report(context, path, "is up to date.", exit::SUCCESS),
        (Some(old), true) => {
            report(context, path, "is out of date:", exit::FINDINGS)?;
            context.print(&difference(&old, &new))?;
            let advice = format!("{} document --file {}", context.program, printable_path(path));
            context.print(&format!("Run `{advice}` to update it.\n"))?;
            Ok(exit::FINDINGS)
        }
        (None, true) => report(context, path, "does not exist.", exit::FINDINGS),
        (old, false) => {
            std::fs::write(path, new).map_err(Failure::file("write", path))?;
            report(context, path, if old.is_some() { "was updated." } else { "was created." }, exit::SUCCESS)
        }
    }
}

fn report(context: &Context<'_>, path: &Path, state: &str, code: u8) -> Result<u8, Failure> {
    context.print(&format!("{} {state}\n", printable_path(path)))?;
    Ok(code)
}

/// The lines between the common beginning and the common end of both texts.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[same..].iter().rev().zip(new[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut text = format!("@@ line {} @@\n", same + 1);
    for (sign, lines) in [('-', &old[same..old.len() - tail]), ('+', &new[same..new.len() - tail])] {
        lines.iter().take(SHOWN).for_each(|line| text += &format!("{sign}{line}\n"));
        if lines.len() > SHOWN {
            text += &format!("{sign}... and {} more lines\n", lines.len() - SHOWN);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_what_lies_between_equal_lines() {
        assert_eq!(difference("a\nb\nc\n", "a\nx\ny\nc\n"), "@@ line 2 @@\n-b\n+x\n+y\n");
        assert_eq!(difference("a\na\n", "a\na\na\n"), "@@ line 3 @@\n+a\n");
    }
}
