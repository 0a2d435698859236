//! Numbers: exact integers where the text is one, floating point otherwise.

use std::cmp::Ordering;

/// A number of a property or of a query.
///
/// Integers stay exact, because ids of providers exceed the 53 bits that floating point keeps.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// An integer.
    Integer(i128),
    /// Any other finite number.
    Float(f64),
}

/// The bound below which an integral floating point value becomes an integer: 2^126.
const INTEGRAL: f64 = 85_070_591_730_234_615_865_843_651_857_942_052_864.0;

impl Number {
    /// Reads the text of a JSON number.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        text.parse().ok().and_then(Self::float)
    }

    /// Creates a number of a finite value. An integral value becomes an integer.
    pub fn float(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the value is integral and within the bound")]
        let whole = || Self::Integer(value as i128);
        Some(if value.fract() == 0.0 && value.abs() < INTEGRAL { whole() } else { Self::Float(value) })
    }

    /// Returns the nearest floating point value.
    pub fn as_f64(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the nearest value is wanted")]
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    /// Returns the JSON number.
    pub fn to_json(self) -> serde_json::Value {
        match self {
            Self::Integer(integer) => match (i64::try_from(integer), u64::try_from(integer)) {
                (Ok(small), _) => small.into(),
                (_, Ok(large)) => large.into(),
                _ => self.as_f64().into(),
            },
            Self::Float(float) => float.into(),
        }
    }

    /// Returns the sum of two numbers.
    pub fn sum(self, other: Self) -> Option<Self> {
        self.exactly(other, i128::checked_add).or_else(|| Self::float(self.as_f64() + other.as_f64()))
    }

    /// Returns the difference of two numbers.
    pub fn difference(self, other: Self) -> Option<Self> {
        self.exactly(other, i128::checked_sub).or_else(|| Self::float(self.as_f64() - other.as_f64()))
    }

    /// Returns the product of two numbers.
    pub fn product(self, other: Self) -> Option<Self> {
        self.exactly(other, i128::checked_mul).or_else(|| Self::float(self.as_f64() * other.as_f64()))
    }

    /// Returns the quotient of two numbers; none if the second is zero.
    pub fn quotient(self, other: Self) -> Option<Self> {
        let whole = |a: i128, b: i128| if a.checked_rem(b)? == 0 { a.checked_div(b) } else { None };
        self.exactly(other, whole).or_else(|| Self::float(self.as_f64() / other.as_f64()))
    }

    /// Returns the power of a number.
    pub fn power(self, other: Self) -> Option<Self> {
        let whole = |a: i128, b: i128| a.checked_pow(u32::try_from(b).ok()?);
        self.exactly(other, whole).or_else(|| Self::float(self.as_f64().powf(other.as_f64())))
    }

    /// Applies a function of floating point. Integers that the function keeps stay exact.
    pub fn rounded(self, round: impl FnOnce(f64) -> f64) -> Option<Self> {
        match self {
            Self::Integer(_) => Some(self),
            Self::Float(float) => Self::float(round(float)),
        }
    }

    /// Returns the number without its sign.
    pub fn absolute(self) -> Option<Self> {
        match self {
            Self::Integer(integer) => {
                integer.checked_abs().map(Self::Integer).or_else(|| Self::float(self.as_f64().abs()))
            }
            Self::Float(float) => Self::float(float.abs()),
        }
    }

    fn exactly(self, other: Self, operation: impl FnOnce(i128, i128) -> Option<i128>) -> Option<Self> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => operation(a, b).map(Self::Integer),
            _ => None,
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(&b),
            (Self::Integer(a), Self::Float(b)) => compare(a, b),
            (Self::Float(a), Self::Integer(b)) => compare(b, a).reverse(),
        }
    }
}

/// Compares an integer with a finite float without loss.
fn compare(integer: i128, float: f64) -> Ordering {
    // Floating point numbers of this size are beyond all integers.
    if float.abs() >= INTEGRAL * 2.0 {
        return if float > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    let whole = float.floor();
    #[expect(clippy::cast_possible_truncation, reason = "the value is integral and within the range of integers")]
    let order = integer.cmp(&(whole as i128));
    order.then(if float > whole { Ordering::Less } else { Ordering::Equal })
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(integer) => integer.fmt(f),
            Self::Float(float) => float.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).expect("a number")
    }

    #[test]
    fn integers_beyond_floating_point_stay_distinct() {
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
        assert_eq!(number("9007199254740993").to_json().to_string(), "9007199254740993");
    }

    #[test]
    fn integers_and_floats_compare_by_value() {
        assert_eq!(number("1"), number("1.0"));
        assert!(number("1.5") > number("1"));
        assert!(number("-1.5") < number("-1"));
        assert!(number("1e300") > number("170141183460469231731687303715884105727"));
        assert!(number("170141183460469231731687303715884105727") > number("-1e300"));
        assert_eq!(number("-0.0"), number("0"));
    }

    #[test]
    fn arithmetic_is_exact_until_it_overflows() {
        assert_eq!(number("7").quotient(number("2")), Some(number("3.5")));
        assert_eq!(number("6").quotient(number("2")).map(|n| n.to_string()), Some("3".to_owned()));
        assert_eq!(number("1").quotient(number("0")), None);
        assert_eq!(number("0").quotient(number("0")), None);
        assert_eq!(number("2").power(number("10")), Some(number("1024")));
        assert_eq!(number("2").power(number("-1")), Some(number("0.5")));
        let large = number("170141183460469231731687303715884105727");
        assert!(matches!(large.sum(large), Some(Number::Float(_))));
    }
}
