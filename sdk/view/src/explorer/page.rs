//! The static parts of the page: markup, style, script, and security policy.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::escape::xml;

/// The elements of the page, which the scripts fill.
const BODY: &str = include_str!("page/explorer.html");

/// Returns the elements with their texts. `missing` is markup.
pub(super) fn body(title: &str, subtitle: &str, missing: &str) -> String {
    // All placeholders are replaced in one pass, so that text that looks like a placeholder is not replaced.
    let mut body = String::new();
    let mut rest = BODY;
    while let Some((before, (text, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        body += before;
        body += &match text {
            "title" => xml(title),
            "subtitle" => xml(subtitle),
            "missing" => missing.to_owned(),
            other => format!("{{{other}}}"),
        };
        rest = after;
    }
    body + rest
}

const STYLE: &str = include_str!("page/explorer.css");

/// The scripts in the order in which the page contains them.
const SCRIPTS: &[&str] = &[
    include_str!("page/theme.js"),
    include_str!("page/data.js"),
    include_str!("page/state.js"),
    include_str!("page/search.js"),
    include_str!("page/paths.js"),
    include_str!("page/pens.js"),
    include_str!("page/camera.js"),
    include_str!("page/labels.js"),
    include_str!("page/map.js"),
    include_str!("page/surroundings.js"),
    include_str!("page/elements.js"),
    include_str!("page/panel.js"),
    include_str!("page/legend.js"),
    include_str!("page/table.js"),
    include_str!("page/exports.js"),
    include_str!("page/input.js"),
    include_str!("page/main.js"),
];

/// Returns the document from its start to the end of `<head>`.
pub(super) fn head(title: &str) -> String {
    let style = style();
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src blob: data:; base-uri 'none'; form-action 'none'",
        hash(&script()),
        hash(&style)
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>{style}</style>\n</head>\n",
        xml(title),
    )
}

/// Returns the complete script. Line ends are normalised as browsers do it, because the hash covers them.
pub(super) fn script() -> String {
    format!("(() => {{\n\"use strict\";\n{}}})();\n", SCRIPTS.concat()).replace('\r', "")
}

fn style() -> String {
    STYLE.replace('\r', "")
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_and_style_end_where_they_should() {
        for text in [script(), style()] {
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
    }

    #[test]
    fn the_script_reaches_for_nothing_outside_and_evaluates_nothing() {
        for word in ["eval(", "Function(", "fetch(", "XMLHttp", "innerHTML", "outerHTML", "insertAdjacent", "import("] {
            assert!(!script().contains(word), "{word}");
        }
    }
}
