//! The table, and `target/chaos.json`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fault::Fault;
use crate::setting::Setting;

/// Where everything that is built goes.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    )
}

/// One fault on one setting.
pub(crate) struct Row(Value);

impl Row {
    pub(crate) fn of(
        fault: &Fault,
        setting: &Setting,
        mut value: Value,
        took: Duration,
        log: &Path,
    ) -> Self {
        value["took_seconds"] = json!(took.as_secs());
        if value["held"] != true {
            value["log"] = json!(log.display().to_string());
        }
        Self::named(fault, setting, value)
    }

    pub(crate) fn excluded(fault: &Fault, setting: &Setting, reason: &str) -> Self {
        Self::named(fault, setting, json!({ "excluded": reason }))
    }

    pub(crate) fn late(fault: &Fault, setting: &Setting) -> Self {
        let value = json!({ "held": false, "reason": "there was no time left for it" });
        Self::named(fault, setting, value)
    }

    fn named(fault: &Fault, setting: &Setting, mut value: Value) -> Self {
        value["fault"] = json!(fault.name);
        value["database"] = json!(setting.database());
        value["bus"] = json!(setting.bus());
        value["limit"] = json!(fault.limit);
        Self(value)
    }

    fn is_excluded(&self) -> bool {
        self.0["excluded"].is_string()
    }

    fn text(&self, name: &str) -> String {
        match &self.0[name] {
            Value::Null => "–".into(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }

    fn verdict(&self) -> &'static str {
        if self.is_excluded() {
            "excluded"
        } else if self.0["held"] == true {
            "held"
        } else {
            "NOT HELD"
        }
    }

    /// For whoever watches.
    pub(crate) fn line(&self) -> String {
        let mut line = format!(
            "{:<10} {} · {} · {}: {}",
            self.verdict(),
            self.text("fault"),
            self.text("database"),
            self.text("bus"),
            self.text(if self.is_excluded() {
                "excluded"
            } else {
                "measured"
            }),
        );
        for name in ["reason", "log"] {
            match &self.0[name] {
                Value::String(text) if !text.is_empty() => line.push_str(&format!("; {text}")),
                _ => {}
            }
        }
        line
    }
}

/// Everything.
pub(crate) struct Report {
    quick: bool,
    begun: Instant,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(quick: bool) -> Self {
        Self {
            quick,
            begun: Instant::now(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Whether every fault that was tried held.
    pub(crate) fn held(&self) -> bool {
        self.tried().all(|row| row.0["held"] == true)
    }

    fn tried(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_excluded())
    }

    fn excluded(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.is_excluded())
    }

    /// Writes what there is so far.
    pub(crate) fn write(&self) {
        let value = json!({
            "quick": self.quick,
            "seconds": self.begun.elapsed().as_secs(),
            "held": self.held(),
            "rows": self.tried().map(|row| &row.0).collect::<Vec<_>>(),
            "excluded": self.excluded().map(|row| &row.0).collect::<Vec<_>>(),
        });
        let text = serde_json::to_string_pretty(&value).unwrap();
        std::fs::write(target().join("chaos.json"), text + "\n").unwrap();
    }
}

const COLUMNS: [(&str, &str); 12] = [
    ("fault", "fault"),
    ("database", "database"),
    ("bus", "bus"),
    ("rounds", "rounds"),
    ("acknowledged", "acknowledged"),
    ("lost", "lost"),
    ("doubled", "doubled"),
    ("out_of_order", "out of order"),
    ("recovery_seconds", "recovery s"),
    ("limit", "limit"),
    ("measured", "measured"),
    ("held", "held"),
];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let titles = COLUMNS.map(|(_, title)| title.to_owned()).to_vec();
        writeln!(f, "{}", line(titles))?;
        writeln!(f, "{}", line(vec!["---".to_owned(); COLUMNS.len()]))?;
        for row in self.tried() {
            let mut cells: Vec<String> = COLUMNS.iter().map(|(name, _)| row.text(name)).collect();
            if row.0["held"] != true
                && let Some(last) = cells.last_mut()
            {
                *last = format!("NO: {}", row.text("reason"));
            }
            writeln!(f, "{}", line(cells))?;
        }
        writeln!(f)?;
        for row in self.excluded() {
            writeln!(f, "{}", row.line())?;
        }
        if self.quick {
            writeln!(
                f,
                "A quick run: SQLite with Redis and PostgreSQL without are left to a whole one."
            )?;
        }
        let held = self.tried().filter(|row| row.0["held"] == true).count();
        writeln!(
            f,
            "{held} of {} held, in {} s",
            self.tried().count(),
            self.begun.elapsed().as_secs()
        )
    }
}
