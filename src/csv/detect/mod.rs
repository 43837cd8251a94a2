//! What the text looks like, and the table a person would see in it.
//!
//! - `tokens.rs`: a small exact tokenizer over any dialect.
//! - `shape.rs`: what a cell looks like. `profile.rs`: what a column looks like, learned from its cells.
//! - `score.rs`: which dialect fits a sample best. `layout.rs`: where in the sample the table is. `heading.rs`: its header.
//! - `sniffed.rs`: [`sniff`], which reports and changes nothing.
//! - `envelope.rs`: lines that stand in quotes once more, or between bars.
//! - `align.rs`: one damaged row brought into columns. `mend.rs`: the ways to read it.
//! - `repair.rs`: [`repair`], the whole text. `take.rs`: one record. `pending.rs`: doubtful rows. `emit.rs`: rows written
//!   out. `report.rs`: what was done.
//!
//! In: UTF-8 text; decompression and decoding came before. Nothing here depends on the reader proper.

mod align;
mod emit;
mod envelope;
mod heading;
mod layout;
mod mend;
mod pending;
mod profile;
mod repair;
mod report;
mod score;
mod shape;
mod sniffed;
mod take;
mod tokens;

pub use repair::{Repaired, repair};
pub use report::{Repair, RepairCount, RepairReport};
pub use sniffed::{LineEnds, Origin, Setting, Sniffed, sniff};
