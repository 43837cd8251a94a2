//! Column names from what stands in a header: a pure function.
//!
//! In: the texts of the header's fields. Out: names that are not empty and differ also without regard to case.
//! Blanks at both ends go; text is brought into Unicode form NFC; an empty name becomes `column_<n>`, counted from 1;
//! a name that was there before gets `_2`, `_3`, … , whichever is free.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

/// The names of columns.
pub(crate) fn column_names(raw: &[String]) -> Vec<String> {
    let clean: Vec<String> = raw.iter().map(|name| name.trim().nfc().collect()).collect();
    // Names that stand in the header keep their right to themselves against made-up ones.
    let given: HashSet<String> = clean.iter().filter(|name| !name.is_empty()).map(|name| name.to_lowercase()).collect();
    let mut taken = HashSet::new();
    let mut names = Vec::with_capacity(clean.len());
    for (index, name) in clean.into_iter().enumerate() {
        let blank = name.is_empty();
        let base = if blank { format!("column_{}", index + 1) } else { name };
        let mut candidate = base.clone();
        let mut number = 2;
        let first = !blank || !given.contains(&base.to_lowercase());
        if !first || taken.contains(&candidate.to_lowercase()) {
            loop {
                candidate = format!("{base}_{number}");
                let folded = candidate.to_lowercase();
                if !taken.contains(&folded) && !given.contains(&folded) {
                    break;
                }
                number += 1;
            }
        }
        taken.insert(candidate.to_lowercase());
        names.push(candidate);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_cases() {
        for (raw, expected) in [
            (&["a", "b"][..], &["a", "b"][..]),
            (&[" a ", "", "b"], &["a", "column_2", "b"]),
            (&["a", "A", "a"], &["a", "A_2", "a_3"]),
            (&["a", "a", "a_2"], &["a", "a_3", "a_2"]),
            (&["", "column_1"], &["column_1_2", "column_1"]),
            (&["e\u{301}", "\u{e9}"], &["\u{e9}", "\u{e9}_2"]),
            (&["x\ny"], &["x\ny"]),
        ] {
            let raw: Vec<String> = raw.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(column_names(&raw), expected);
        }
    }
}
