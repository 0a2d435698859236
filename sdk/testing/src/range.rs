//! The `Range` header of a list: `id ]from..to; order=desc, max=100`. Reading and writing it, nothing more.

/// A part of a list, as a client asks for it and as `Next-Range` offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub property: String,
    pub from: Start,
    pub to: Option<String>,
    pub descending: bool,
    pub max: Option<usize>,
}

/// Where a range begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Beginning,
    At(String),
    After(String),
}

impl Range {
    pub(crate) fn whole(property: &str) -> Self {
        Self { property: property.to_owned(), from: Start::Beginning, to: None, descending: false, max: None }
    }

    /// Reads a header; the error says what is wrong with it.
    pub(crate) fn parse(header: &str) -> Result<Self, String> {
        let (bounds, options) = header.split_once(';').unwrap_or((header, ""));
        let (property, bounds) = bounds.trim().split_once(' ').ok_or("no property before the bounds")?;
        let (from, to) = bounds.trim().split_once("..").ok_or("no `..` between the bounds")?;
        let from = match (from.strip_prefix(']'), from) {
            (Some(value), _) => Start::After(value.to_owned()),
            (None, "") => Start::Beginning,
            (None, value) => Start::At(value.to_owned()),
        };
        let mut range = Self { from, to: (!to.is_empty()).then(|| to.to_owned()), ..Self::whole(property) };
        for option in options.split([',', ';']).map(str::trim).filter(|option| !option.is_empty()) {
            range.set(option)?;
        }
        Ok(range)
    }

    fn set(&mut self, option: &str) -> Result<(), String> {
        match option.split_once('=') {
            Some(("order", "asc")) => self.descending = false,
            Some(("order", "desc")) => self.descending = true,
            Some(("max", value)) => match value.parse() {
                Ok(max) if max > 0 => self.max = Some(max),
                _ => return Err(format!("`max` is not a positive number: {value}")),
            },
            _ => return Err(format!("unknown option: {option}")),
        }
        Ok(())
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", self.property)?;
        match &self.from {
            Start::Beginning => {}
            Start::At(value) => f.write_str(value)?,
            Start::After(value) => write!(f, "]{value}")?,
        }
        write!(f, "..{}", self.to.as_deref().unwrap_or_default())?;
        match (self.descending, self.max) {
            (false, None) => Ok(()),
            (true, None) => f.write_str("; order=desc"),
            (false, Some(max)) => write!(f, "; max={max}"),
            (true, Some(max)) => write!(f, "; order=desc,max={max}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_written_as_it_was_read() {
        for text in ["id ..", "id ..; max=1000", "name ]b..; order=desc,max=10", "id a..c; order=desc"] {
            assert_eq!(Range::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_range_that_cannot_be_read_says_why() {
        assert_eq!(Range::parse("bytes=0-10").unwrap_err(), "no property before the bounds");
        assert_eq!(Range::parse("id 1-2").unwrap_err(), "no `..` between the bounds");
        assert_eq!(Range::parse("id ..; max=0").unwrap_err(), "`max` is not a positive number: 0");
        assert_eq!(Range::parse("id ..; limit=5").unwrap_err(), "unknown option: limit=5");
    }
}
