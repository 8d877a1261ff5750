//! What a server's process uses, and may use.

use std::time::Duration;

use tokio::process::Command;

use super::Node;

impl Node {
    /// Its resident memory, in bytes.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The memory that it has asked for, in bytes: what `prlimit --data` limits.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn reserved(&self) -> u64 {
        self.status("VmData:")
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let mut lines = status.lines();
        let line = lines.find(|line| line.starts_with(name)).unwrap();
        let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes * 1_024
    }

    /// How many descriptors it has open.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid()))
            .unwrap()
            .count()
    }

    /// The processor time that it has used.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Sets a limit of the running process, as `prlimit` spells it.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn limit(&self, what: &str) {
        let pid = self.pid().to_string();
        let status = Command::new("prlimit")
            .args(["--pid", &pid, what])
            .status()
            .await
            .unwrap();
        assert!(status.success(), "prlimit {what}");
    }
}
