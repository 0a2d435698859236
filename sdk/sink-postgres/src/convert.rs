//! Types of columns, and the conversion of a column whose type becomes wider.

use integration_sink::{Element, ValueType};

use crate::names::quoted;

/// Returns the SQL type of a column.
pub(crate) fn sql_type(value_type: ValueType) -> String {
    let element = match value_type.element {
        Element::Boolean => "boolean",
        Element::Timestamp => "timestamptz",
        Element::Integer => "bigint",
        Element::Double => "double precision",
        Element::Text => "text",
    };
    if value_type.is_list { format!("{element}[]") } else { element.to_owned() }
}

/// Returns the expression that converts the values of a column to a wider type.
pub(crate) fn converted(column: &str, from: ValueType, to: ValueType) -> String {
    let name = quoted(column);
    match (from.is_list, to.is_list) {
        (false, false) => element(&name, from.element, to),
        (false, true) => {
            let single = element(&name, from.element, ValueType::of(to.element));
            format!("CASE WHEN {name} IS NULL THEN NULL ELSE ARRAY[{single}] END")
        }
        // A list of times has no cast to other lists, and a conversion allows no subquery. The transfer writes the rows.
        (true, _) if from.element == Element::Timestamp && to.element != Element::Timestamp => "NULL".to_owned(),
        (true, _) => format!("{name}::{}", sql_type(to)),
    }
}

fn element(name: &str, from: Element, to: ValueType) -> String {
    match from {
        Element::Timestamp if to.element != Element::Timestamp => {
            format!("((extract(epoch from {name}) * 1000)::bigint)::{}", sql_type(to))
        }
        _ => format!("{name}::{}", sql_type(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_value_becomes_a_list_of_one() {
        let (from, to) = (ValueType::of(Element::Integer), ValueType::list(Element::Text));
        assert_eq!(converted("a", from, to), r#"CASE WHEN "a" IS NULL THEN NULL ELSE ARRAY["a"::text] END"#);
    }

    #[test]
    fn a_time_becomes_its_milliseconds() {
        let (from, to) = (ValueType::of(Element::Timestamp), ValueType::of(Element::Text));
        assert_eq!(converted("aOn", from, to), r#"((extract(epoch from "aOn") * 1000)::bigint)::text"#);
    }
}
