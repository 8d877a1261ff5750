use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::paths::Paths;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "widget";

/// Objects of the page are numbers to the module: with reference types it is a kilobyte larger.
const FLAGS: &str = "-Ctarget-feature=-reference-types";
/// What LLVM does for speed although it was asked for size, and is told not to: to copy structs
/// word by word (1.4 kB), and to keep what loops count in many forms (0.7 kB). Older versions do
/// not know all of these, and go without.
const LLVM_OPTIONS: [&str; 4] = [
    "-max-store-memcpy=1",
    "-max-store-memmove=1",
    "-max-store-memset=1",
    "-disable-lsr",
];

/// A compiler for WebAssembly.
pub(crate) struct Toolchain {
    way: Way,
    version: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// The toolchain that runs us has the target.
    Native,
    /// Debian's, which builds the standard library from source.
    Debian,
}

impl Toolchain {
    /// Asks `scripts/widget-toolchain`, which also installs what is missing.
    pub(crate) fn choose(paths: &Paths) -> Result<Self> {
        let script = paths.root().join("scripts/widget-toolchain");
        let mut command = Command::new("bash");
        plain(&mut command);
        let output = command
            .arg(&script)
            .stderr(Stdio::inherit())
            .output()
            .context("bash is needed to choose the widget's toolchain")?;
        ensure!(output.status.success(), "no toolchain for the widget");
        let way = match String::from_utf8_lossy(&output.stdout).trim() {
            "native" => Way::Native,
            "debian" => Way::Debian,
            other => bail!("{} answered {other:?}", script.display()),
        };
        let output = way
            .rustc()
            .arg("-vV")
            .output()
            .context("rustc does not start")?;
        Ok(Self {
            way,
            version: String::from_utf8_lossy(&output.stdout).into_owned(),
        })
    }

    /// Whether the standard library comes as the toolchain has it, with its way of panicking.
    pub(crate) fn has_prebuilt_std(&self) -> bool {
        self.way == Way::Native
    }

    /// Changes when the compiler or the way of building does.
    pub(crate) fn fingerprint(&self) -> String {
        match self.way {
            Way::Native => format!("native {}", self.version),
            Way::Debian => format!("debian {}", self.version),
        }
    }
}

impl Way {
    fn rustc(self) -> Command {
        let mut command = Command::new(match self {
            Self::Native => "rustc",
            Self::Debian => "/usr/bin/rustc",
        });
        plain(&mut command);
        command
    }

    fn cargo(self) -> Command {
        let mut command = match self {
            Self::Native => {
                let mut command = Command::new("cargo");
                plain(&mut command);
                command
            }
            Self::Debian => debian_cargo(),
        };
        command.env("RUSTFLAGS", self.flags());
        command
    }

    fn flags(self) -> String {
        let mut flags = String::from(FLAGS);
        if self == Self::Debian {
            // A panic traps without a message: 6 kB less. Only a standard library that is built
            // along can have it.
            flags += " -Zunstable-options -Cpanic=immediate-abort";
        }
        for option in LLVM_OPTIONS {
            let flag = format!("-Cllvm-args={option}");
            let mut rustc = self.rustc();
            rustc.args([&flag, "--print=cfg"]);
            let known = rustc.stdout(Stdio::null()).stderr(Stdio::null()).status();
            if known.is_ok_and(|status| status.success()) {
                flags += " ";
                flags += &flag;
            }
        }
        flags
    }
}

/// Cargo hands its own choice of compiler and flags to its children; the widget's build makes
/// its own.
fn plain(command: &mut Command) {
    for name in [
        "CARGO",
        "CARGO_BUILD_TARGET",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MANIFEST_DIR",
        "CARGO_TARGET_DIR",
        "LD_LIBRARY_PATH",
        "RUSTC",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTDOC",
        "RUSTFLAGS",
    ] {
        command.env_remove(name);
    }
}

fn debian_cargo() -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    plain(&mut command);
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("PATH", format!("/usr/bin:{path}"))
        .env("RUSTC", "/usr/bin/rustc")
        // build-std is unstable, and Debian has no nightly.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
        .args([
            "-Z",
            "build-std=std",
            "-Z",
            "build-std-features=optimize_for_size",
        ]);
    command
}

/// The widget's crate is built twice, each time with one of its features: what a visitor loads
/// holds nothing of what only the dashboard's script needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    /// The widget.
    Widget,
    /// The brain for the dashboard's script.
    Desk,
}

impl Part {
    pub(crate) const ALL: [Self; 2] = [Self::Widget, Self::Desk];

    /// The feature's name, and that of the files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Widget => "widget",
            Self::Desk => "desk",
        }
    }
}

/// Builds a part and returns the path of its wasm, still without bindings. The next part's will
/// take its place.
pub(crate) fn compile(paths: &Paths, toolchain: &Toolchain, part: Part) -> Result<PathBuf> {
    // One folder per way: switching between them does not start over.
    let target_dir = paths.build().join(match toolchain.way {
        Way::Native => "native",
        Way::Debian => "debian",
    });
    let mut command = toolchain.way.cargo();
    command
        .current_dir(paths.root())
        .args(["rustc", "--package", "parlour-widget", "--lib"])
        .args(["--crate-type", "cdylib", "--no-default-features"])
        .args(["--features", part.name()])
        .args(["--profile", PROFILE, "--target", TARGET, "--target-dir"])
        .arg(&target_dir);
    // Cargo.lock decides in CI; at a desk it may follow an edit of Cargo.toml.
    if std::env::var_os("CI").is_some() {
        command.arg("--locked");
    }
    let status = command.status().context("cargo does not start")?;
    ensure!(status.success(), "the widget's crate did not build");
    Ok(artifact(&target_dir))
}

fn artifact(target_dir: &Path) -> PathBuf {
    target_dir
        .join(TARGET)
        .join(PROFILE)
        .join("parlour_widget.wasm")
}
