//! What the machine did meanwhile, as `/proc` tells it: who used the processors, who holds memory.

use std::fs;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// What was put off is done when less than this share of one core was used for so long.
const QUIET: (Duration, f64) = (Duration::from_millis(500), 0.04);
/// How long is waited for it.
const MOST: Duration = Duration::from_secs(30);

/// Clock ticks in a second: Linux has the same on every architecture for what `/proc` shows.
const TICKS: f64 = 100.0;

/// The processes that are measured, apart from this one.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    /// Of the server.
    pub servers: Vec<u32>,
    /// PostgreSQL's first process; its children are counted with it.
    pub database: Option<u32>,
    /// Redis.
    pub bus: Option<u32>,
}

/// Seconds of processor time between two moments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Of the server.
    pub server: f64,
    /// Of PostgreSQL.
    pub database: f64,
    /// Of Redis.
    pub bus: f64,
    /// Of the load generator.
    pub generator: f64,
    /// By the clock on the wall.
    pub wall: f64,
    /// The share of the machine that processes used which have nothing to do with it.
    pub others: f64,
}

impl Usage {
    /// Of everything that is needed to run the service.
    #[must_use]
    pub fn service(&self) -> f64 {
        self.server + self.database + self.bus
    }
}

/// A moment.
pub struct Mark {
    processes: Processes,
    at: Instant,
    used: [f64; 4],
    machine: Machine,
}

#[derive(Clone, Copy)]
struct Machine {
    programs: f64,
    stolen: f64,
    all: f64,
}

impl Mark {
    /// Now.
    #[must_use]
    pub fn now(processes: &Processes) -> Self {
        Self {
            processes: processes.clone(),
            at: Instant::now(),
            used: used(processes),
            machine: machine(),
        }
    }

    /// What was used since, with what the subject has put off and does after the load has ended.
    pub async fn settled(&self) -> Usage {
        let mut usage = self.elapsed();
        let until = Instant::now() + MOST;
        let mut before = used(&self.processes);
        loop {
            sleep(QUIET.0).await;
            let now = used(&self.processes);
            let more: [f64; 3] = std::array::from_fn(|part| now[part] - before[part]);
            usage.server += more[0];
            usage.database += more[1];
            usage.bus += more[2];
            before = now;
            let share = more.iter().sum::<f64>() / QUIET.0.as_secs_f64();
            if share < QUIET.1 || Instant::now() > until {
                return usage;
            }
        }
    }

    /// What was used since.
    #[must_use]
    pub fn elapsed(&self) -> Usage {
        let used = used(&self.processes);
        let [server, database, bus, generator] =
            std::array::from_fn(|part| used[part] - self.used[part]);
        let now = machine();
        let all = (now.all - self.machine.all).max(1.0);
        let programs = now.programs - self.machine.programs + now.stolen - self.machine.stolen;
        let own = server + database + bus + generator;
        Usage {
            server,
            database,
            bus,
            generator,
            wall: self.at.elapsed().as_secs_f64(),
            others: ((programs / TICKS - own) * TICKS / all).max(0.0),
        }
    }
}

fn used(processes: &Processes) -> [f64; 4] {
    [
        processes.servers.iter().map(|pid| of(*pid).0).sum(),
        processes.database.map_or(0.0, family),
        processes.bus.map_or(0.0, |pid| of(pid).0),
        of(std::process::id()).0,
    ]
}

/// Seconds of a process, and of its children that have ended.
fn of(pid: u32) -> (f64, f64) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program may hold spaces and brackets.
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = rest
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    let sum = |from: usize| {
        fields
            .get(from..from + 2)
            .map_or(0.0, |two| two.iter().sum())
    };
    (sum(11) / TICKS, sum(13) / TICKS)
}

/// Seconds of a process and of all its children.
fn family(pid: u32) -> f64 {
    let children =
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let living: f64 = children
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .map(|child| of(child).0)
        .sum();
    let (own, ended) = of(pid);
    own + ended + living
}

fn machine() -> Machine {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    let field = |index: usize| fields.get(index).copied().unwrap_or(0.0);
    Machine {
        // User, nice, system. Interrupts are the loopback's, and belong to what is measured.
        programs: field(0) + field(1) + field(2),
        stolen: field(7),
        all: fields.iter().take(8).sum(),
    }
}

/// Resident memory of processes, in MiB.
#[must_use]
pub fn memory(pids: &[u32]) -> f64 {
    let of = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    pids.iter().filter_map(of).sum::<f64>() / 1024.0
}
