//! The places of one term in one block of the index.
//!
//! A block is [`BLOCK`] places in a row. A few of them are kept as a list of two bytes each, many as
//! one bit for each place of the block; which of both it is is seen by the length.

/// Places of a block.
pub(in crate::store) const BLOCK: i64 = 8_192;

const WORDS: usize = 128;
/// Bytes with a bit for each place of a block.
const BITS: usize = WORDS * 8;

/// Places of a block, as bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Places([u64; WORDS]);

impl Places {
    pub(in crate::store) const NONE: Self = Self([0; WORDS]);

    /// Adds a place, counted from the start of its block.
    pub(in crate::store) fn add(&mut self, place: u16) {
        if let Some(word) = self.0.get_mut(usize::from(place / 64)) {
            *word |= 1 << (place % 64);
        }
    }

    /// Adds what [`Places::bytes`] has written.
    pub(in crate::store) fn add_all(&mut self, bytes: &[u8]) {
        if bytes.len() == BITS {
            let (words, _) = bytes.as_chunks::<8>();
            for (word, more) in self.0.iter_mut().zip(words) {
                *word |= u64::from_le_bytes(*more);
            }
        } else {
            let (places, _) = bytes.as_chunks::<2>();
            for place in places {
                self.add(u16::from_le_bytes(*place));
            }
        }
    }

    /// Keeps what is also among `others`; whether that is anything.
    pub(in crate::store) fn keep(&mut self, others: &Self) -> bool {
        let mut any = 0;
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            *word &= other;
            any |= *word;
        }
        any != 0
    }

    /// Takes the greatest place below `end` away.
    pub(in crate::store) fn pop_below(&mut self, end: i64) -> Option<u16> {
        for (index, word) in self.0.iter_mut().enumerate().rev() {
            let start = i64::try_from(index * 64).unwrap_or(i64::MAX);
            let visible = match end - start {
                ..=0 => 0,
                left @ 1..64 => *word & ((1 << left) - 1),
                64.. => *word,
            };
            if visible != 0 {
                let bit = 63 - visible.leading_zeros();
                *word &= !(1 << bit);
                return u16::try_from(start + i64::from(bit)).ok();
            }
        }
        None
    }

    /// In as few bytes as there are ways for it.
    pub(in crate::store) fn bytes(&self) -> Vec<u8> {
        let count: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        if count as usize * 2 >= BITS {
            return self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        }
        let mut bytes = Vec::with_capacity(count as usize * 2);
        for (index, word) in self.0.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                let place = index * 64 + word.trailing_zeros() as usize;
                bytes.extend_from_slice(&u16::try_from(place).unwrap_or(u16::MAX).to_le_bytes());
                word &= word - 1;
            }
        }
        bytes
    }
}

/// The places of a term as they are stored.
pub(super) struct List(Vec<u8>);

impl List {
    pub(super) fn of(place: u16) -> Self {
        Self(place.to_le_bytes().to_vec())
    }

    /// What is stored.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds a place; whether it is new.
    pub(super) fn add(&mut self, place: u16) -> bool {
        if self.0.len() == BITS {
            let (byte, bit) = (usize::from(place / 8), 1 << (place % 8));
            let Some(byte) = self.0.get_mut(byte) else {
                return false;
            };
            let before = std::mem::replace(byte, *byte | bit);
            return before & bit == 0;
        }
        let (places, _) = self.0.as_chunks::<2>();
        // Mostly it is the last one, or behind it.
        let index = match places.last().map(|last| u16::from_le_bytes(*last)) {
            Some(last) if last == place => return false,
            Some(last) if last > place => {
                match places.binary_search_by_key(&place, |place| u16::from_le_bytes(*place)) {
                    Ok(_) => return false,
                    Err(index) => index,
                }
            }
            _ => places.len(),
        };
        if self.0.len() + 2 < BITS {
            self.0.splice(index * 2..index * 2, place.to_le_bytes());
        } else {
            self.add_all(&place.to_le_bytes());
        }
        true
    }

    /// Adds what is stored.
    pub(super) fn add_all(&mut self, bytes: &[u8]) {
        let mut all = Places::NONE;
        all.add_all(&self.0);
        all.add_all(bytes);
        self.0 = all.bytes();
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_come_back_greatest_first() {
        for count in [0_u16, 1, 63, 64, 65, 511, 512, 513, 8_191] {
            let mut places = Places::NONE;
            // Apart from one another, and in no order.
            let apart = |n| u16::try_from(u32::from(n) * 15 % 8_191).unwrap_or(0);
            let all: Vec<u16> = (0..count).map(apart).collect();
            for place in &all {
                places.add(*place);
            }
            let bytes = places.bytes();
            assert!(bytes.len() <= BITS, "{count}");
            let mut read = Places::NONE;
            read.add_all(&bytes);
            assert_eq!(read, places);
            let end = 5_000;
            let mut expected: Vec<u16> = all.iter().copied().filter(|at| *at < end).collect();
            expected.sort_unstable();
            expected.reverse();
            let mut popped = Vec::new();
            while let Some(place) = read.pop_below(i64::from(end)) {
                popped.push(place);
            }
            assert_eq!(popped, expected, "{count}");
        }
    }

    proptest! {
        #[test]
        fn a_list_is_what_its_places_are_in_bytes(places in vec(0_u16..8_192, 1..1_200)) {
            let mut list = List::of(places[0]);
            let mut all = Places::NONE;
            all.add(places[0]);
            for place in &places[1..] {
                let before = all.clone();
                all.add(*place);
                prop_assert_eq!(list.add(*place), all != before);
            }
            prop_assert_eq!(list.bytes(), all.bytes());
        }
    }

    #[test]
    fn places_of_two_lists_are_joined_and_of_two_terms_compared() {
        let of = |places: &[u16]| {
            let mut all = Places::NONE;
            for place in places {
                all.add(*place);
            }
            all
        };
        let mut places = of(&[1, 100, 8_191]);
        places.add_all(&of(&[2, 100]).bytes());
        assert_eq!(places, of(&[1, 2, 100, 8_191]));
        assert!(places.keep(&of(&[2, 3, 8_191])));
        assert_eq!(places, of(&[2, 8_191]));
        assert!(!places.keep(&of(&[3])));
    }

    #[test]
    fn nothing_that_is_stored_can_harm() {
        let mut places = Places::NONE;
        places.add_all(&[0xff; 7]);
        places.add_all(&[0xff; BITS + 1]);
        assert_eq!(places, Places::NONE);
        assert_eq!(places.pop_below(BLOCK), None);
    }
}
