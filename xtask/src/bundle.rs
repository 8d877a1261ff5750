use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::assets::{self, Asset};
use crate::paths::Paths;

/// The loader's name beside the assets. It has no hash: the server fills it in for each site.
pub(crate) const LOADER: &str = "loader.js";
/// The loader as a page gets it, for measuring.
pub(crate) const LOADER_SAMPLE: &str = "loader.sample.js";
/// What the server replaces in the loader by a site's settings, as JSON.
const SETTINGS: &str = "__SETTINGS__";
const MANIFEST: &str = "manifest.json";

/// What lies in `target/widget`; the server's build script reads it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Manifest {
    /// The loader's file name.
    pub(crate) loader: String,
    /// Whether the widget was built with the toolchain's own standard library.
    pub(crate) prebuilt_std: bool,
    pub(crate) files: Vec<Entry>,
}

/// One asset. Its compressed forms lie beside it, as `PATH.br` and `PATH.gz`.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) mime: String,
    /// Whether compressing it was of use. Images and fonts are compressed already.
    pub(crate) compressed: bool,
}

/// Writes all assets and the loader, compressed, with the manifest, and removes older files.
pub(crate) fn write(paths: &Paths, prebuilt_std: bool) -> Result<()> {
    let out = paths.out();
    fs::create_dir_all(&out)?;
    let assets = assets::collect(paths)?;
    let loader = assets::loader(paths)?;
    let mut kept = BTreeSet::from([MANIFEST.to_owned()]);
    let mut files = Vec::new();
    for Asset {
        name,
        path,
        mime,
        content,
    } in assets
    {
        let compressed = put(&out, &path, &content, &mut kept)?;
        files.push(Entry {
            name,
            path,
            mime: mime.to_owned(),
            compressed,
        });
    }
    fs::write(out.join(LOADER), &loader)?;
    kept.insert(LOADER.to_owned());
    let manifest = Manifest {
        loader: LOADER.to_owned(),
        prebuilt_std,
        files,
    };
    let sample = loader.replace(SETTINGS, &sample_settings(&manifest)?);
    ensure!(
        sample != loader,
        "{LOADER} has no {SETTINGS} for the server to fill in"
    );
    put(&out, LOADER_SAMPLE, sample.as_bytes(), &mut kept)?;
    // Last, because the server's build watches it, and at one stroke, because it may be reading.
    let unfinished = tempfile::NamedTempFile::new_in(&out)?.into_temp_path();
    fs::write(&unfinished, serde_json::to_vec_pretty(&manifest)?)?;
    fs::set_permissions(&unfinished, fs::metadata(out.join(LOADER))?.permissions())?;
    unfinished.persist(out.join(MANIFEST))?;
    for entry in fs::read_dir(&out)? {
        let entry = entry?;
        if !kept.contains(&*entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    println!(
        "widget files: {} written to {}",
        manifest.files.len() + 1,
        out.display()
    );
    Ok(())
}

impl Manifest {
    /// Reads what the last build wrote.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let text = fs::read(&path).with_context(|| {
            format!("{} cannot be read; run: cargo xtask widget", path.display())
        })?;
        serde_json::from_slice(&text).with_context(|| format!("{}", path.display()))
    }
}

/// Settings of the length that sites have, so that the measured loader is a real one.
fn sample_settings(manifest: &Manifest) -> Result<String> {
    let path = |name: &str| {
        let file = manifest.files.iter().find(|file| file.name == name);
        file.map_or_else(String::new, |file| file.path.clone())
    };
    let languages: serde_json::Map<_, _> = manifest
        .files
        .iter()
        .filter_map(|file| Some((file.name.strip_prefix("lang-")?, &file.path)))
        .map(|(name, path)| {
            (
                name.trim_end_matches(".json").to_owned(),
                path.clone().into(),
            )
        })
        .collect();
    Ok(serde_json::to_string(&serde_json::json!({
        "site": "k3v9w2qhx7m4p8tz",
        "base": "https://chat.example.com/assets/",
        "name": "Example",
        "position": "right",
        "theme": "auto",
        "color": "#2f5bd8",
        "onColor": "#ffffff",
        "greeting": "Hello, how can we help?",
        "js": path("widget.js"),
        "wasm": path("widget.wasm"),
        "css": path("widget.css"),
        "langs": languages,
    }))?)
}

/// Writes one file, and its compressed forms if they are of use, which is the answer.
fn put(out: &Path, path: &str, content: &[u8], kept: &mut BTreeSet<String>) -> Result<bool> {
    fs::write(out.join(path), content)?;
    kept.insert(path.to_owned());
    let brotli = brotli(content)?;
    // Below a saving of one in ten, decompressing costs more than it gains.
    if brotli.len() * 10 > content.len() * 9 {
        return Ok(false);
    }
    for (suffix, bytes) in [("br", brotli), ("gz", gzip(content)?)] {
        let name = format!("{path}.{suffix}");
        fs::write(out.join(&name), bytes)?;
        kept.insert(name);
    }
    Ok(true)
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    const QUALITY: u32 = 11;
    const WINDOW_BITS: u32 = 22;
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 64 * 1024, QUALITY, WINDOW_BITS).write_all(content)?;
    Ok(out)
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(content)?;
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read as _;

    use super::*;

    #[test]
    fn compressed_forms_hold_the_same_content() {
        let content = "calm, warm-neutral, dense where agents work; "
            .repeat(50)
            .into_bytes();
        let mut back = Vec::new();
        brotli::Decompressor::new(&*brotli(&content).unwrap(), 4096)
            .read_to_end(&mut back)
            .unwrap();
        assert_eq!(back, content);
        back.clear();
        flate2::read::GzDecoder::new(&*gzip(&content).unwrap())
            .read_to_end(&mut back)
            .unwrap();
        assert_eq!(back, content);
    }

    #[test]
    fn what_does_not_shrink_is_not_compressed() {
        let dir = tempfile::tempdir().unwrap();
        let noise = gzip(
            &(0..9_000_u32)
                .flat_map(u32::to_le_bytes)
                .collect::<Vec<_>>(),
        )
        .unwrap();
        let noise = gzip(&noise).unwrap();
        let mut kept = BTreeSet::new();
        assert!(!put(dir.path(), "a.png", &noise, &mut kept).unwrap());
        assert_eq!(kept.len(), 1);
        assert!(put(dir.path(), "a.css", &[b'a'; 500], &mut kept).unwrap());
        assert_eq!(kept.len(), 4);
    }
}
