//! [`RejectTally`]: how many rows were rejected for what, and where the first of them stand.
//!
//! In: faults. Out: counts per code. Its size does not depend on the number of rejects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::csv::RejectSink;
use crate::error::{Fault, Result};

/// Places that are remembered per code.
const FIRST: usize = 5;

/// Rejected rows, counted. A [`RejectSink`] by itself, for runs that keep no rejects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectTally {
    /// All of them.
    pub count: u64,
    /// By the stable name of the code.
    pub codes: BTreeMap<String, CodeTally>,
}

/// Rows rejected with one code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeTally {
    /// How many.
    pub count: u64,
    /// Where the first five stand.
    pub first: Vec<String>,
}

impl RejectTally {
    /// Counts one.
    pub(crate) fn add(&mut self, fault: &Fault) {
        self.count += 1;
        let code = match self.codes.get_mut(fault.code.name()) {
            Some(code) => code,
            None => self.codes.entry(fault.code.name().to_owned()).or_default(),
        };
        code.count += 1;
        if code.first.len() < FIRST {
            code.first.push(fault.at.to_string());
        }
    }
}

impl RejectSink for RejectTally {
    fn reject(&mut self, fault: &Fault) -> Result<()> {
        self.add(fault);
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        *self = RejectTally::default();
        Ok(())
    }
}
