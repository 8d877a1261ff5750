//! The entries of one room, in their order: what came early waits, what came twice is dropped.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bus::Publication;

/// Entries that wait for an earlier one at most; the rest is read from the database.
const HELD: usize = 256;

#[derive(Default)]
pub(super) struct Line {
    /// The newest number that the subscribers have got.
    delivered: i64,
    /// The newest number that is known to be there.
    known: i64,
    held: BTreeMap<i64, Arc<Publication>>,
    /// Whether somebody will look at it.
    pub(super) looked_at: bool,
}

impl Line {
    /// A line whose subscribers read the entries up to `position` themselves.
    pub(super) fn after(position: i64) -> Self {
        Self {
            delivered: position,
            known: position,
            ..Self::default()
        }
    }

    /// Takes an entry as it comes; what is to be delivered now, in order.
    pub(super) fn take(
        &mut self,
        seq: i64,
        publication: &Arc<Publication>,
    ) -> Vec<Arc<Publication>> {
        self.observe(seq);
        if seq == self.delivered + 1 {
            return self.advance(seq, publication);
        }
        if seq > self.delivered && self.held.len() < HELD {
            self.held.insert(seq, Arc::clone(publication));
        }
        Vec::new()
    }

    /// Takes the entry that follows in the database, whatever was missing before it.
    pub(super) fn take_next(
        &mut self,
        seq: i64,
        publication: &Arc<Publication>,
    ) -> Vec<Arc<Publication>> {
        self.observe(seq);
        if seq > self.delivered {
            self.advance(seq, publication)
        } else {
            Vec::new()
        }
    }

    fn advance(&mut self, seq: i64, publication: &Arc<Publication>) -> Vec<Arc<Publication>> {
        let mut due = vec![Arc::clone(publication)];
        self.skip(seq);
        while let Some(next) = self.held.remove(&(self.delivered + 1)) {
            self.delivered += 1;
            due.push(next);
        }
        due
    }

    /// The subscribers find the entries up to `seq` themselves.
    pub(super) fn skip(&mut self, seq: i64) {
        self.delivered = self.delivered.max(seq);
        self.held = self.held.split_off(&(self.delivered + 1));
    }

    /// The database has entries up to `position`.
    pub(super) fn observe(&mut self, position: i64) {
        self.known = self.known.max(position);
    }

    /// The database has nothing beyond what was delivered, so what waits does not exist.
    pub(super) fn settle(&mut self) {
        self.known = self.delivered;
        self.held.clear();
    }

    pub(super) fn known(&self) -> i64 {
        self.known
    }

    /// What is delivered and what is known, if they differ.
    pub(super) fn gap(&self) -> Option<(i64, i64)> {
        (self.known > self.delivered).then_some((self.delivered, self.known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::News;
    use crate::hub::Topic;
    use uuid::Uuid;

    /// Any publication: the number is told apart from it here.
    fn entry(seq: i64) -> Arc<Publication> {
        let id = Uuid::from_u128(seq.unsigned_abs().into());
        Publication::new(Topic::Inbox, News::Entered(id))
    }

    fn numbers(due: &[Arc<Publication>]) -> Vec<u128> {
        due.iter()
            .filter_map(|publication| match publication.news() {
                News::Entered(id) => Some(id.as_u128()),
                _ => None,
            })
            .collect()
    }

    fn take(line: &mut Line, seq: i64) -> Vec<u128> {
        numbers(&line.take(seq, &entry(seq)))
    }

    #[test]
    fn what_came_early_waits_and_what_came_twice_is_dropped() {
        let mut line = Line::after(4);
        assert_eq!(take(&mut line, 5), [5]);
        assert_eq!(line.gap(), None);
        assert!(take(&mut line, 8).is_empty());
        assert!(take(&mut line, 7).is_empty());
        assert!(take(&mut line, 7).is_empty());
        assert_eq!(line.gap(), Some((5, 8)));
        assert_eq!(take(&mut line, 6), [6, 7, 8]);
        for old in [3, 5, 6, 7, 8] {
            assert!(take(&mut line, old).is_empty(), "{old}");
        }
        assert_eq!((line.gap(), line.known()), (None, 8));
    }

    #[test]
    fn what_the_database_has_fills_the_gap() {
        let mut line = Line::after(0);
        assert!(take(&mut line, 4).is_empty());
        line.observe(6);
        assert_eq!(numbers(&line.take_next(2, &entry(2))), [2]);
        assert_eq!(numbers(&line.take_next(3, &entry(3))), [3, 4]);
        assert_eq!(line.gap(), Some((4, 6)));
        assert!(line.take_next(4, &entry(4)).is_empty());
        line.skip(5);
        assert_eq!(take(&mut line, 6), [6]);
        assert_eq!(line.gap(), None);
    }

    #[test]
    fn what_waits_is_bounded_and_can_be_given_up() {
        let mut line = Line::after(0);
        for seq in 2..2_000 {
            assert!(take(&mut line, seq).is_empty());
        }
        assert_eq!(line.held.len(), HELD);
        assert_eq!(line.gap(), Some((0, 1_999)));
        line.settle();
        assert_eq!(line.gap(), None);
        assert_eq!(take(&mut line, 1), [1]);
    }
}
