//! What has all that is asked for, from the newest to the oldest.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::store::found::postings::{BLOCK, Places};
use crate::store::found::{CHUNK, Key, Text, texts};
use crate::store::sql::{query, query_built};
use crate::store::{Result, Store};

/// Waiting keys that are looked at, the newest.
const MAX_WAITING: usize = 8_192;
/// Blocks that are read at first. If they are not enough, it is [`GROWTH`] times as many each time.
const FIRST_BLOCKS: i64 = 1;
const GROWTH: i64 = 8;
/// So many at most: what is read of a term in all of them is a megabyte.
const MAX_BLOCKS: i64 = 1_024;

/// What a text must have.
pub(super) enum Asked {
    /// One of these terms.
    Any(Vec<String>),
    /// A term that begins with this.
    Beginning(String),
}

impl Asked {
    fn fits(&self, term: &str) -> bool {
        match self {
            Self::Any(terms) => terms.iter().any(|any| any == term),
            Self::Beginning(start) => term.starts_with(start),
        }
    }
}

/// A way through the index, backwards.
pub(super) struct Walk<'s> {
    store: &'s Store,
    asked: Vec<Asked>,
    /// Places below this.
    before: i64,
    /// What waits for the index, newest first, with the places that it will have.
    waiting: VecDeque<(i64, Key)>,
    /// What was given of those: meanwhile they may have got into the index.
    given: HashSet<Key>,
    /// Blocks that were read, newest first, with what fits in them.
    blocks: VecDeque<(i64, Places)>,
    /// The newest block that was not read.
    next: i64,
    width: i64,
}

impl<'s> Walk<'s> {
    /// Begins below a place, or at the newest.
    pub(super) async fn begin(
        store: &'s Store,
        asked: Vec<Asked>,
        before: Option<i64>,
    ) -> Result<Self> {
        // One statement, so that nothing moves from one into the other between two.
        let rows = query(
            "select (select chunk * 128 + length(keys) / 24 from found_places order by chunk desc limit 1) as next,
                    (select sum(length(keys)) / 24 from found_waiting) as count, w.keys
             from (select 1 as one) once left join (select id, keys from found_waiting order by id desc limit 4096) w
             on true order by w.id desc",
        )
        .fetch_all(store.reader())
        .await?;
        let mut next: i64 = 0;
        let mut waiting = Vec::new();
        for row in &rows {
            next = row.try_get::<Option<i64>, _>(0)?.unwrap_or(0);
            let keys: Option<&[u8]> = row.try_get(2)?;
            waiting.extend(Key::read(keys.unwrap_or_default()).rev());
            if waiting.len() >= MAX_WAITING {
                break;
            }
        }
        let mut walk = Self {
            store,
            asked,
            before: before.unwrap_or(i64::MAX),
            waiting: VecDeque::new(),
            given: HashSet::new(),
            blocks: VecDeque::new(),
            next: (before.unwrap_or(i64::MAX).min(next) - 1).div_euclid(BLOCK),
            width: FIRST_BLOCKS,
        };
        if walk.before > next {
            let count: i64 = rows
                .first()
                .map_or(Ok(None), |row| row.try_get(1))?
                .unwrap_or(0);
            walk.waiting = walk.fitting(waiting, next + count).await?;
        }
        Ok(walk)
    }

    /// Of waiting `keys`, the newest of which will be below `end`, those whose texts have what is asked for.
    async fn fitting(&self, keys: Vec<Key>, end: i64) -> Result<VecDeque<(i64, Key)>> {
        let places: HashMap<Key, i64> = keys.iter().copied().zip((0..end).rev()).collect();
        let database = self.store.database();
        let texts = texts(database, self.store.reader(), &keys).await?;
        let fits = |text: &Text| {
            let mut fits = vec![false; self.asked.len()];
            text.each_term(|term| {
                for (fits, asked) in fits.iter_mut().zip(&self.asked) {
                    *fits = *fits || asked.fits(term);
                }
            });
            fits.iter().all(|fits| *fits)
        };
        let fitting = texts.iter().filter(|text| fits(text));
        let fitting = fitting.filter_map(|text| Some((*places.get(&text.key)?, text.key.plain())));
        Ok(fitting.filter(|(place, _)| *place < self.before).collect())
    }

    /// The next ones with their places, `count` unless there are no more.
    pub(super) async fn next(&mut self, count: usize) -> Result<Vec<(i64, Key)>> {
        let mut found = Vec::with_capacity(count);
        while found.len() < count {
            if let Some((place, key)) = self.waiting.pop_front() {
                if self.given.insert(key) {
                    found.push((place, key));
                }
                continue;
            }
            let places = self.places(count - found.len()).await?;
            if places.is_empty() {
                break;
            }
            let keys = self.keys(places).await?;
            found.extend(
                keys.into_iter()
                    .filter(|(_, key)| !self.given.contains(key)),
            );
        }
        Ok(found)
    }

    /// The next places, `count` unless there are no more.
    async fn places(&mut self, count: usize) -> Result<Vec<i64>> {
        let mut places = Vec::with_capacity(count);
        while places.len() < count {
            let Some((block, fits)) = self.blocks.front_mut() else {
                if self.next < 0 {
                    break;
                }
                self.read().await?;
                continue;
            };
            match fits.pop_below(self.before.saturating_sub(*block * BLOCK)) {
                Some(place) => places.push(*block * BLOCK + i64::from(place)),
                None => drop(self.blocks.pop_front()),
            }
        }
        Ok(places)
    }

    /// Reads more blocks.
    async fn read(&mut self) -> Result<()> {
        let first = (self.next - self.width + 1).max(0);
        let mut within: Vec<i64> = (first..=self.next).collect();
        self.next = first - 1;
        self.width = (self.width * GROWTH).min(MAX_BLOCKS);
        // Of each block, what has all that was looked for so far.
        let mut blocks: BTreeMap<i64, Places> = BTreeMap::new();
        for (index, asked) in self.asked.iter().enumerate() {
            if within.is_empty() {
                break;
            }
            let mut these: BTreeMap<i64, Places> = BTreeMap::new();
            for (block, places) in self.postings(asked, within).await? {
                let all = these.entry(block).or_insert(Places::NONE);
                all.add_all(&places);
            }
            if index == 0 {
                blocks = these;
            } else {
                blocks.retain(|block, places| {
                    these.get(block).is_some_and(|others| places.keep(others))
                });
            }
            within = blocks.keys().copied().collect();
        }
        self.blocks.extend(blocks.into_iter().rev());
        Ok(())
    }

    /// What of these blocks has one of the terms: rows of a block and places.
    async fn postings(&self, asked: &Asked, blocks: Vec<i64>) -> Result<Vec<(i64, Vec<u8>)>> {
        let within = |place| self.store.database().among(place);
        let select = format!(
            "select block, places from found_postings where block {}",
            within("$1")
        );
        let rows = match asked {
            Asked::Any(terms) => query_built(format!("{select} and term {}", within("$2")))
                .bind(blocks)
                .bind(terms.as_slice()),
            Asked::Beginning(start) => {
                query_built(format!("{select} and term >= $2 and term < $3"))
                    .bind(blocks)
                    .bind(start)
                    .bind(end(start))
            }
        };
        let rows = rows.fetch_all(self.store.reader()).await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    /// What is at `places`, in their order.
    async fn keys(&self, places: Vec<i64>) -> Result<Vec<(i64, Key)>> {
        let chunk_of = |place: i64| (place / CHUNK as i64, (place % CHUNK as i64) as usize);
        let mut chunks: Vec<i64> = places.iter().map(|place| chunk_of(*place).0).collect();
        chunks.dedup();
        let those = self.store.database().among("$1");
        let sql = format!("select chunk, keys from found_places where chunk {those}");
        let rows = query_built(sql)
            .bind(chunks)
            .fetch_all(self.store.reader())
            .await?;
        let mut chunks: HashMap<i64, Vec<Key>> = HashMap::with_capacity(rows.len());
        for row in &rows {
            chunks.insert(row.try_get(0)?, Key::read(row.try_get(1)?).collect());
        }
        let key = |place: i64| {
            let (chunk, index) = chunk_of(place);
            chunks.get(&chunk)?.get(index).copied()
        };
        Ok(places
            .into_iter()
            .filter_map(|place| Some((place, key(place)?)))
            .collect())
    }
}

/// What is behind everything that begins with `start`.
fn end(start: &str) -> String {
    format!("{start}{}", char::MAX)
}
