//! A test helper that lists the elements of a markup and checks that all are closed.

/// The names of elements and attributes in document order.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    pub(crate) elements: Vec<String>,
    pub(crate) attributes: Vec<String>,
}

/// Parses markup as strictly as XML, except for the void elements of HTML.
pub(crate) fn read(text: &str) -> Result<Markup, String> {
    let mut markup = Markup::default();
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        well_escaped(&rest[..start])?;
        let end = start + rest[start..].find('>').ok_or("a tag without an end")?;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes another element"));
            }
            continue;
        }
        let (name, attributes) = tag.trim_end_matches('/').split_once(' ').unwrap_or((tag.trim_end_matches('/'), ""));
        markup.elements.push(name.to_owned());
        read_attributes(attributes, &mut markup.attributes)?;
        if !tag.ends_with('/') && !["!doctype", "meta", "br"].contains(&name) {
            open.push(name.to_owned());
        }
    }
    if open.is_empty() { Ok(markup) } else { Err(format!("still open: {open:?}")) }
}

fn read_attributes(mut text: &str, names: &mut Vec<String>) -> Result<(), String> {
    while let Some((name, rest)) = text.split_once("=\"") {
        let (value, rest) = rest.split_once('"').ok_or("a value without an end")?;
        well_escaped(value)?;
        names.push(name.trim().to_owned());
        text = rest;
    }
    Ok(())
}

fn well_escaped(text: &str) -> Result<(), String> {
    let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    let bad = text.split('&').skip(1).any(|after| !known.iter().any(|entity| after.starts_with(entity)));
    let control = text.chars().any(|char| char.is_control() && char != '\n');
    if bad || control { Err(format!("not escaped: {text:?}")) } else { Ok(()) }
}
