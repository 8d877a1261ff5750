//! Builds what the server carries in its binary besides code: the widget, its loader, and the
//! dashboard's files. Two commands:
//!
//! - `cargo xtask widget` builds everything into `target/widget` and checks its size;
//! - `cargo xtask size` checks the size of what was built.

/// Functions and locals in an order that compresses well.
mod arrange;
/// Which files there are, and what they are called.
mod assets;
/// WebAssembly to a module with its glue, ready for a browser.
mod bindings;
/// Precompressed files under hashed names, and the manifest that lists them.
mod bundle;
/// Rust to WebAssembly, by the toolchain that `scripts/widget-toolchain` chose.
mod compile;
/// The glue, made small.
mod glue;
/// Whether anything changed since the last build.
mod inputs;
/// How the dashboard's files refer to one another.
mod links;
/// Scripts without comments and blanks.
mod minify;
/// Where things are in the checkout.
mod paths;
/// The size budget.
mod size;
/// Stylesheets without comments and blanks.
mod style;

use std::process::ExitCode;

use anyhow::Result;

use crate::compile::Part;

const USAGE: &str = "\
usage: cargo xtask COMMAND

commands:
  widget   build the widget and the dashboard's files into target/widget, check the size
  size     print the size of each file against the budget; writes target/size.json";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["widget"] => widget(),
        ["size"] => size(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds what is out of date, then checks the budget. False above the budget.
fn widget() -> Result<bool> {
    let paths = paths::Paths::find()?;
    let toolchain = compile::Toolchain::choose(&paths)?;
    let code = inputs::Stamp::of_code(&paths, &toolchain)?;
    if code.is_current(&bindings::wasm_path(&paths.stage(), Part::Desk)) {
        println!("widget code: unchanged");
    } else {
        for part in Part::ALL {
            let wasm = compile::compile(&paths, &toolchain, part)?;
            bindings::generate(&paths, part, &wasm)?;
        }
        code.save()?;
    }
    let files = inputs::Stamp::of_files(&paths, &code)?;
    if files.is_current(&paths.manifest()) {
        println!("widget files: unchanged, in {}", paths.out().display());
        return Ok(size::Report::read(&paths)?.within_budget());
    }
    bundle::write(&paths, toolchain.has_prebuilt_std())?;
    let within_budget = size()?;
    // An oversized build is not remembered, so that the next run says so again.
    if within_budget {
        files.save()?;
    }
    Ok(within_budget)
}

/// Prints and records the sizes. False above the budget.
fn size() -> Result<bool> {
    let paths = paths::Paths::find()?;
    let report = size::Report::read(&paths)?;
    print!("{report}");
    report.save(&paths)?;
    Ok(report.within_budget())
}
