//! Inference: which types every value of a column has.
//!
//! In: fields of one column. Out: [`Candidates`], the types that accept every one of them, and from those the
//! first in [`ColumnType::INFERRED`]. A column is looked at alone and its values in any order, so that neither
//! rows nor other columns can change what it becomes.

use crate::csv::types::ColumnType;
use crate::csv::value::{Rules, parse};

/// The types that accept all values seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// One bit per entry of [`ColumnType::INFERRED`].
    open: u16,
    /// Whether a value was seen at all.
    seen: bool,
}

impl Candidates {
    /// Every type, before the first value.
    pub(crate) const ALL: Candidates = Candidates { open: (1 << ColumnType::INFERRED.len()) - 1, seen: false };

    /// The types that values of `column` can widen into.
    pub(crate) fn wider_than(column: ColumnType) -> Candidates {
        let mut open = 0;
        for (bit, candidate) in ColumnType::INFERRED.into_iter().enumerate() {
            if candidate != column && column.widens_to(candidate) {
                open |= 1 << bit;
            }
        }
        Candidates { open, seen: false }
    }

    /// Takes a value into account.
    pub(crate) fn see(&mut self, text: &[u8], quoted: bool, rules: &Rules) {
        if rules.is_null(text, quoted) {
            return;
        }
        self.seen = true;
        let mut left = self.open;
        while left != 0 {
            let bit = left.trailing_zeros();
            if parse(ColumnType::INFERRED[bit as usize], text, quoted, rules).is_none() {
                self.open &= !(1 << bit);
            }
            left &= left - 1;
        }
    }

    /// The types that both sides accept.
    pub(crate) fn and(self, other: Candidates) -> Candidates {
        Candidates { open: self.open & other.open, seen: self.seen || other.seen }
    }

    /// The best type left; unknown before the first value.
    pub(crate) fn best(self) -> ColumnType {
        match self.open {
            _ if !self.seen => ColumnType::Unknown,
            0 => ColumnType::Text,
            open => ColumnType::INFERRED[open.trailing_zeros() as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn best(values: &[&str]) -> ColumnType {
        let mut candidates = Candidates::ALL;
        for value in values {
            candidates.see(value.as_bytes(), false, &Rules::default());
        }
        candidates.best()
    }

    #[test]
    fn the_lattice_in_cases() {
        for (values, expected) in [
            (&["", ""][..], ColumnType::Unknown),
            (&["true", "FALSE", ""], ColumnType::Boolean),
            (&["t", "f"], ColumnType::Text),
            (&["1", "2"], ColumnType::Int64),
            (&["1", "99999999999999999999"], ColumnType::Decimal(38, 0)),
            (&["1", "1.50"], ColumnType::Float64),
            (&["9007199254740993", "1.5"], ColumnType::Text),
            (&["1", "007"], ColumnType::Text),
            (&["+1"], ColumnType::Text),
            (&["1_000"], ColumnType::Text),
            (&["1", "true"], ColumnType::Text),
            (&["2024-01-01"], ColumnType::Date),
            (&["2024-01-01", "2024-01-01 10:00"], ColumnType::Timestamp),
            (&["2024-01-01T10:00:00Z", "2024-01-01 10:00:00+02"], ColumnType::TimestampUtc),
            (&["2024-01-01T10:00:00Z", "2024-01-01 10:00:00"], ColumnType::Text),
            (&["10:00", "10:00:01.5"], ColumnType::Time),
            (&["31/12/99"], ColumnType::Text),
        ] {
            assert_eq!(best(values), expected, "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter(
            values in proptest::collection::vec(
                prop_oneof!["[0-9]{1,3}", "[0-9]\\.[0-9]", "true|false", "2024-01-0[1-9]", Just(String::new()), "x"], 0..12),
            cut in 0usize..12,
        ) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let mut turned = values.clone();
            turned.rotate_left(cut.min(values.len()));
            prop_assert_eq!(best(&values), best(&turned));
            // Widening step by step ends where looking at everything at once does.
            let (head, tail) = values.split_at(cut.min(values.len()));
            let mut column = best(head);
            for value in tail.iter().filter(|value| !value.is_empty()) {
                if parse(column, value.as_bytes(), false, &Rules::default()).is_none() {
                    let mut wider = Candidates::wider_than(column);
                    wider.see(value.as_bytes(), false, &Rules::default());
                    column = wider.best();
                }
            }
            if column != ColumnType::Float64 && column != ColumnType::Decimal(38, 0) {
                prop_assert_eq!(column, best(&values));
            }
        }
    }
}
