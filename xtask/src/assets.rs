use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::bindings;
use crate::links::Resolver;
use crate::minify;
use crate::paths::Paths;

/// A file as the server will offer it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asset {
    /// What code and templates call it: `widget.js`, `lang-de.json`, `icons/send.svg`.
    pub(crate) name: String,
    /// Its file name with the hash of its content. All assets are served from one folder.
    pub(crate) path: String,
    pub(crate) mime: &'static str,
    pub(crate) content: Vec<u8>,
}

/// All assets but the loader, in a fixed order.
pub(crate) fn collect(paths: &Paths) -> Result<Vec<Asset>> {
    let mut assets = Vec::from(code(&paths.stage())?);
    assets.push(styles(&paths.widget().join("styles"))?);
    assets.extend(languages(&paths.widget().join("lang"))?);
    let mut dashboard = Resolver::new(&paths.dashboard(), &assets)?;
    assets.extend(dashboard.all()?);
    let mut names: Vec<&str> = assets.iter().map(|asset| asset.name.as_str()).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        ensure!(pair[0] != pair[1], "two assets are called {}", pair[0]);
    }
    Ok(assets)
}

/// The loader, which the server fills in for each site.
pub(crate) fn loader(paths: &Paths) -> Result<String> {
    let path = paths.widget().join("loader.js");
    let source = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    minify::script(&source).with_context(|| format!("{}", path.display()))
}

/// Glue and module under one hash: a stale pair would fail in ways that are hard to read.
fn code(stage: &Path) -> Result<[Asset; 2]> {
    let glue = fs::read(stage.join(bindings::GLUE))?;
    let wasm = fs::read(stage.join(bindings::WASM))?;
    let hash = hash(&[&glue, &wasm]);
    Ok([
        Asset {
            name: "widget.js".into(),
            path: format!("parlour-{hash}.js"),
            mime: mime("js")?,
            content: glue,
        },
        Asset {
            name: "widget.wasm".into(),
            path: format!("parlour-{hash}.wasm"),
            mime: mime("wasm")?,
            content: wasm,
        },
    ])
}

/// One stylesheet of all of the widget's, in the order of their names.
fn styles(folder: &Path) -> Result<Asset> {
    let mut sheet = String::new();
    for path in files(folder)? {
        sheet += &fs::read_to_string(&path)?;
        sheet.push('\n');
    }
    let sheet = minify::style(&sheet).with_context(|| format!("{}", folder.display()))?;
    hashed("widget.css", sheet.into_bytes())
}

/// `lang/de.json` becomes `lang-de.json`.
fn languages(folder: &Path) -> Result<Vec<Asset>> {
    files(folder)?
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path)?;
            let value: serde_json::Value =
                serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            hashed(&format!("lang-{name}"), serde_json::to_vec(&value)?)
        })
        .collect()
}

/// All files below `folder`, sorted, without hidden ones. None if there is no such folder.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'))
        {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// An asset whose name in the served folder holds the hash of its content.
pub(crate) fn hashed(name: &str, content: Vec<u8>) -> Result<Asset> {
    let (stem, extension) = name
        .rsplit_once('.')
        .with_context(|| format!("{name} has no extension"))?;
    Ok(Asset {
        name: name.to_owned(),
        path: format!(
            "{}-{}.{extension}",
            stem.replace('/', "-"),
            hash(&[&content])
        ),
        mime: mime(extension).with_context(|| name.to_owned())?,
        content,
    })
}

/// 48 bits of SHA-256 in hexadecimal: names tell apart the few versions that ever meet, and each
/// page that carries the widget pays for their length.
pub(crate) fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let digits: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits[..12].to_owned()
}

fn mime(extension: &str) -> Result<&'static str> {
    Ok(match extension {
        "css" => "text/css; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => bail!("no media type is known for .{extension}"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn glue_and_module_share_a_hash_of_both() {
        let dir = folder(&[(bindings::GLUE, "glue"), (bindings::WASM, "wasm")]);
        let [glue, wasm] = code(dir.path()).unwrap();
        assert_eq!(
            glue.path.strip_suffix(".js"),
            wasm.path.strip_suffix(".wasm")
        );
        fs::write(dir.path().join(bindings::WASM), "other").unwrap();
        let [changed, _] = code(dir.path()).unwrap();
        assert_ne!(glue.path, changed.path);
    }
}
