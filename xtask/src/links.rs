use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::assets::{Asset, files, hash, hashed, hashed_path, mime};
use crate::minify;
use crate::style;

/// The dashboard's files, from `folder`. They name one another as they lie there (`"./thread.js"`,
/// `url(./icons.svg)`), and `others` as if these lay beside them (`"./widget.js"`); here the hashed
/// names take their place. A stylesheet that begins with `@import "./css/base.css";` takes that file
/// in, which then is no asset of its own.
///
/// # Errors
/// When a file refers to one that is not there, or cannot be read as what its name says.
pub(crate) fn linked(folder: &Path, others: &[Asset]) -> Result<Vec<Asset>> {
    let mut texts = BTreeMap::new();
    let mut linker = Linker::new(others);
    let mut assets = Vec::new();
    for path in files(folder)? {
        let name = path
            .strip_prefix(folder)?
            .to_string_lossy()
            .replace('\\', "/");
        let read = || fs::read_to_string(&path).with_context(|| name.clone());
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("js") => {
                let text = minify::script(&read()?).with_context(|| name.clone())?;
                linker.scripts.insert(name, text);
            }
            Some("css") => {
                texts.insert(
                    name.clone(),
                    style::compact(&read()?).with_context(|| name)?,
                );
            }
            _ => assets.push(linker.named(hashed(&name, fs::read(&path)?)?)),
        }
    }
    let mut taken = BTreeSet::new();
    let mut sheets = Vec::new();
    for name in texts.keys() {
        sheets.push((name, linker.sheet(&texts, name, &[], &mut taken)?));
    }
    for (name, text) in sheets {
        if !taken.contains(name) {
            assets.push(linker.named(hashed(name, text.into_bytes())?));
        }
    }
    assets.extend(linker.link_scripts()?);
    assets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(assets)
}

/// Knows the hashed names.
struct Linker {
    paths: BTreeMap<String, String>,
    scripts: BTreeMap<String, String>,
}

impl Linker {
    fn new(others: &[Asset]) -> Self {
        let paths = others
            .iter()
            .map(|asset| (asset.name.clone(), asset.path.clone()));
        Self {
            paths: paths.collect(),
            scripts: BTreeMap::new(),
        }
    }

    fn named(&mut self, asset: Asset) -> Asset {
        self.paths.insert(asset.name.clone(), asset.path.clone());
        asset
    }

    /// The stylesheet `name`, with those that it imports in the place of the imports.
    fn sheet(
        &self,
        texts: &BTreeMap<String, String>,
        name: &str,
        within: &[&str],
        taken: &mut BTreeSet<String>,
    ) -> Result<String> {
        ensure!(!within.contains(&name), "{name} imports itself");
        let within = [within, &[name]].concat();
        let mut rest = texts
            .get(name)
            .with_context(|| format!("there is no stylesheet {name}"))?
            .as_str();
        let mut out = String::new();
        while let Some((import, after)) = rest
            .strip_prefix("@import \"./")
            .and_then(|rest| rest.split_once("\";"))
        {
            let part = join(name, import);
            out += &self
                .sheet(texts, &part, &within, taken)
                .with_context(|| name.to_owned())?;
            taken.insert(part);
            rest = after;
        }
        Ok(out + &self.relink(name, rest)?)
    }

    /// Scripts may import one another in circles, so one hash of all that they consist of and
    /// refer to goes into each one's name.
    fn link_scripts(&mut self) -> Result<Vec<Asset>> {
        let scripts = std::mem::take(&mut self.scripts);
        let parts = scripts.iter().chain(&self.paths);
        let parts: Vec<&[u8]> = parts
            .flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()])
            .collect();
        let hash = hash(&parts);
        for name in scripts.keys() {
            self.paths.insert(name.clone(), hashed_path(name, &hash)?);
        }
        let link = |(name, text): (&String, &String)| {
            Ok(Asset {
                name: name.clone(),
                path: hashed_path(name, &hash)?,
                mime: mime("js")?,
                content: self.relink(name, text)?.into_bytes(),
            })
        };
        scripts.iter().map(link).collect()
    }

    /// `text` of the file `name`, with the references to other files replaced.
    fn relink(&self, name: &str, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = next_reference(rest) {
            let (before, found) = rest.split_at(start);
            let end = found.find(|c: char| !is_path(c)).unwrap_or(found.len());
            let target = join(name, &found[..end]);
            let path = self.paths.get(&target);
            out += before;
            out += "./";
            out += path.with_context(|| format!("{name}: there is no asset {target}"))?;
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
        let all = linked(dir.path(), std::slice::from_ref(&widget)).unwrap();
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
    fn imported_stylesheets_become_one() {
        let dir = folder(&[
            (
                "all.css",
                "@import \"./css/b.css\";\n@import \"./css/a.css\";\nc{d:e}",
            ),
            ("css/a.css", "/* a */ a{background:url(../i.svg)}"),
            ("css/b.css", "@layer x, y;"),
            ("i.svg", "<svg/>"),
        ]);
        let all = linked(dir.path(), &[]).unwrap();
        let names: Vec<&str> = all.iter().map(|asset| asset.name.as_str()).collect();
        assert_eq!(names, ["all.css", "i.svg"]);
        assert_eq!(
            String::from_utf8_lossy(&all[0].content),
            format!("@layer x,y;a{{background:url(./{})}}c{{d:e}}", all[1].path)
        );
    }

    #[test]
    fn a_missing_file_and_a_circle_of_stylesheets_are_errors() {
        let missing = folder(&[("app.js", "import './gone.js'")]);
        let error = linked(missing.path(), &[]).unwrap_err();
        assert!(
            format!("{error:#}").contains("there is no asset gone.js"),
            "{error:#}"
        );
        let circle = folder(&[
            ("a.css", "@import \"./b.css\";"),
            ("b.css", "@import \"./a.css\";"),
        ]);
        assert!(linked(circle.path(), &[]).is_err());
    }

    #[test]
    fn scripts_may_import_one_another_in_circles() {
        let dir = folder(&[("a.js", "import './b.js'"), ("b.js", "import './a.js'")]);
        let all = linked(dir.path(), &[]).unwrap();
        assert_eq!(
            all[0].content,
            format!("import'./{}'", all[1].path).as_bytes()
        );
        assert_eq!(
            all[1].content,
            format!("import'./{}'", all[0].path).as_bytes()
        );
    }

    #[test]
    fn text_that_only_looks_like_a_reference_stays() {
        let dir = folder(&[("app.js", "say(\"a ./b.js\");say(\"./folder\");n=1./2")]);
        let all = linked(dir.path(), &[]).unwrap();
        assert!(String::from_utf8_lossy(&all[0].content).contains("say(\"./folder\")"));
    }

    #[test]
    fn a_changed_file_changes_those_that_refer_to_it() {
        let paths = |icons: &str| -> Vec<String> {
            let dir = folder(&[
                ("app.css", "a{background:url(./i.svg)}"),
                ("app.js", "import './lib.js'"),
                ("i.svg", icons),
                ("lib.js", "go('./i.svg')"),
            ]);
            linked(dir.path(), &[])
                .unwrap()
                .into_iter()
                .map(|asset| asset.path)
                .collect()
        };
        let (before, after) = (paths("<svg/>"), paths("<svg></svg>"));
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(before, after)| before != after)
        );
        assert_eq!(before, paths("<svg/>"));
    }
}
