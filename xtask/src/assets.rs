use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::bindings;
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

fn hashed(name: &str, content: Vec<u8>) -> Result<Asset> {
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

/// The dashboard's files. They name one another as they lie in the folder (`"./thread.js"`,
/// `url(./icons.svg)`), and the widget's as if these lay beside them (`"./widget.js"`); here the
/// hashed names take their place, so a file comes after those that it refers to.
struct Resolver {
    sources: BTreeMap<String, PathBuf>,
    /// None while a file is being resolved: whoever then asks for it closes a circle.
    done: BTreeMap<String, Option<Asset>>,
    others: BTreeMap<String, String>,
}

impl Resolver {
    fn new(folder: &Path, others: &[Asset]) -> Result<Self> {
        let mut sources = BTreeMap::new();
        for path in files(folder)? {
            let name = path
                .strip_prefix(folder)?
                .to_string_lossy()
                .replace('\\', "/");
            sources.insert(name, path);
        }
        Ok(Self {
            sources,
            done: BTreeMap::new(),
            others: others
                .iter()
                .map(|asset| (asset.name.clone(), asset.path.clone()))
                .collect(),
        })
    }

    fn all(&mut self) -> Result<Vec<Asset>> {
        for name in self.sources.keys().cloned().collect::<Vec<_>>() {
            self.path_of(&name)?;
        }
        Ok(self.done.values().flatten().cloned().collect())
    }

    /// The hashed path of the asset called `name`.
    fn path_of(&mut self, name: &str) -> Result<String> {
        if let Some(path) = self.others.get(name) {
            return Ok(path.clone());
        }
        match self.done.get(name) {
            Some(Some(asset)) => return Ok(asset.path.clone()),
            Some(None) => bail!("{name} refers to itself through others: no hash can hold"),
            None => {}
        }
        let path = self
            .sources
            .get(name)
            .with_context(|| format!("there is no asset {name}"))?
            .clone();
        self.done.insert(name.to_owned(), None);
        let content = match path.extension().and_then(|extension| extension.to_str()) {
            Some("js") => {
                let text =
                    minify::script(&fs::read_to_string(&path)?).with_context(|| name.to_owned())?;
                self.relink(name, &text)?.into_bytes()
            }
            Some("css") => {
                let text =
                    minify::style(&fs::read_to_string(&path)?).with_context(|| name.to_owned())?;
                self.relink(name, &text)?.into_bytes()
            }
            _ => fs::read(&path)?,
        };
        let asset = hashed(name, content)?;
        let path = asset.path.clone();
        self.done.insert(name.to_owned(), Some(asset));
        Ok(path)
    }

    /// `text` of the file `name`, with the references to other files replaced.
    fn relink(&mut self, name: &str, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = next_reference(rest) {
            let (before, found) = rest.split_at(start);
            let end = found.find(|c: char| !is_path(c)).unwrap_or(found.len());
            let target = join(name, &found[..end]);
            let path = self
                .path_of(&target)
                .with_context(|| format!("{name}, {}", &found[..end]))?;
            out += before;
            out += "./";
            out += &path;
            rest = &found[end..];
        }
        Ok(out + rest)
    }
}

/// Where the next `./` or `../` stands that begins a quoted text or a `url()` and names a file.
fn next_reference(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find("./").map(|at| at + from) {
        let start = if text[..at].ends_with('.') {
            at - 1
        } else {
            at
        };
        let end = text[at..]
            .find(|c: char| !is_path(c))
            .map_or(text.len(), |end| at + end);
        let opened = text[..start].ends_with(['"', '\'', '`', '(']);
        let closed = text[end..].starts_with(['"', '\'', '`', ')', '#']);
        let is_file = text[at + 2..end]
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains('.'));
        if opened && closed && is_file {
            return Some(start);
        }
        from = end.max(at + 2);
    }
    None
}

fn is_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-/".contains(c)
}

/// The name that `reference` has, seen from the file `name`.
fn join(name: &str, reference: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in reference.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
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
    fn references_become_hashed_names() {
        let dir = folder(&[
            (
                "app.js",
                "import {a} from \"./lib/a.js\";import init from './widget.js';go(`./icons.svg#x`)",
            ),
            ("lib/a.js", "export const a = \"../icons.svg\";"),
            (
                "app.css",
                "a{background:url(./icons.svg)}b{background:url(\"./icons.svg\")}",
            ),
            ("icons.svg", "<svg/>"),
        ]);
        let widget = hashed("widget.js", b"glue".to_vec()).unwrap();
        let all = Resolver::new(dir.path(), std::slice::from_ref(&widget))
            .unwrap()
            .all()
            .unwrap();
        let find = |name: &str| all.iter().find(|asset| asset.name == name).unwrap();
        let icons = &find("icons.svg").path;
        let lib = find("lib/a.js");
        assert_eq!(
            String::from_utf8_lossy(&lib.content),
            format!("export const a=\"./{icons}\";")
        );
        assert_eq!(
            String::from_utf8_lossy(&find("app.js").content),
            format!(
                "import{{a}}from\"./{}\";import init from'./{}';go(`./{icons}#x`)",
                lib.path, widget.path
            )
        );
        assert_eq!(
            String::from_utf8_lossy(&find("app.css").content),
            format!("a{{background:url(./{icons})}}b{{background:url(\"./{icons}\")}}")
        );
        assert!(lib.path.starts_with("lib-a-"), "{}", lib.path);
    }

    #[test]
    fn a_missing_file_and_a_circle_are_errors() {
        let missing = folder(&[("app.js", "import './gone.js'")]);
        let error = Resolver::new(missing.path(), &[])
            .unwrap()
            .all()
            .unwrap_err();
        assert!(
            format!("{error:#}").contains("there is no asset gone.js"),
            "{error:#}"
        );
        let circle = folder(&[("a.js", "import './b.js'"), ("b.js", "import './a.js'")]);
        let error = Resolver::new(circle.path(), &[])
            .unwrap()
            .all()
            .unwrap_err();
        assert!(
            format!("{error:#}").contains("refers to itself"),
            "{error:#}"
        );
    }

    #[test]
    fn text_that_only_looks_like_a_reference_stays() {
        let dir = folder(&[("app.js", "say(\"a ./b.js\");say(\"./folder\");n=1./2")]);
        let all = Resolver::new(dir.path(), &[]).unwrap().all().unwrap();
        assert!(String::from_utf8_lossy(&all[0].content).contains("say(\"./folder\")"));
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

    #[test]
    fn a_changed_file_changes_those_that_refer_to_it() {
        let path = |icons: &str| {
            let dir = folder(&[("app.css", "a{background:url(./i.svg)}"), ("i.svg", icons)]);
            Resolver::new(dir.path(), &[])
                .unwrap()
                .path_of("app.css")
                .unwrap()
        };
        assert_ne!(path("<svg/>"), path("<svg></svg>"));
        assert_eq!(path("<svg/>"), path("<svg/>"));
    }
}
