//! The program. All of it is in the library's `cli` module.

use std::process::ExitCode;

fn main() -> ExitCode {
    duckstream::cli::main(std::env::args_os())
}
