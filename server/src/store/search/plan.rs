//! How the index is asked, by either database.

use crate::store::Database;
use crate::store::found::BLOCKS;

/// What a row must have.
pub(super) enum Asked {
    /// One of these terms.
    Any(Vec<String>),
    /// A term that begins with this.
    Beginning(String),
}

/// A part of the index, from the newest to the oldest: PostgreSQL sorts what it finds, so it is
/// asked for little at first.
pub(super) struct Part {
    /// Terms of the blocks, one of which a row has; none: all rows.
    pub(super) blocks: Vec<String>,
    /// Rows below this.
    pub(super) before: i64,
}

/// Which parts of the index are asked, until enough is found.
pub(super) fn parts(database: Database, before: i64) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut before = before;
    if database == Database::Postgres {
        for (letter, bits) in BLOCKS {
            if before <= 1 {
                break;
            }
            // The block that is being filled, and the one before it.
            let newest = (before - 1) >> bits;
            let oldest = (newest - 1).max(0);
            let blocks = (oldest..=newest).map(|block| format!("~{letter}{block}"));
            parts.push(Part {
                blocks: blocks.collect(),
                before,
            });
            before = oldest << bits;
        }
        if before <= 1 {
            return parts;
        }
    }
    parts.push(Part {
        blocks: Vec::new(),
        before,
    });
    parts
}

/// The question in the database's own language. Terms hold letters, digits and our own marks
/// alone, so that quotes around them are all that they need.
pub(super) fn expression(
    database: Database,
    scopes: &[String],
    terms: &[Asked],
    blocks: &[String],
) -> String {
    let (quote, and, or, star) = match database {
        Database::Sqlite => ('"', " AND ", " OR ", " *"),
        Database::Postgres => ('\'', " & ", " | ", ":*"),
    };
    let quoted = |term: &str| format!("{quote}{term}{quote}");
    let any = |terms: &[String]| {
        let terms: Vec<_> = terms.iter().map(|term| quoted(term)).collect();
        format!("({})", terms.join(or))
    };
    let mut all = vec![any(scopes)];
    if !blocks.is_empty() {
        all.push(any(blocks));
    }
    all.extend(terms.iter().map(|term| match term {
        Asked::Any(terms) => any(terms),
        Asked::Beginning(text) => format!("{}{star}", quoted(text)),
    }));
    all.join(and)
}

/// The newest rows. The scope is a part of the question already; membership is asked once more,
/// of what is true now.
pub(super) fn rows_sql(database: Database) -> String {
    let rows = match database {
        Database::Sqlite => {
            "found_terms x join found f on f.id = x.rowid where x.found_terms match $1 and x.rowid < $2"
        }
        // By the GIN index, whatever the planner expects: the order must not lure it into walking
        // the primary key. Who may read is asked behind the sorting, for as many as are needed.
        Database::Postgres => {
            "(select id, room, seq, visitor from found where terms @@ cast($1 as tsquery) and id < $2 order by id + 0 desc offset 0) f where true"
        }
    };
    let order = match database {
        Database::Sqlite => "order by x.rowid desc",
        Database::Postgres => "",
    };
    format!(
        "select f.id, f.room, f.seq, f.visitor from {rows}
         and (f.room is null or (select r.kind from rooms r where r.id = f.room) in ('public', 'staff')
              or exists (select 1 from members p where p.room = f.room and p.person = $3 and p.left_at is null))
         {order} limit $4"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once() {
        for before in [1, 2, 4_096, 4_097, 70_000, 1_000_001] {
            let parts = parts(Database::Postgres, before);
            let mut end = before;
            for (part, (letter, bits)) in parts.iter().zip(BLOCKS) {
                assert_eq!(part.before, end);
                let oldest = part.blocks.first().expect("a block");
                let oldest: i64 = oldest[2..].parse().expect("a number");
                assert!(
                    part.blocks
                        .iter()
                        .all(|block| block.as_bytes()[1] == letter as u8)
                );
                end = oldest << bits;
            }
            let whole = parts.iter().any(|part| part.blocks.is_empty());
            assert_eq!(whole, end > 1, "{before}");
        }
    }

    #[test]
    fn a_question_is_quoted() {
        let scopes = ["@t".to_owned()];
        let terms = [
            Asked::Any(vec!["near".into()]),
            Asked::Beginning("order".into()),
        ];
        assert_eq!(
            expression(Database::Sqlite, &scopes, &terms, &[]),
            "(\"@t\") AND (\"near\") AND \"order\" *"
        );
        assert_eq!(
            expression(Database::Postgres, &scopes, &terms, &["~f1".into()]),
            "('@t') & ('~f1') & ('near') & 'order':*"
        );
    }
}
