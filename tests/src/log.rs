//! What a process wrote to its outputs.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::watch;

use crate::DEADLINE;

/// What a process wrote, line by line.
#[derive(Clone, Debug)]
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    count: watch::Sender<usize>,
    /// Outputs that are still open.
    open: watch::Sender<usize>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            lines: Arc::default(),
            count: watch::Sender::new(0),
            open: watch::Sender::new(0),
        }
    }

    pub(crate) fn follow(&self, stream: impl AsyncRead + Unpin + Send + 'static) {
        let log = self.clone();
        self.open.send_modify(|open| *open += 1);
        tokio::spawn(async move {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .await
                .is_ok_and(|read| read > 0)
            {
                log.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
            log.open.send_modify(|open| *open -= 1);
        });
    }

    /// Waits until everything that ended processes have written is here.
    pub(crate) async fn complete(&self) {
        // It cannot fail: the sender is this one.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    fn push(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line);
        self.count.send_replace(lines.len());
    }

    /// Everything so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Everything so far, as one text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// The first line from `since` on in which `find` finds something; nothing if none comes in time.
    pub async fn wait<T>(&self, since: usize, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let mut count = self.count.subscribe();
        let mut seen = since;
        let search = async {
            loop {
                let lines = self.lines();
                if let Some(found) = lines.iter().skip(seen).find_map(|line| find(line)) {
                    return found;
                }
                seen = lines.len();
                if count.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(DEADLINE, search).await.ok()
    }
}
