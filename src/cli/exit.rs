//! [`Exit`]: how a run ended, as a number that schedulers can tell apart. The numbers never change.

use std::process::ExitCode;

use crate::error::{Error, ErrorKind, FaultCode};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Rejected = 3,
    Data = 4,
    Input = 5,
    Target = 6,
    Interrupted = 130,
    Terminated = 143,
}

/// The table at the end of the help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed while running
  2    wrong usage
  3    done, but rows were rejected within the limits (0 with --allow-rejects)
  4    the data failed: a bad row or value, a limit
  5    the input cannot be read: missing, corrupt, truncated, undecodable
  6    the target refused: it exists, is locked, has a constraint
  130  cancelled by Ctrl-C (143 by SIGTERM); nothing of the run is left";

impl Exit {
    /// What an error means.
    pub(crate) fn of(error: &Error) -> Exit {
        match error.kind() {
            ErrorKind::Usage { .. } => Exit::Usage,
            ErrorKind::NotFound { .. }
            | ErrorKind::Read { .. }
            | ErrorKind::Corrupt { .. }
            | ErrorKind::Undecodable { .. } => Exit::Input,
            ErrorKind::Data(fault) if fault.code == FaultCode::InvalidEncoding => Exit::Input,
            ErrorKind::Data(_) | ErrorKind::Refused { .. } => Exit::Data,
            ErrorKind::Target { .. } => Exit::Target,
            ErrorKind::Write { .. }
            | ErrorKind::Engine { .. }
            | ErrorKind::Arrow { .. }
            | ErrorKind::Internal { .. } => Exit::Failed,
            ErrorKind::Step { source, .. } => Exit::of(source),
            ErrorKind::Cancelled => Exit::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::error::Location;

    #[test]
    fn every_kind_has_its_code() {
        let at = || Location::new("x.csv");
        let kinds = [
            (ErrorKind::Usage { message: String::new() }, 2),
            (ErrorKind::NotFound { path: "x".into() }, 5),
            (ErrorKind::Read { at: at(), source: io::Error::other("x") }, 5),
            (
                ErrorKind::Corrupt {
                    at: at(),
                    format: "gzip",
                    compressed_offset: 0,
                    rows: None,
                    message: String::new(),
                },
                5,
            ),
            (ErrorKind::Undecodable { at: at(), encoding: "utf-8".to_owned(), bytes: vec![255] }, 5),
            (ErrorKind::Refused { message: String::new() }, 4),
            (ErrorKind::Target { message: String::new(), source: None }, 6),
            (ErrorKind::Write { target: String::new(), source: io::Error::other("x") }, 1),
            (ErrorKind::Engine { doing: String::new(), source: "x".into() }, 1),
            (ErrorKind::Internal { message: String::new() }, 1),
            (ErrorKind::Cancelled, 130),
        ];
        for (kind, code) in kinds {
            let words = format!("{kind:?}");
            let error = Error::from(kind);
            assert_eq!(Exit::of(&error) as u8, code, "{words}");
            let step: Error = ErrorKind::Step { step: "s".to_owned(), source: error }.into();
            assert_eq!(Exit::of(&step) as u8, code, "in a step: {words}");
        }
    }

    #[test]
    fn the_help_lists_every_code() {
        for code in [Exit::Done, Exit::Failed, Exit::Usage, Exit::Rejected, Exit::Data, Exit::Input, Exit::Target] {
            assert!(EXIT_CODES.contains(&format!("\n  {} ", code as u8)));
        }
        assert!(EXIT_CODES.contains("130") && EXIT_CODES.contains("143"));
    }
}
