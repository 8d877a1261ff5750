//! In the place of `list` where there are no agents: a visitor has no lists, and no rooms but those
//! that she has joined.

use super::Client;

impl Client {
    pub(super) fn sync(&mut self, _now: u64) {}

    pub(super) fn check_list(&mut self, _theirs: Option<u32>, _now: u64) {}

    pub(super) fn is_ahead_elsewhere(&self) -> bool {
        false
    }

    pub(super) fn send_elsewhere(&mut self) {}

    pub(super) fn cut_lists(&mut self) {}

    pub(super) fn forget_lists(&mut self) {}
}
