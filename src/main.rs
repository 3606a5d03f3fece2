//! The command line: arguments to a command to an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    officehours::cli::main()
}
