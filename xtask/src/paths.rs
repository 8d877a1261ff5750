use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folders that the build reads and writes, all below the root of the checkout.
pub(crate) struct Paths {
    root: PathBuf,
}

impl Paths {
    /// Finds the checkout: cargo says at run time where this crate lies, and did when building.
    pub(crate) fn find() -> Result<Self> {
        let krate = std::env::var_os("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&krate)
            .parent()
            .context("xtask lies in no workspace")?;
        Ok(Self::at(root))
    }

    /// The checkout at `root`.
    pub(crate) fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The widget's crate, which also holds the loader, the styles and the languages.
    pub(crate) fn widget(&self) -> PathBuf {
        self.root.join("widget-wasm")
    }

    /// The dashboard's scripts, styles, icons and fonts.
    pub(crate) fn dashboard(&self) -> PathBuf {
        self.root.join("admin-templates/assets")
    }

    /// Cargo's target directory for WebAssembly: another compiler may write there, and it must
    /// not invalidate the server's.
    pub(crate) fn build(&self) -> PathBuf {
        self.root.join("target/widget-build")
    }

    /// Where glue and wasm wait for their hashed names.
    pub(crate) fn stage(&self) -> PathBuf {
        self.build().join("stage")
    }

    /// What the server embeds.
    pub(crate) fn out(&self) -> PathBuf {
        self.root.join("target/widget")
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.out().join("manifest.json")
    }

    pub(crate) fn size_report(&self) -> PathBuf {
        self.root.join("target/size.json")
    }
}
