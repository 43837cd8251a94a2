//! CSV text: dialect and table detection, and the rules for column names.
//!
//! - `detect/`: what the text looks like (`sniff`) and the table a person would write down (`repair`).
//! - `names.rs`: header cells to column names.

pub(crate) mod detect;
pub(crate) mod names;
