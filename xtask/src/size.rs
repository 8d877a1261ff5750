use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::bundle::{LOADER_SAMPLE, Manifest};
use crate::paths::Paths;

/// All that a page loads before its visitor shows any interest, in bytes of brotli.
const LOADER_BUDGET: u64 = 2_000;
/// What opening the panel loads, in bytes of brotli.
const WIDGET_BUDGET: u64 = 40_000;
/// A prebuilt standard library brings messages and unwinding that one built along leaves out. The
/// budget is for what CI builds; elsewhere a build must not fail for that difference.
const PREBUILT_STD: u64 = 3_000;
const WIDGET_FILES: [&str; 3] = ["widget.js", "widget.wasm", "widget.css"];

/// What was built, measured. Serialised as `target/size.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    prebuilt_std: bool,
    files: Vec<Row>,
    budgets: Vec<Budget>,
}

/// Sizes in bytes; what is served uncompressed has its raw size in each.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
}

/// A limit in bytes of brotli, and what it holds.
#[derive(Debug, Serialize)]
struct Budget {
    name: &'static str,
    used: u64,
    limit: u64,
}

impl Report {
    /// Measures the files that the last build wrote.
    pub(crate) fn read(paths: &Paths) -> Result<Self> {
        Self::of(&paths.out())
    }

    fn of(folder: &Path) -> Result<Self> {
        let manifest = Manifest::read(folder)?;
        let mut files = vec![Row::measure(folder, &manifest.loader, LOADER_SAMPLE)?];
        for entry in &manifest.files {
            files.push(Row::measure(folder, &entry.name, &entry.path)?);
        }
        let brotli = |name: &str| {
            let row = files.iter().find(|row| row.name == name);
            row.map(|row| row.brotli)
                .with_context(|| format!("{name} was not built"))
        };
        let mut widget = 0;
        for name in WIDGET_FILES {
            widget += brotli(name)?;
        }
        let budgets = vec![
            Budget {
                name: "loader",
                used: brotli(&manifest.loader)?,
                limit: LOADER_BUDGET,
            },
            Budget {
                name: "widget",
                used: widget,
                limit: WIDGET_BUDGET
                    + if manifest.prebuilt_std {
                        PREBUILT_STD
                    } else {
                        0
                    },
            },
        ];
        Ok(Self {
            prebuilt_std: manifest.prebuilt_std,
            files,
            budgets,
        })
    }

    pub(crate) fn within_budget(&self) -> bool {
        self.budgets.iter().all(Budget::holds)
    }

    pub(crate) fn save(&self, paths: &Paths) -> Result<()> {
        fs::write(paths.size_report(), serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}

impl Row {
    fn measure(folder: &Path, name: &str, path: &str) -> Result<Self> {
        let size = |suffix: &str| {
            fs::metadata(folder.join(format!("{path}{suffix}"))).map(|file| file.len())
        };
        let raw =
            size("").with_context(|| format!("{path} is missing; run: cargo xtask widget"))?;
        Ok(Self {
            name: name.to_owned(),
            raw,
            gzip: size(".gz").unwrap_or(raw),
            brotli: size(".br").unwrap_or(raw),
        })
    }
}

impl Budget {
    fn holds(&self) -> bool {
        self.used <= self.limit
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .files
            .iter()
            .map(|row| row.name.len())
            .max()
            .unwrap_or(0)
            .max(28);
        writeln!(
            f,
            "{:width$} {:>9} {:>9} {:>9}",
            "bytes", "raw", "gzip", "brotli"
        )?;
        for Row {
            name,
            raw,
            gzip,
            brotli,
        } in &self.files
        {
            writeln!(f, "{name:width$} {raw:>9} {gzip:>9} {brotli:>9}")?;
        }
        for budget in &self.budgets {
            let Budget { name, used, limit } = budget;
            let files = match *name {
                "widget" => WIDGET_FILES
                    .map(|file| file.trim_start_matches("widget."))
                    .join(" + "),
                _ => "all before intent".to_owned(),
            };
            let verdict = if budget.holds() { "within" } else { "ABOVE" };
            writeln!(
                f,
                "{name} ({files}): {used} of {limit} bytes of brotli, {verdict} the budget"
            )?;
        }
        if self.prebuilt_std {
            writeln!(
                f,
                "(the widget's limit is {PREBUILT_STD} bytes higher with a prebuilt standard library)"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bundle::{Entry, LOADER};

    /// A build with files of these sizes in brotli.
    fn built(loader: usize, wasm: usize) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, brotli: usize| {
            fs::write(dir.path().join(path), vec![0; brotli * 3]).unwrap();
            fs::write(dir.path().join(format!("{path}.br")), vec![0; brotli]).unwrap();
            fs::write(dir.path().join(format!("{path}.gz")), vec![0; brotli + 10]).unwrap();
        };
        let mut manifest = Manifest {
            loader: LOADER.into(),
            prebuilt_std: false,
            files: Vec::new(),
        };
        put(LOADER_SAMPLE, loader);
        for (name, size) in [
            ("widget.js", 3_000),
            ("widget.wasm", wasm),
            ("widget.css", 2_000),
            ("app.js", 90_000),
        ] {
            put(name, size);
            manifest.files.push(Entry {
                name: name.into(),
                path: name.into(),
                mime: String::new(),
                compressed: true,
            });
        }
        fs::write(
            dir.path().join("manifest.json"),
            serde_json::to_vec(&manifest).unwrap(),
        )
        .unwrap();
        dir
    }

    #[test]
    fn the_budget_holds_up_to_its_last_byte() {
        let dir = built(2_000, 35_000);
        assert!(Report::of(dir.path()).unwrap().within_budget());
    }

    #[test]
    fn a_loader_above_its_budget_fails() {
        let dir = built(2_001, 1_000);
        let report = Report::of(dir.path()).unwrap();
        assert!(!report.within_budget());
        assert!(
            report
                .to_string()
                .contains("loader (all before intent): 2001 of 2000 bytes"),
            "{report}"
        );
    }

    #[test]
    fn a_widget_above_its_budget_fails() {
        let dir = built(1_000, 35_001);
        let report = Report::of(dir.path()).unwrap();
        assert!(!report.within_budget());
        assert!(report.to_string().contains("ABOVE"), "{report}");
    }

    #[test]
    fn a_prebuilt_standard_library_is_allowed_for() {
        let dir = built(1_000, 37_500);
        assert!(!Report::of(dir.path()).unwrap().within_budget());
        let mut manifest = Manifest::read(dir.path()).unwrap();
        manifest.prebuilt_std = true;
        let path = dir.path().join("manifest.json");
        fs::write(path, serde_json::to_vec(&manifest).unwrap()).unwrap();
        assert!(Report::of(dir.path()).unwrap().within_budget());
    }

    #[test]
    fn a_missing_widget_is_an_error_and_not_a_small_one() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = Manifest {
            loader: LOADER.into(),
            prebuilt_std: false,
            files: Vec::new(),
        };
        fs::write(
            dir.path().join("manifest.json"),
            serde_json::to_vec(&manifest).unwrap(),
        )
        .unwrap();
        fs::write(dir.path().join(LOADER_SAMPLE), "x").unwrap();
        assert!(Report::of(dir.path()).is_err());
    }
}
