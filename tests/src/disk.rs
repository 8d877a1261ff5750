//! What disks and whoever copies files do to a data folder.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::database::{connect, file};

/// The file that lies beside SQLite's under this ending.
#[must_use]
pub fn beside(data: &Path, ending: &str) -> PathBuf {
    let mut path = file(data).into_os_string();
    path.push(ending);
    path.into()
}

/// Leaves a frame of SQLite's log that was cut off by the end of the machine, and noise, `length`
/// bytes of a frame that looks like one. The server must be down.
///
/// # Panics
/// If there is no log.
pub fn tear_log(data: &Path, length: usize) {
    let log = beside(data, "-wal");
    let mut torn = std::fs::read(&log).unwrap();
    let part = torn[32..32 + length.min(torn.len() - 32)].to_vec();
    torn.extend_from_slice(&part);
    torn.extend_from_slice(&[0x5a; 77]);
    std::fs::write(&log, torn).unwrap();
}

/// Makes a copy of SQLite's file while the server runs.
///
/// # Panics
/// If that fails.
pub async fn copy(data: &Path, to: &Path) {
    let mut other = connect(data).await;
    sqlx::query("vacuum into $1")
        .bind(to.display().to_string())
        .execute(&mut other)
        .await
        .unwrap();
}

/// The size of the smaller of SQLite's files: with it as the limit nothing can be written at once,
/// for every commit appends to the log.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn full_at(data: &Path) -> u64 {
    let files = [file(data), beside(data, "-wal")];
    let sizes = files.iter().filter_map(|path| std::fs::metadata(path).ok());
    sizes.map(|file| file.len()).min().unwrap()
}

/// A library that remembers of SQLite's files what was flushed; made with the system's C compiler.
///
/// # Panics
/// If it cannot be compiled.
pub async fn forgetful_library(folder: &Path) -> PathBuf {
    let library = folder.join("forgetful.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/disk/forgetful.c");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .args(["-ldl"])
        .stdin(Stdio::null())
        .status()
        .await
        .unwrap();
    assert!(status.success(), "cc failed");
    library
}

/// Lets go of everything in a data folder that the library has not seen flushed, as the end of a
/// machine does; how many bytes of the files are others then. The server must be down.
///
/// # Panics
/// If the files cannot be changed.
#[must_use]
pub fn forget_unflushed(data: &Path) -> usize {
    let _ = std::fs::remove_file(beside(data, "-shm"));
    let mut forgotten = 0;
    for path in [file(data), beside(data, "-wal")] {
        let mut kept = path.clone().into_os_string();
        kept.push(".flushed");
        let now = std::fs::read(&path).unwrap_or_default();
        let flushed = std::fs::read(&kept).unwrap_or_default();
        let differing = now.iter().zip(&flushed).filter(|(a, b)| a != b).count();
        forgotten += differing + now.len().abs_diff(flushed.len());
        std::fs::write(&path, flushed).unwrap();
    }
    forgotten
}
