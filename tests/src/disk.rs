//! What disks and whoever copies files do to a data folder.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use parlour_protocol::Id;
use sqlx::Row as _;
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

/// How many frames of SQLite's log are committed, and not in the file as well: what its index says
/// (<https://sqlite.org/walformat.html>).
///
/// # Panics
/// If there is no index.
#[must_use]
pub fn unfolded(data: &Path) -> u32 {
    let [frames, folded] = index(data);
    frames - folded
}

fn index(data: &Path) -> [u32; 2] {
    let index = std::fs::read(beside(data, "-shm")).unwrap();
    [16, 96].map(|at| u32::from_ne_bytes(index[at..at + 4].try_into().unwrap()))
}

/// Cuts these committed frames off SQLite's log; the messages that were lost with them. The server
/// must be down.
///
/// # Panics
/// If there are not as many.
pub async fn cut_log(data: &Path, frames: u32) -> HashSet<Id> {
    assert!(frames < unfolded(data), "there are fewer frames");
    let before = messages(data).await;
    let path = beside(data, "-wal");
    let log = std::fs::read(&path).unwrap();
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap());
    let kept = 32 + (24 + page as usize) * (index(data)[0] - frames) as usize;
    std::fs::write(&path, &log[..kept]).unwrap();
    let after = messages(data).await;
    before.difference(&after).copied().collect()
}

/// The messages in SQLite's file and its log, read from a copy: whoever opens them mends them.
async fn messages(data: &Path) -> HashSet<Id> {
    let copy = crate::node::folder();
    let (from, to) = (file(data), copy.path().join("parlour.db"));
    std::fs::copy(&from, &to).unwrap();
    std::fs::copy(beside(data, "-wal"), beside(copy.path(), "-wal")).unwrap();
    let mut connection = connect(copy.path()).await;
    let rows = sqlx::query("select cid from messages")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let cid = |row: &sqlx::any::AnyRow| Id(row.get::<Vec<u8>, _>(0).try_into().unwrap());
    rows.iter().map(cid).collect()
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
