//! A set of what waits: given its places, and written.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::sleep;
use uuid::Uuid;

use super::block::Block;
use super::places::{self, Chunk, place_of};
use super::postings::BLOCK;
use super::{Key, Text};
use crate::store::sql::{Query, Target};
use crate::store::{Database, Result};

/// Texts, and terms, of one statement. Whoever writes a message has her turn between two of them.
pub(super) const PIECE: usize = 256;
/// Terms after which a set is large enough: with a pause behind each piece of them it is written, and
/// read before, in half of the time that it has.
const MAX_TERMS: usize = 64 * PIECE;
/// Bytes after which the newest block is not kept.
const MAX_SIZE: usize = 8 << 20;

/// The end of the index as this node has left it. Whoever adds to the index puts a stamp on its last
/// chunk, so that it is seen whether anybody has since.
pub(super) struct End {
    stamp: Uuid,
    chunk: Chunk,
    block: Block,
    /// Whether this node has left it. Else somebody may have written to blocks behind it, and have ended
    /// before their places were given.
    own: bool,
}

impl End {
    /// What was kept, if it is still the end, or what is read of it.
    async fn of(target: Target<'_>, kept: Option<Self>) -> Result<Self> {
        let Some((chunk, stamp)) = Chunk::last(target).await? else {
            return Ok(Self::behind(Chunk::empty(0), Uuid::nil()));
        };
        Ok(match kept {
            Some(kept) if kept.stamp == stamp => kept,
            _ => Self::behind(chunk, stamp),
        })
    }

    fn behind(chunk: Chunk, stamp: Uuid) -> Self {
        let block = Block::unread(chunk.end() / BLOCK);
        Self {
            stamp,
            chunk,
            block,
            own: false,
        }
    }
}

/// What is indexed together. Nobody else may index from when it is begun until it is written.
pub(super) struct Set {
    end: End,
    /// Those before the last one.
    chunks: Vec<Chunk>,
    /// Blocks before the newest.
    blocks: BTreeMap<i64, Block>,
}

/// What is written of a set.
pub(super) struct Rows {
    /// In pieces. Without what gives their places to somebody they stand for nothing.
    pub(super) postings: Vec<Query>,
    /// What gives the places, with that which waits taken away in the same transaction.
    pub(super) places: Query,
    /// What to keep after that.
    pub(super) end: End,
}

impl Set {
    /// Begins one behind what is indexed. `kept` is what the last one has left.
    pub(super) async fn begin(target: impl Into<Target<'_>>, kept: Option<End>) -> Result<Self> {
        Ok(Self {
            end: End::of(target.into(), kept).await?,
            chunks: Vec::new(),
            blocks: BTreeMap::new(),
        })
    }

    /// Whether it is large enough.
    pub(super) fn is_full(&self) -> bool {
        self.terms() >= MAX_TERMS
    }

    /// The pause between its pieces: none if long texts have made them too many.
    pub(super) fn pause(&self, pause: Duration) -> Duration {
        if self.terms() > 2 * MAX_TERMS {
            return Duration::ZERO;
        }
        pause
    }

    fn terms(&self) -> usize {
        let blocks = self.blocks.values().chain([&self.end.block]);
        blocks.map(Block::outdated).sum()
    }

    /// Puts what is new behind all that have a place, in its order. What was edited stays where it is;
    /// if it was deleted before it was indexed it has no place, and needs none.
    pub(super) async fn add(
        &mut self,
        target: impl Into<Target<'_>>,
        texts: &[Text],
    ) -> Result<()> {
        let mut target = target.into();
        for text in texts {
            let place = match text.key {
                Key::Edited(..) => self.place_of(target.again(), text).await?,
                key => Some(self.give_place(key, text.at)),
            };
            let Some(place) = place else {
                continue;
            };
            let block = self.block(place / BLOCK);
            let place = u16::try_from(place % BLOCK).unwrap_or(0);
            text.each_term(|term| block.add(term, place));
        }
        Ok(())
    }

    fn give_place(&mut self, key: Key, at: i64) -> i64 {
        let chunk = &mut self.end.chunk;
        if let Some(next) = chunk.next() {
            self.chunks.push(std::mem::replace(chunk, next));
        }
        let place = chunk.end();
        chunk.add(key, at);
        place
    }

    async fn place_of(&self, target: Target<'_>, text: &Text) -> Result<Option<i64>> {
        let key = text.key.plain();
        let mut here = self.chunks.iter().chain([&self.end.chunk]);
        match here.find_map(|chunk| chunk.find(key)) {
            Some(place) => Ok(Some(place)),
            None => place_of(target, key, text.at).await,
        }
    }

    /// The newest block, which begins when its first place is given, or an older one.
    fn block(&mut self, number: i64) -> &mut Block {
        let newest = &mut self.end.block;
        if number > newest.number {
            let next = match self.end.own {
                true => Block::empty(number),
                false => Block::unread(number),
            };
            let full = std::mem::replace(newest, next);
            self.blocks.insert(full.number, full);
        }
        if number == newest.number {
            newest
        } else {
            let older = self.blocks.entry(number);
            older.or_insert_with(|| Block::unread(number))
        }
    }

    /// What is to be written, after reading in pieces what is not known of its terms, with a pause
    /// behind each.
    pub(super) async fn rows(
        mut self,
        target: impl Into<Target<'_>>,
        pause: Duration,
    ) -> Result<Rows> {
        let mut target = target.into();
        let database = target.database();
        let mut postings = Vec::new();
        for block in self.blocks.values_mut().chain([&mut self.end.block]) {
            while block.read(target.again()).await? {
                rest(pause).await;
            }
            postings.extend(block.write(database));
        }
        Ok(self.places(database, postings))
    }

    fn places(self, database: Database, postings: Vec<Query>) -> Rows {
        let mut end = self.end;
        end.stamp = Uuid::new_v4();
        end.own = true;
        let chunks: Vec<&Chunk> = self.chunks.iter().chain([&end.chunk]).collect();
        let places = places::write(database, &chunks, end.stamp);
        if end.block.size() > MAX_SIZE {
            end.block = Block::unread(end.block.number);
        }
        Rows {
            postings,
            places,
            end,
        }
    }
}

/// A pause, or a turn for others. No sleep is shorter than a millisecond.
pub(super) async fn rest(pause: Duration) {
    if pause.is_zero() {
        yield_now().await;
    } else {
        sleep(pause).await;
    }
}
