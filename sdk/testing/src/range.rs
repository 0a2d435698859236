//! The `Range` header of a list: `id ]from..to; order=desc, max=100`.

/// A part of a list, as requested by a client or offered by `Next-Range`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub property: String,
    pub from: Start,
    pub to: Option<String>,
    pub order: Option<Order>,
    pub max: Option<usize>,
}

/// The sort order; ascending unless specified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// The start of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Beginning,
    At(String),
    After(String),
}

impl Range {
    pub(crate) fn whole(property: &str) -> Self {
        Self { property: property.to_owned(), from: Start::Beginning, to: None, order: None, max: None }
    }

    /// Parses a header, or returns its defect as a sentence. A second semicolon is an error, because commas separate
    /// the options.
    pub(crate) fn parse(header: &str) -> Result<Self, String> {
        let (bounds, options) = match header.split_once(';') {
            Some((bounds, options)) => (bounds, options.split(',').map(str::trim).collect()),
            None => (header, Vec::new()),
        };
        let (property, bounds) = bounds.trim().split_once(' ').ok_or("no property before the bounds")?;
        let (from, to) = bounds.trim().split_once("..").ok_or("no `..` between the bounds")?;
        let from = match (from.strip_prefix(']'), from) {
            (Some(value), _) => Start::After(value.to_owned()),
            (None, "") => Start::Beginning,
            (None, value) => Start::At(value.to_owned()),
        };
        let mut range = Self { from, to: (!to.is_empty()).then(|| to.to_owned()), ..Self::whole(property) };
        for (number, option) in options.iter().enumerate() {
            let name = |option: &str| option.split('=').next().map(str::to_owned);
            if options[..number].iter().any(|earlier| name(earlier) == name(option)) {
                return Err(format!("an option given twice: {option}"));
            }
            range.set(option)?;
        }
        Ok(range)
    }

    fn set(&mut self, option: &str) -> Result<(), String> {
        match option.split_once('=') {
            Some(("order", "asc")) => self.order = Some(Order::Ascending),
            Some(("order", "desc")) => self.order = Some(Order::Descending),
            Some(("max", value)) => match value.parse() {
                Ok(max) if max > 0 => self.max = Some(max),
                _ => return Err(format!("`max` is not a positive number: {value}")),
            },
            _ => return Err(format!("unknown option: {option}")),
        }
        Ok(())
    }

    pub(crate) fn is_descending(&self) -> bool {
        self.order == Some(Order::Descending)
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
        let order = self.order.map(|order| match order {
            Order::Ascending => "order=asc".to_owned(),
            Order::Descending => "order=desc".to_owned(),
        });
        let options: Vec<String> = order.into_iter().chain(self.max.map(|max| format!("max={max}"))).collect();
        if options.is_empty() { Ok(()) } else { write!(f, "; {}", options.join(",")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_written_as_it_was_read() {
        for text in [
            "id ..",
            "id ..; max=1000",
            "name ]b..; order=desc,max=10",
            "id a..c; order=desc",
            "id ]ü..; order=asc,max=2",
        ] {
            assert_eq!(Range::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_range_that_cannot_be_read_says_why() {
        assert_eq!(Range::parse("bytes=0-10").unwrap_err(), "no property before the bounds");
        assert_eq!(Range::parse("id 1-2").unwrap_err(), "no `..` between the bounds");
        assert_eq!(Range::parse("id ..; max=0").unwrap_err(), "`max` is not a positive number: 0");
        assert_eq!(Range::parse("id ..; limit=5").unwrap_err(), "unknown option: limit=5");
        let twice = Range::parse("id ]a..; order=asc,max=2; max=1000").unwrap_err();
        assert_eq!(twice, "`max` is not a positive number: 2; max=1000");
        assert_eq!(Range::parse("id ..; max=1, max=2").unwrap_err(), "an option given twice: max=2");
        assert_eq!(Range::parse("id ..;").unwrap_err(), "unknown option: ");
    }
}
