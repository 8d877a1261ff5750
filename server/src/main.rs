//! The `parlour` binary: it only assembles.

use std::process::ExitCode;

fn main() -> ExitCode {
    parlour_server::cli::main()
}
