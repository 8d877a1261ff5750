//! Samples, their medians, and the table.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::rows::{Bound, ROWS, Row};
use crate::subject::Variant;

/// A value, and the share of the machine that others used while it was measured.
#[derive(Clone, Copy, Debug)]
struct Sample {
    value: f64,
    others: f64,
}

/// What was measured so far.
#[derive(Default)]
pub struct Report {
    samples: HashMap<(String, Variant), Vec<Sample>>,
    /// What went wrong, or was left out.
    notes: Vec<String>,
}

impl Report {
    /// Takes a sample.
    pub fn note(&mut self, metric: &str, variant: Variant, value: f64, others: f64) {
        self.samples
            .entry((metric.to_owned(), variant))
            .or_default()
            .push(Sample { value, others });
    }

    /// Takes down what went wrong, or was left out.
    pub fn remark(&mut self, remark: String) {
        eprintln!("   {remark}");
        self.notes.push(remark);
    }

    /// Smallest, median and largest; the largest share of others.
    fn figure(&self, metric: &str, variant: Variant) -> Option<Figure> {
        let samples = self.samples.get(&(metric.to_owned(), variant))?;
        let mut values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            (values[middle - 1] + values[middle]) / 2.0
        };
        Some(Figure {
            median,
            low: *values.first()?,
            high: *values.last()?,
            others: samples.iter().map(|s| s.others).fold(0.0, f64::max),
            values,
        })
    }

    /// The table for people, and the same as JSON.
    #[must_use]
    pub fn print(&self) -> (String, Value) {
        let mut table = vec![
            [
                "figure", "unit", "parlour", "peer", "floor", "ratio", "goal", "held", "others",
            ]
            .map(str::to_owned),
        ];
        let mut rows = Vec::new();
        for row in ROWS {
            let Some(line) = self.line(row) else {
                continue;
            };
            table.push(line.0);
            rows.push(line.1);
        }
        let mut text = aligned(&table);
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        (text, json!({ "rows": rows, "notes": self.notes }))
    }

    fn line(&self, row: &Row) -> Option<([String; 9], Value)> {
        let of = |variant: Option<Variant>| self.figure(row.metric, variant?);
        let (own, peer, floor) = (of(Some(row.parlour)), of(row.peer), of(row.floor));
        let against = of(row.against);
        if own.is_none() && peer.is_none() {
            return None;
        }
        let ratio = own.as_ref().zip(against.as_ref());
        let ratio = ratio.map(|(own, other)| own.median / other.median);
        let measured = if row.against.is_some() {
            ratio
        } else {
            own.as_ref().map(|own| own.median)
        };
        let held = row.goal.map(|goal| measured.map(|value| goal.holds(value)));
        let others = [&own, &peer, &floor, &against];
        let others = others
            .into_iter()
            .flatten()
            .map(|figure| figure.others)
            .fold(0.0, f64::max);
        let show = |figure: &Option<Figure>| figure.as_ref().map_or("".into(), Figure::show);
        let cells = [
            row.figure.to_owned(),
            row.unit.to_owned(),
            show(&own),
            show(&peer),
            show(&floor),
            ratio.map_or(String::new(), |ratio| format!("{ratio:.2}")),
            row.goal.map_or(String::new(), Bound::show),
            match held {
                None => "",
                Some(None) => "not measured",
                Some(Some(true)) => "held",
                Some(Some(false)) => "MISSED",
            }
            .to_owned(),
            format!("{:.0} %", others * 100.0),
        ];
        let value = json!({
            "figure": row.figure,
            "unit": row.unit,
            "parlour": own.as_ref().map(Figure::json),
            "peer": peer.as_ref().map(Figure::json),
            "floor": floor.as_ref().map(Figure::json),
            "against": against.as_ref().map(Figure::json),
            "ratio": ratio,
            "goal": row.goal.map(Bound::show),
            "held": held.flatten(),
            "others": others,
        });
        Some((cells, value))
    }

    /// Whether a goal was missed or not measured.
    #[must_use]
    pub fn missed(&self) -> usize {
        let lines = ROWS.iter().filter_map(|row| self.line(row));
        lines
            .filter(|(cells, _)| !cells[7].is_empty() && cells[7] != "held")
            .count()
    }
}

struct Figure {
    median: f64,
    low: f64,
    high: f64,
    others: f64,
    values: Vec<f64>,
}

impl Figure {
    fn show(&self) -> String {
        if self.values.len() == 1 {
            return number(self.median);
        }
        format!(
            "{} ({}–{})",
            number(self.median),
            number(self.low),
            number(self.high)
        )
    }

    fn json(&self) -> Value {
        json!({ "median": self.median, "samples": self.values })
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        0.0..1.0 => format!("{value:.3}"),
        1.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn aligned(table: &[[String; 9]]) -> String {
    let width = |column: usize| {
        let cells = table.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; 9] = std::array::from_fn(width);
    let mut text = String::new();
    for row in table {
        for (cell, width) in row.iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count()));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}
