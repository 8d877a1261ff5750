use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::assets;
use crate::bindings;
use crate::compile::Toolchain;
use crate::paths::Paths;

/// The hash of all that a build step reads. A step whose stamp is the one of its last success
/// is skipped: cargo alone would take seconds to find that out.
pub(crate) struct Stamp {
    hash: String,
    file: PathBuf,
}

impl Stamp {
    /// What decides glue and module.
    pub(crate) fn of_code(paths: &Paths, toolchain: &Toolchain) -> Result<Self> {
        let root = paths.root();
        let mut inputs = vec![root.join("Cargo.toml"), root.join("Cargo.lock")];
        for krate in [paths.widget(), root.join("protocol")] {
            inputs.push(krate.join("Cargo.toml"));
            inputs.push(krate.join("build.rs"));
            inputs.extend(assets::files(&krate.join("src"))?);
        }
        inputs.extend(assets::files(&root.join("xtask/src"))?);
        let optimiser = format!("wasm-opt {}", bindings::has_optimiser());
        Ok(Self {
            hash: hash(&inputs, &[&toolchain.fingerprint(), &optimiser])?,
            file: paths.build().join("code.stamp"),
        })
    }

    /// What decides all the assets, given the stamp of the code.
    pub(crate) fn of_files(paths: &Paths, code: &Self) -> Result<Self> {
        let widget = paths.widget();
        let mut inputs = vec![widget.join("loader.js"), widget.join("fallback.js")];
        for folder in [
            widget.join("styles"),
            widget.join("lang"),
            paths.dashboard(),
        ] {
            inputs.extend(assets::files(&folder)?);
        }
        Ok(Self {
            hash: hash(&inputs, &[&code.hash])?,
            file: paths.build().join("files.stamp"),
        })
    }

    /// Whether the step succeeded with these inputs, and its `result` is still there.
    pub(crate) fn is_current(&self, result: &Path) -> bool {
        result.exists() && fs::read_to_string(&self.file).is_ok_and(|saved| saved == self.hash)
    }

    /// Notes that the step succeeded.
    pub(crate) fn save(&self) -> Result<()> {
        fs::write(&self.file, &self.hash).with_context(|| format!("{}", self.file.display()))
    }
}

/// A file that is not there counts as such, and not as an empty one.
fn hash(inputs: &[PathBuf], words: &[&str]) -> Result<String> {
    let mut contents = Vec::new();
    for path in inputs {
        let name = path.to_string_lossy().into_owned().into_bytes();
        if path.exists() {
            let content = fs::read(path).with_context(|| format!("{}", path.display()))?;
            contents.extend([name, content]);
        }
    }
    contents.extend(words.iter().map(|word| word.as_bytes().to_vec()));
    Ok(assets::hash(
        &contents.iter().map(Vec::as_slice).collect::<Vec<_>>(),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn stamp(dir: &Path, input: &Path) -> Stamp {
        Stamp {
            hash: hash(&[input.to_owned()], &[]).unwrap(),
            file: dir.join("stamp"),
        }
    }

    #[test]
    fn a_step_is_current_until_an_input_changes_or_its_result_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (input, result) = (dir.path().join("input"), dir.path().join("result"));
        assert!(!stamp(dir.path(), &input).is_current(&result));
        fs::write(&input, "a").unwrap();
        fs::write(&result, "").unwrap();
        stamp(dir.path(), &input).save().unwrap();
        assert!(stamp(dir.path(), &input).is_current(&result));
        fs::write(&input, "b").unwrap();
        assert!(!stamp(dir.path(), &input).is_current(&result));
        fs::write(&input, "a").unwrap();
        assert!(stamp(dir.path(), &input).is_current(&result));
        fs::remove_file(&result).unwrap();
        assert!(!stamp(dir.path(), &input).is_current(&result));
    }
}
