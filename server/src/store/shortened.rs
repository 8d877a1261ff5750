//! Whether the log that a server left behind is shorter than what it had committed.
//!
//! Beside its log `SQLite` keeps an index of it (`-shm`), where a commit is noted only after its flush
//! (<https://sqlite.org/walformat.html>, section 2.1). It costs nothing to keep, and survives the end
//! of the process: a log with fewer frames than that has lost what was acknowledged. The index is
//! not flushed itself, so after the end of a machine it may tell less than there was, never more.

use std::path::Path;

use super::Connection;
use super::sql;

/// Its two equal headers, and the number behind them.
const LENGTH: usize = 100;
const HEADER: usize = 48;

/// What the index says of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Committed {
    /// Frames of committed transactions.
    frames: u32,
    /// How many of them are in the database's file as well.
    folded: u32,
}

impl Committed {
    /// Reads the index of the database at `path`, if there is one. Not while this process has the
    /// database open: closing the file would let go of the locks that `SQLite` holds on it.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let mut index = path.to_path_buf().into_os_string();
        index.push("-shm");
        Self::read(&std::fs::read(index).ok()?)
    }

    fn read(index: &[u8]) -> Option<Self> {
        let index = index.get(..LENGTH)?;
        let number = |at: usize| {
            let bytes = index.get(at..at + 4)?;
            Some(u32::from_ne_bytes(bytes.try_into().ok()?))
        };
        // They differ if the process ended while it wrote them.
        if index[..HEADER] != index[HEADER..2 * HEADER] {
            return None;
        }
        Some(Self {
            frames: number(16)?,
            folded: number(96)?,
        })
    }

    /// Whether the log, as it was opened now, has lost some of it. Before anything is written.
    pub(super) async fn is_lost(self, connection: &mut Connection) -> sqlx::Result<bool> {
        if self.frames == 0 {
            return Ok(false);
        }
        let row = sql::query("pragma wal_checkpoint(passive)")
            .fetch_one(connection)
            .await?;
        // Below zero: another process folds it just now, and has opened it before.
        let now: i64 = row.try_get(1)?;
        Ok(self.folded < self.frames && (0..i64::from(self.frames)).contains(&now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_believed_only_if_it_was_written_whole() {
        let mut index = vec![0; 32_768];
        for header in [0, HEADER] {
            index[header + 16..header + 20].copy_from_slice(&7_u32.to_ne_bytes());
        }
        index[96..100].copy_from_slice(&3_u32.to_ne_bytes());
        let (frames, folded) = (7, 3);
        assert_eq!(Committed::read(&index), Some(Committed { frames, folded }));
        assert_eq!(Committed::read(&index[..99]), None);
        index[16] = 8;
        assert_eq!(Committed::read(&index), None);
    }
}
