//! Renders every page with sample data into a folder: `cargo run --example gallery -- FOLDER`.

mod samples;

use parlour_admin_templates::assets;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let Some(folder) = env::args().nth(1) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "give the folder to write to",
        ));
    };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    for asset in assets::ALL {
        fs::write(folder.join(asset.name), asset.text)?;
    }
    for (name, html) in samples::pages() {
        fs::write(folder.join(format!("{name}.html")), html)?;
        println!("{name}");
    }
    Ok(())
}
