use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::bindings;
use crate::compile::Part;
use crate::links::linked;
use crate::minify;
use crate::paths::Paths;
use crate::style;

/// The script that stands in for WebSockets.
const FALLBACK: &str = "fallback.js";

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
    let fallback = fallback(&paths.widget())?;
    let mut assets = widget(&paths.stage(), &paths.widget(), &fallback)?;
    assets.extend(desk(&paths.stage(), &fallback)?);
    assets.push(fallback);
    assets.extend(linked(&paths.dashboard(), &assets)?);
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
    minify::shortened(&source).with_context(|| format!("{}", path.display()))
}

/// The widget's files under one hash. A stale pair of glue and module would fail in ways that are
/// hard to read, and names that differ in their ends only weigh little in the loader.
fn widget(stage: &Path, krate: &Path, fallback: &Asset) -> Result<Vec<Asset>> {
    let glue = glue(stage, Part::Widget, fallback)?;
    let wasm = fs::read(bindings::wasm_path(stage, Part::Widget))?;
    let sheet = styles(&krate.join("styles"))?;
    let mut contents = vec![
        ("widget.js".to_owned(), ".js".to_owned(), glue),
        ("widget.wasm".to_owned(), ".wasm".to_owned(), wasm),
        ("widget.css".to_owned(), ".css".to_owned(), sheet),
    ];
    for path in files(&krate.join("lang"))? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        contents.push((format!("lang-{name}"), format!("-{name}"), language(&path)?));
    }
    paired("parlour", contents)
}

/// Glue and module for the dashboard's script, under one hash as well.
fn desk(stage: &Path, fallback: &Asset) -> Result<Vec<Asset>> {
    let glue = glue(stage, Part::Desk, fallback)?;
    let wasm = fs::read(bindings::wasm_path(stage, Part::Desk))?;
    let contents = [("desk.js", ".js", glue), ("desk.wasm", ".wasm", wasm)];
    paired(
        "desk",
        contents
            .map(|(name, end, content)| (name.into(), end.into(), content))
            .into(),
    )
}

/// What both fetch where no WebSocket gets through.
fn fallback(krate: &Path) -> Result<Asset> {
    let path = krate.join(FALLBACK);
    let source = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let script = minify::script(&source).with_context(|| format!("{}", path.display()))?;
    hashed(FALLBACK, script.into_bytes())
}

/// A part's glue, which knows the fallback by its name with the hash.
fn glue(stage: &Path, part: Part, fallback: &Asset) -> Result<Vec<u8>> {
    let path = bindings::glue_path(stage, part);
    let glue = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let named = glue.replace(&format!("./{FALLBACK}"), &format!("./{}", fallback.path));
    ensure!(named != glue, "{} knows no {FALLBACK}", path.display());
    Ok(named.into_bytes())
}

/// Assets of which each has a name, an end of its path, and its content; the paths begin with
/// `stem` and one hash of all.
fn paired(stem: &str, contents: Vec<(String, String, Vec<u8>)>) -> Result<Vec<Asset>> {
    let parts: Vec<&[u8]> = contents
        .iter()
        .map(|(_, _, content)| content.as_slice())
        .collect();
    let stem = format!("{stem}-{}", hash(&parts));
    let asset = |(name, end, content): (String, String, Vec<u8>)| {
        let (_, extension) = end.rsplit_once('.').unwrap_or_default();
        Ok(Asset {
            path: format!("{stem}{end}"),
            mime: mime(extension).with_context(|| name.clone())?,
            name,
            content,
        })
    };
    contents.into_iter().map(asset).collect()
}

/// One stylesheet of all of the widget's, in the order of their names.
fn styles(folder: &Path) -> Result<Vec<u8>> {
    let mut sheet = String::new();
    for path in files(folder)? {
        sheet += &fs::read_to_string(&path)?;
        sheet.push('\n');
    }
    let sheet = style::compact(&sheet).with_context(|| format!("{}", folder.display()))?;
    Ok(sheet.into_bytes())
}

/// A language's texts without blanks, proved to be JSON.
fn language(path: &Path) -> Result<Vec<u8>> {
    let texts: serde_json::Value =
        serde_json::from_slice(&fs::read(path)?).with_context(|| format!("{}", path.display()))?;
    Ok(serde_json::to_vec(&texts)?)
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
    let (_, extension) = name
        .rsplit_once('.')
        .with_context(|| format!("{name} has no extension"))?;
    Ok(Asset {
        name: name.to_owned(),
        path: hashed_path(name, &hash(&[&content]))?,
        mime: mime(extension).with_context(|| name.to_owned())?,
        content,
    })
}

/// `live/list.js` becomes `live-list-HASH.js`.
pub(crate) fn hashed_path(name: &str, hash: &str) -> Result<String> {
    let (stem, extension) = name
        .rsplit_once('.')
        .with_context(|| format!("{name} has no extension"))?;
    Ok(format!("{}-{hash}.{extension}", stem.replace('/', "-")))
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

/// The media type of files with this extension.
pub(crate) fn mime(extension: &str) -> Result<&'static str> {
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
    fn the_widgets_files_share_a_hash_of_all() {
        let dir = folder(&[
            ("widget.js", "import('./fallback.js')"),
            ("fallback.js", "export const a = 1"),
            ("widget.wasm", "wasm"),
            ("styles/a.css", "a { b: c }"),
            ("styles/b.css", "d { e: f }"),
            ("lang/de.json", "{ \"a\": \"ä\" }"),
        ]);
        let widget = || {
            let fallback = fallback(dir.path()).unwrap();
            let all = widget(dir.path(), dir.path(), &fallback).unwrap();
            let glue = format!("import('./{}')", fallback.path);
            assert_eq!(all[0].content, glue.as_bytes());
            all
        };
        let all = widget();
        let stem = all[0].path.strip_suffix(".js").unwrap();
        let named: Vec<_> = all
            .iter()
            .map(|asset| (asset.name.as_str(), asset.path.strip_prefix(stem).unwrap()))
            .collect();
        assert_eq!(
            named,
            [
                ("widget.js", ".js"),
                ("widget.wasm", ".wasm"),
                ("widget.css", ".css"),
                ("lang-de.json", "-de.json")
            ]
        );
        assert_eq!(all[2].content, b"a{b:c}d{e:f}");
        fs::write(dir.path().join("lang/de.json"), "{}").unwrap();
        let other = widget();
        assert_ne!(all[0].path, other[0].path);
        fs::write(dir.path().join("fallback.js"), "export const a = 2").unwrap();
        assert_ne!(other[0].path, widget()[0].path);
    }

    #[test]
    fn a_broken_language_is_an_error() {
        let dir = folder(&[
            ("widget.js", "import('./fallback.js')"),
            ("fallback.js", ""),
            ("widget.wasm", ""),
            ("lang/de.json", "{"),
        ]);
        let fallback = fallback(dir.path()).unwrap();
        let error = widget(dir.path(), dir.path(), &fallback).unwrap_err();
        assert!(format!("{error:#}").contains("de.json"), "{error:#}");
    }
}
