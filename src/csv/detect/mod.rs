//! What the text looks like, and the table a person would see in it.
//!
//! - `tokens.rs`: a small exact tokenizer over any dialect.
//! - `shape.rs`: what a cell looks like. `profile.rs`: what a column looks like, learned from its cells.
//! - `score.rs`: which dialect fits a sample best. `layout.rs`: where in the sample the table is.
//! - `sniffed.rs`: [`sniff`], which reports and changes nothing.
//! - `align.rs`: one damaged row brought into columns. `mend.rs`: the ways to read it.
//! - `repair.rs`: [`repair`], the whole text. `report.rs`: what it did.
//!
//! In: UTF-8 text; decompression and decoding came before. Nothing here depends on the reader proper.

mod align;
mod layout;
mod mend;
mod profile;
mod repair;
mod report;
mod score;
mod shape;
mod sniffed;
mod tokens;

pub use repair::{Repaired, repair};
pub use report::{Repair, RepairCount, RepairReport};
pub use sniffed::{LineEnds, Origin, Setting, Sniffed, sniff};
