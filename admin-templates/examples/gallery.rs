//! Renders every page with sample data into a folder: `cargo run --example gallery -- FOLDER`.

mod samples;

use std::path::Path;
use std::{env, fs, io};

const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");

fn main() -> io::Result<()> {
    let Some(folder) = env::args().nth(1) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "give the folder to write to",
        ));
    };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    copy_files(Path::new(ASSETS), folder)?;
    copy_files(&Path::new(ASSETS).join("css"), &folder.join("css"))?;
    for (name, html) in samples::pages() {
        fs::write(folder.join(format!("{name}.html")), html)?;
        println!("{name}");
    }
    Ok(())
}

/// The files of a folder, but not its folders.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
