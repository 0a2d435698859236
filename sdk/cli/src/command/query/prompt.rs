//! The interactive prompt, with history and completion.

use std::path::{Path, PathBuf};

use integration_query::graph::AccountGraph;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};

use super::assistant::Assistant;
use super::names::Names;
use crate::asking::Asking;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::answer;
use crate::report::text::counted;
use crate::{console, exit};

const PROMPT: &str = "j1ql> ";
const HELP: &str = "\
Type a query in J1QL, such as FIND User THAT HAS Team. Tab completes types, classes, properties, and verbs.
  explain QUERY   show the plan of a query
  \\ at the end     continue on the next line
  types           list the types and classes of the graph
  exit            leave the prompt (also Ctrl-D)
";
/// The maximum number of queries in the history.
const HISTORY: usize = 1_000;

/// Reads queries and prints their answers until the user leaves.
pub(super) async fn run(context: &Context<'_>, graph: &AccountGraph, asking: &Asking) -> Result<u8, Failure> {
    let config = Config::builder().max_history_size(HISTORY).map_err(terminal)?.auto_add_history(false).build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).map_err(terminal)?;
    let names = Names::of(graph)?;
    let types = names.to_string();
    editor.set_helper(Some(Assistant::new(names)));
    let history = history(context);
    // A missing or damaged history is no reason to refuse the prompt.
    let _ = editor.load_history(&history);
    let (entities, relationships) = (u64::from(graph.node_count()), u64::from(graph.edge_count()));
    context.print(&format!(
        "{} and {}. Type help for help, exit to leave.\n",
        counted(entities, "entity", "entities"),
        counted(relationships, "relationship", "relationships")
    ))?;
    loop {
        let line = match tokio::task::block_in_place(|| editor.readline(PROMPT)) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(terminal(error)),
        };
        match line.trim() {
            "" => {}
            "exit" | "quit" => break,
            "help" => context.print(HELP)?,
            "types" => context.print(&types)?,
            query => {
                remember(&mut editor, &line, &history);
                asking.stop.reset();
                answer(context, graph, asking, query).await?;
                asking.stop.reset();
            }
        }
    }
    Ok(exit::SUCCESS)
}

/// Prints the answer to a query, or its error. Only a closed terminal ends the prompt.
async fn answer(context: &Context<'_>, graph: &AccountGraph, asking: &Asking, line: &str) -> Result<(), Failure> {
    let line = line.replace("\\\n", "\n");
    let (explain, query) = match line.split_once(char::is_whitespace) {
        Some((word, rest)) if word.eq_ignore_ascii_case("explain") => (true, rest),
        _ => (false, line.as_str()),
    };
    let (filled, limits) = (asking.filled(query), asking.limits());
    let answered = match &filled {
        Ok(query) => asking.answer_within(&limits, graph, query).await.map(|answer| (query, answer)),
        Err(failure) => {
            context.console.fail(&failure.render(&context.called()));
            return Ok(());
        }
    };
    match answered {
        Ok((_, answer)) if explain => context.print(&answer.profile.to_string()),
        Ok((query, answer)) => {
            let shown = context.stream(None, &limits, |out| answer::write_text(&answer.result, console::width(), out));
            if let Err(failure @ Failure::Query { .. }) = shown {
                context.console.fail(&failure.render(&context.called()));
                return Ok(());
            }
            shown?;
            context.console.note(&answer::number(&answer));
            context.console.remarks(&answer::remarks(context, query, &answer));
            Ok(())
        }
        Err(failure) => {
            context.console.fail(&failure.render(&context.called()));
            Ok(())
        }
    }
}

/// The file of the history. It contains names of the account, so only its owner can read it.
fn history(context: &Context<'_>) -> PathBuf {
    context.globals.data_dir.join("query-history")
}

/// Adds a query to the history and its file at once, because the terminal may be closed at any time.
///
/// A new file is created for its owner only.
fn remember(editor: &mut Editor<Assistant, FileHistory>, query: &str, path: &Path) {
    // A history that cannot be written is no reason to refuse the query.
    let _ = editor.add_history_entry(query).and_then(|_| editor.append_history(path));
}

fn terminal(error: ReadlineError) -> Failure {
    Failure::Stdout(std::io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(path: &Path, queries: &[&str]) -> Vec<String> {
        let config = Config::builder().auto_add_history(false).build();
        let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).expect("an editor");
        let _ = editor.load_history(path);
        queries.iter().for_each(|query| remember(&mut editor, query, path));
        editor.history().iter().cloned().collect()
    }

    #[test]
    fn every_query_is_in_the_history_at_once_and_stays_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("query-history");
        session(&path, &["FIND User", "FIND Team"]);
        assert_eq!(session(&path, &[]), ["FIND User", "FIND Team"], "the editor of the first session was not closed");
        session(&path, &["FIND Application\nLIMIT 1"]);
        assert_eq!(session(&path, &[]), ["FIND User", "FIND Team", "FIND Application\nLIMIT 1"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().expect("the file").permissions().mode() & 0o777, 0o600);
        }
    }
}
