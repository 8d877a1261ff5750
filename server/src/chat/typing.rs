//! Typing: passes, and is never stored.

use uuid::Uuid;

use super::{Actor, Chat};
use crate::bus::{News, Publication};
use crate::hub::Topic;

impl Chat {
    /// Tells the others in a room that the actor types, or stopped. The caller has entered the room.
    pub fn typing(&self, actor: &Actor, room: Uuid, on: bool) {
        let news = News::Typing(room, actor.person(), on);
        self.bus.publish(&Publication::without(
            actor.connection,
            Topic::Room(room),
            news,
        ));
    }
}
