use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::assets::{Asset, files, hashed};
use crate::minify;
use crate::style;

/// The dashboard's files. They name one another as they lie in the folder (`"./thread.js"`,
/// `url(./icons.svg)`), and the widget's as if these lay beside them (`"./widget.js"`); here the
/// hashed names take their place, so a file comes after those that it refers to. A stylesheet that
/// begins with `@import "./css/base.css";` takes that file in, which then is no asset of its own.
pub(crate) struct Resolver {
    sources: BTreeMap<String, PathBuf>,
    /// None while a file is being resolved: whoever then asks for it closes a circle.
    done: BTreeMap<String, Option<Asset>>,
    others: BTreeMap<String, String>,
    /// Stylesheets that became part of another.
    taken: BTreeSet<String>,
}

impl Resolver {
    /// The files of `folder`, which may refer to `others` as well.
    pub(crate) fn new(folder: &Path, others: &[Asset]) -> Result<Self> {
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
            taken: BTreeSet::new(),
        })
    }

    /// All files but those that a stylesheet has taken in.
    pub(crate) fn all(&mut self) -> Result<Vec<Asset>> {
        for name in self.sources.keys().cloned().collect::<Vec<_>>() {
            self.path_of(&name)?;
        }
        let whole = self
            .done
            .iter()
            .filter(|(name, _)| !self.taken.contains(*name));
        Ok(whole.filter_map(|(_, asset)| asset.clone()).collect())
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
            Some("css") => self.sheet(name, &[])?.into_bytes(),
            _ => fs::read(&path)?,
        };
        let asset = hashed(name, content)?;
        let path = asset.path.clone();
        self.done.insert(name.to_owned(), Some(asset));
        Ok(path)
    }

    /// The stylesheet `name`, with those that it imports in the place of the imports.
    fn sheet(&mut self, name: &str, within: &[&str]) -> Result<String> {
        ensure!(!within.contains(&name), "{name} imports itself");

        let path = self
            .sources
            .get(name)
            .with_context(|| format!("there is no asset {name}"))?;
        let text = style::compact(&fs::read_to_string(path)?).with_context(|| name.to_owned())?;
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((import, after)) = rest
            .strip_prefix("@import \"./")
            .and_then(|rest| rest.split_once("\";"))
        {
            let part = join(name, import);
            let within = [within, &[name]].concat();
            out += &self
                .sheet(&part, &within)
                .with_context(|| name.to_owned())?;
            self.taken.insert(part);
            rest = after;
        }
        Ok(out + &self.relink(name, rest)?)
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
        let all = Resolver::new(dir.path(), &[]).unwrap().all().unwrap();
        let names: Vec<&str> = all.iter().map(|asset| asset.name.as_str()).collect();
        assert_eq!(names, ["all.css", "i.svg"]);
        assert_eq!(
            String::from_utf8_lossy(&all[0].content),
            format!("@layer x,y;a{{background:url(./{})}}c{{d:e}}", all[1].path)
        );
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
        let circle = folder(&[
            ("a.css", "@import \"./b.css\";"),
            ("b.css", "@import \"./a.css\";"),
        ]);
        assert!(Resolver::new(circle.path(), &[]).unwrap().all().is_err());
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
