//! A block of the index in memory: the places of its terms, and what of them is to be written.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::postings::List;
use super::set::PIECE;
use crate::store::sql::{Query, Target, array, query};
use crate::store::{Database, Result};

/// What a term takes beside its letters and places.
const ENTRY: usize = 96;

/// Terms of a block with their places. It is what is stored as long as nobody else has written.
pub(super) struct Block {
    pub(super) number: i64,
    /// Whether a term that is not here has no row.
    complete: bool,
    terms: HashMap<Box<str>, Entry, RandomState>,
    size: usize,
    /// How many rows are to be written.
    outdated: usize,
}

struct Entry {
    places: List,
    row: Row,
}

/// The row of a term.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    /// There may be one, with other places.
    Unknown,
    Missing,
    Older,
    Same,
}

impl Block {
    /// A block of which nothing is stored.
    pub(super) fn empty(number: i64) -> Self {
        Self {
            complete: true,
            ..Self::unread(number)
        }
    }

    /// A block of which nothing is known.
    pub(super) fn unread(number: i64) -> Self {
        Self {
            number,
            complete: false,
            terms: HashMap::default(),
            size: 0,
            outdated: 0,
        }
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// How many rows are to be written.
    pub(super) fn outdated(&self) -> usize {
        self.outdated
    }

    /// Adds a place of a term.
    pub(super) fn add(&mut self, term: &str, place: u16) {
        let Some(entry) = self.terms.get_mut(term) else {
            let row = match self.complete {
                true => Row::Missing,
                false => Row::Unknown,
            };
            let places = List::of(place);
            self.size += ENTRY + term.len();
            self.outdated += 1;
            self.terms.insert(term.into(), Entry { places, row });
            return;
        };
        let before = entry.places.bytes().len();
        if entry.places.add(place) {
            self.size += entry.places.bytes().len() - before;
            if entry.row == Row::Same {
                entry.row = Row::Older;
                self.outdated += 1;
            }
        }
    }

    /// A piece of the terms that nobody has looked for.
    fn unknown(&self) -> Vec<String> {
        let unknown = self.terms.iter();
        let unknown = unknown.filter(|(_, entry)| entry.row == Row::Unknown);
        unknown
            .take(PIECE)
            .map(|(term, _)| term.to_string())
            .collect()
    }

    /// Reads what is stored of a piece of those terms; whether there were any.
    pub(super) async fn read(&mut self, target: Target<'_>) -> Result<bool> {
        let terms = self.unknown();
        if terms.is_empty() {
            return Ok(false);
        }
        let sql = match target.database() {
            Database::Sqlite => {
                "select p.term, p.places from json_each($2) asked cross join found_postings p
                 where p.block = $1 and p.term = asked.value"
            }
            Database::Postgres => {
                "select p.term, p.places from unnest($2::text[]) as asked (term)
                 join found_postings p on p.block = $1 and p.term = asked.term"
            }
        };
        let rows = query(sql)
            .bind(self.number)
            .bind(terms.as_slice())
            .fetch_all(target)
            .await?;
        for term in &terms {
            if let Some(entry) = self.terms.get_mut(term.as_str()) {
                entry.row = Row::Missing;
            }
        }
        for row in &rows {
            if let Some(entry) = self.terms.get_mut(row.try_get::<&str, _>(0)?) {
                let before = entry.places.bytes().len();
                entry.places.add_all(row.try_get(1)?);
                self.size += entry.places.bytes().len() - before;
                entry.row = Row::Older;
            }
        }
        Ok(true)
    }

    /// What is to be written, in pieces and in the order of the table. It counts as written then.
    pub(super) fn write(&mut self, database: Database) -> Vec<Query> {
        let mut rows: Vec<(Row, &str, &[u8])> = Vec::new();
        for (term, entry) in &mut self.terms {
            if entry.row != Row::Same {
                let row = std::mem::replace(&mut entry.row, Row::Same);
                rows.push((row, term, entry.places.bytes()));
            }
        }
        self.outdated = 0;
        rows.sort_unstable_by_key(|(row, term, _)| (*row == Row::Older, *term));
        let pieces = rows.chunk_by(|(one, ..), (other, ..)| one == other);
        let pieces = pieces.flat_map(|rows| rows.chunks(PIECE));
        pieces
            .map(|rows| written(database, self.number, rows))
            .collect()
    }
}

/// Writes rows of a block, all of which are new, or none.
fn written(database: Database, block: i64, rows: &[(Row, &str, &[u8])]) -> Query {
    let older = rows.first().is_some_and(|(row, ..)| *row == Row::Older);
    match database {
        Database::Sqlite => {
            let rows = rows.iter();
            let rows = rows.map(|(_, term, places)| (term, crate::hex(places)));
            query(
                "insert into found_postings (term, block, places)
                 select value ->> 0, $1, unhex(value ->> 1) from jsonb_each($2) where true
                 on conflict (block, term) do update set places = excluded.places",
            )
            .bind(block)
            .bind(array(rows))
        }
        Database::Postgres => {
            let rows = rows.iter();
            let (terms, places): (Vec<String>, Vec<Vec<u8>>) = rows
                .map(|(_, term, places)| ((*term).to_owned(), places.to_vec()))
                .unzip();
            // Which of them are there is known, so that PostgreSQL need not look for a conflict.
            let sql = if older {
                "update found_postings p set places = new.places
                 from unnest($2::text[], $3::bytea[]) as new (term, places)
                 where p.block = $1 and p.term = new.term"
            } else {
                "insert into found_postings (term, block, places)
                 select term, $1, places from unnest($2::text[], $3::bytea[]) as new (term, places)"
            };
            query(sql).bind(block).bind(terms).bind(places)
        }
    }
}
