//! The integration tests, one binary so that DuckDB is linked once.

mod detect_fixtures; // the damaged files of fixtures/damaged against the undamaged tables
mod detect_properties; // any clean table in any dialect; any bytes at all
mod detect_repair; // one case per kind of damage
mod detect_sniff; // what is said about a sample
