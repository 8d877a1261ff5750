//! Turns what `cargo xtask widget` built into a table of static files, so that one binary serves
//! them, with the same bytes in debug and release builds.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A line of its own for each: cargo shows them as errors of this crate.
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PARLOUR_ASSETS");
    // The migrations are embedded by a macro, which cargo cannot see through.
    println!("cargo::rerun-if-changed=../migrations");

    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let table = match env::var("PARLOUR_ASSETS") {
        Ok(none) if none == "none" => table(&[], "\"\""),
        Ok(path) if !path.is_empty() => of_manifest(&root.join(path))?,
        _ => of_manifest(&root.join("target/widget/manifest.json"))?,
    };
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("assets.rs"), table)?;
    Ok(())
}

/// The table of what the manifest at `path` lists. The files lie beside it.
fn of_manifest(path: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read(path).map_err(|error| {
        format!(
            "the widget is not built ({}: {error})\n\
             build it with: cargo xtask widget\n\
             or leave it out, for a quick check of the code: PARLOUR_ASSETS=none",
            path.display()
        )
    })?;
    let manifest: Value = serde_json::from_slice(&text)?;
    let folder = path.canonicalize()?;
    let folder = folder.parent().unwrap_or(Path::new("/"));
    let mut rows = Vec::new();
    for file in manifest["files"]
        .as_array()
        .ok_or("the manifest lists no files")?
    {
        rows.push(row(folder, file)?);
    }
    let loader = folder.join(word(&manifest, "loader")?);
    Ok(table(&rows, &format!("include_str!({loader:?})")))
}

fn row(folder: &Path, file: &Value) -> Result<String, Box<dyn Error>> {
    let (name, path, mime) = (
        word(file, "name")?,
        word(file, "path")?,
        word(file, "mime")?,
    );
    let compressed = file["compressed"] == Value::Bool(true);
    let bytes = |suffix: &str| {
        let whole = folder.join(format!("{path}{suffix}"));
        if suffix.is_empty() || compressed {
            format!("include_bytes!({whole:?})")
        } else {
            "&[]".to_owned()
        }
    };
    Ok(format!(
        "Asset {{ name: {name:?}, path: {path:?}, mime: {mime:?}, raw: {}, brotli: {}, gzip: {} }}",
        bytes(""),
        bytes(".br"),
        bytes(".gz"),
    ))
}

fn word<'a>(value: &'a Value, key: &str) -> Result<&'a str, Box<dyn Error>> {
    Ok(value[key]
        .as_str()
        .ok_or_else(|| format!("the manifest has no {key}"))?)
}

fn table(rows: &[String], loader: &str) -> String {
    let mut out =
        String::from("/// All static files but the loader.\npub static ASSETS: &[Asset] = &[\n");
    for row in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "    {row},");
    }
    out += "];\n\n/// The loader, in which `__SETTINGS__` stands for a site's settings as JSON. Empty when the\n\
            /// server was built with `PARLOUR_ASSETS=none`.\n";
    let _ = writeln!(out, "pub static LOADER: &str = {loader};");
    out
}
