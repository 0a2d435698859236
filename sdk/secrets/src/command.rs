//! Command lines, split into words without a shell.

use std::fmt;
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::error::{LONGEST_SECRET, SecretError};

/// A program with its arguments.
///
/// Words are separated by blanks. Single or double quotes keep blanks in a word. No other character has a meaning: there
/// are no variables, patterns, pipes, or escapes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandLine {
    text: String,
    program: String,
    arguments: Vec<String>,
}

/// A text that is no command line. The error omits the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandLineError {
    /// There is no program.
    #[error("the command is empty, expected a program with its arguments")]
    Empty,
    /// A quotation mark has no counterpart.
    #[error("a quotation mark in the command is not closed")]
    Unclosed,
    /// A word contains a NUL character, which no program can receive.
    #[error("the command contains a NUL character")]
    Nul,
}

impl CommandLine {
    /// Returns the program.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Returns the arguments.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Runs the program, and returns its standard output.
    ///
    /// The program has no standard input. Its standard error is dropped: it may contain the secret.
    pub(crate) async fn output(&self, limit: Duration) -> Result<Vec<u8>, SecretError> {
        let program = || self.program.clone();
        let failed = |source| SecretError::Command { program: program(), source };
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.kill_on_drop(true).spawn().map_err(failed)?;
        let pipe = child.stdout.take();
        let work = async {
            let mut bytes = Vec::new();
            if let Some(pipe) = pipe {
                pipe.take(LONGEST_SECRET + 1).read_to_end(&mut bytes).await?;
            }
            // A program with more output than the limit would wait for a reader for ever.
            let status = if bytes.len() as u64 > LONGEST_SECRET { None } else { Some(child.wait().await?) };
            Ok((bytes, status))
        };
        let ended = tokio::time::timeout(limit, work).await;
        let (bytes, status) = match ended {
            Ok(ended) => ended.map_err(failed)?,
            Err(_) => return Err(SecretError::CommandTimeout { program: program(), limit }),
        };
        match status {
            None => Err(SecretError::TooLong { reference: format!("command:{self}") }),
            Some(status) if status.success() => Ok(bytes),
            Some(status) => Err(SecretError::CommandFailed { program: program(), status: status.to_string() }),
        }
    }
}

impl FromStr for CommandLine {
    type Err = CommandLineError;

    fn from_str(text: &str) -> Result<Self, CommandLineError> {
        if text.contains('\0') {
            return Err(CommandLineError::Nul);
        }
        let mut words = words(text)?.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or(CommandLineError::Empty)?;
        Ok(Self { text: text.to_owned(), program, arguments: words.collect() })
    }
}

fn words(text: &str) -> Result<Vec<String>, CommandLineError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                // Quotes make a word even if it is empty.
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        None => return Err(CommandLineError::Unclosed),
                        Some(end) if end == letter => break,
                        Some(inner) => word.push(inner),
                    }
                }
            }
            blank if blank.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> CommandLine {
        text.parse().expect("a command line")
    }

    #[test]
    fn quotes_keep_blanks_and_nothing_else_has_a_meaning() {
        let line = line(r#"  op read  "op://My Vault/key" '' a'b 'c $HOME | x\ * "#);
        assert_eq!(line.program(), "op");
        assert_eq!(line.arguments(), ["read", "op://My Vault/key", "", "ab c", "$HOME", "|", r"x\", "*"]);
        assert_eq!("  ".parse::<CommandLine>(), Err(CommandLineError::Empty));
        assert_eq!("''".parse::<CommandLine>(), Err(CommandLineError::Empty));
        assert_eq!("a 'b".parse::<CommandLine>(), Err(CommandLineError::Unclosed));
        assert_eq!("a\0".parse::<CommandLine>(), Err(CommandLineError::Nul));
    }

    #[cfg(unix)]
    mod running {
        use super::*;

        const LONG: Duration = Duration::from_secs(60);

        #[tokio::test]
        async fn the_output_is_returned_and_errors_name_the_program_only() {
            assert_eq!(line("printf %s 's3 cret'").output(LONG).await.expect("an output"), b"s3 cret");
            let error = line("sh -c 'echo s3cret; exit 3'").output(LONG).await.expect_err("it failed");
            let text = format!("{error} {error:?}");
            assert!(text.contains("sh") && text.contains('3') && !text.contains("s3cret"), "{text}");
            let error = line("/no/such/program s3cret").output(LONG).await.expect_err("no program");
            assert!(matches!(error, SecretError::Command { .. }) && !error.to_string().contains("s3cret"), "{error}");
        }

        #[tokio::test]
        async fn an_endless_output_ends_at_the_limit() {
            let error = line("yes").output(LONG).await.expect_err("endless");
            assert!(matches!(error, SecretError::TooLong { .. }), "{error}");
        }

        #[tokio::test]
        async fn a_program_that_hangs_is_ended() {
            let error = line("sleep 3600").output(Duration::from_millis(20)).await.expect_err("it hangs");
            assert!(matches!(error, SecretError::CommandTimeout { .. }), "{error}");
        }

        #[tokio::test]
        async fn a_program_has_no_standard_input() {
            assert_eq!(line("cat").output(LONG).await.expect("an output"), b"");
        }
    }
}
