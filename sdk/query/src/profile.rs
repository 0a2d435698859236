//! The profile of a query: its operators with estimated and actual rows, and times.

use std::fmt;
use std::time::Duration;

/// The operators of a query, in the order of their execution.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The operators.
    pub operators: Vec<Operator>,
}

/// An operator of a query.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The operation, such as `traverse`.
    pub name: &'static str,
    /// The objects and conditions of the operation.
    pub detail: String,
    /// The rows that the planner expected, if it estimated them.
    pub estimated: Option<u64>,
    /// The rows that the operator returned.
    pub rows: u64,
    /// The time that the operator took.
    pub time: Duration,
}

impl fmt::Display for Profile {
    /// Writes a table with one line for each operator.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["operator", "detail", "estimated", "rows", "time"].map(str::to_owned);
        let lines: Vec<[String; 5]> =
            std::iter::once(header).chain(self.operators.iter().map(Operator::cells)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3, 4].map(width);
        for [name, detail, estimated, rows, time] in &lines {
            let [a, b, c, d, e] = widths;
            writeln!(f, "{name:<a$}  {detail:<b$}  {estimated:>c$}  {rows:>d$}  {time:>e$}")?;
        }
        Ok(())
    }
}

impl Operator {
    fn cells(&self) -> [String; 5] {
        let estimated = self.estimated.map_or_else(String::new, |estimated| estimated.to_string());
        let time = format!("{:.2} ms", self.time.as_secs_f64() * 1000.0);
        [self.name.to_owned(), self.detail.clone(), estimated, self.rows.to_string(), time]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let operator = |name, detail: &str, estimated, rows| Operator {
            name,
            detail: detail.to_owned(),
            estimated,
            rows,
            time: Duration::from_micros(1500),
        };
        let operators = vec![operator("scan", "acme_user", Some(10), 5), operator("traverse", "HAS", None, 1200)];
        let expected = "\
operator  detail     estimated  rows     time
scan      acme_user         10     5  1.50 ms
traverse  HAS                   1200  1.50 ms
";
        assert_eq!(Profile { operators }.to_string(), expected);
    }
}
