//! `verify`: does a receipt still hold?

use serde_json::json;

use crate::cli::report::Outcome;
use crate::cli::session::Session;
use crate::cli::settings::Settings;
use crate::error::{ErrorKind, Result};
use crate::quality::{VerifyStatus, verify};

pub(crate) fn run(settings: &Settings<'_>, _: &Session) -> Result<Outcome> {
    let receipt = settings.words("words").concat();
    let findings = verify(&receipt)?;
    let differs: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.status == VerifyStatus::Differs)
        .map(|finding| finding.message.as_str())
        .collect();
    if !differs.is_empty() {
        return Err(ErrorKind::Refused { message: format!("{receipt} does not hold:\n{}", differs.join("\n")) }.into());
    }
    let unknown = findings.iter().filter(|finding| finding.status == VerifyStatus::Unknown);
    let mut outcome = Outcome::done(&json!({ "findings": findings }), format!("{receipt} holds"));
    outcome.notes.extend(unknown.map(|finding| format!("not checked: {}", finding.message)));
    outcome.details.extend(findings.iter().map(|finding| format!("{}: {}", finding.subject, finding.message)));
    Ok(outcome)
}
