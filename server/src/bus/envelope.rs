//! What nodes say to one another: a channel for each topic, and JSON in a versioned envelope.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::News;
use crate::hub::Topic;

/// Of what is in the envelope. A node skips what it does not understand, and finds the entries
/// in the database.
const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Envelope<N> {
    v: u32,
    /// Who says it.
    node: Uuid,
    /// In its order.
    news: Vec<N>,
}

/// News as text.
pub(super) fn seal<'n>(node: Uuid, news: impl Iterator<Item = &'n News>) -> Option<String> {
    let (v, news) = (VERSION, news.collect());
    serde_json::to_string(&Envelope { v, node, news }).ok()
}

/// How everything begins that a node says: Redis tells it to the node as well, which reads no further.
pub(super) fn beginning(node: Uuid) -> String {
    format!(r#"{{"v":{VERSION},"node":"{node}","#)
}

/// Who says what; nothing if it is of another version, or no news at all.
pub(super) fn open(text: &[u8]) -> Option<(Uuid, Vec<News>)> {
    let envelope: Envelope<News> = serde_json::from_slice(text).ok()?;
    (envelope.v == VERSION).then_some((envelope.node, envelope.news))
}

/// The channel of a topic.
pub(super) fn channel(prefix: &str, topic: Topic) -> String {
    match topic {
        Topic::Room(id) => format!("{prefix}room:{}", id.simple()),
        Topic::Person(id) => format!("{prefix}person:{}", id.simple()),
        Topic::Inbox => format!("{prefix}inbox"),
        Topic::Team => format!("{prefix}team"),
        Topic::Nodes => format!("{prefix}nodes"),
    }
}

/// The topic of a channel.
pub(super) fn topic(prefix: &str, channel: &[u8]) -> Option<Topic> {
    let name = std::str::from_utf8(channel).ok()?.strip_prefix(prefix)?;
    let id = |text: &str| Uuid::try_parse(text).ok();
    match name.split_once(':') {
        Some(("room", room)) => id(room).map(Topic::Room),
        Some(("person", person)) => id(person).map(Topic::Person),
        None if name == "inbox" => Some(Topic::Inbox),
        None if name == "team" => Some(Topic::Team),
        None if name == "nodes" => Some(Topic::Nodes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::messages::{Kind, Stored};
    use parlour_protocol::frame::Role;

    #[test]
    fn channels_name_topics() {
        let id = Uuid::from_u128(7);
        for known in [
            Topic::Room(id),
            Topic::Person(id),
            Topic::Inbox,
            Topic::Team,
            Topic::Nodes,
        ] {
            let channel = channel("parlour:", known);
            assert_eq!(topic("parlour:", channel.as_bytes()), Some(known));
            assert_eq!(topic("other:", channel.as_bytes()), None);
        }
        assert_eq!(topic("p:", b"p:room:x"), None);
        assert_eq!(topic("p:", b"p:\xff"), None);
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let node = Uuid::from_u128(1);
        let stored = Stored {
            room: Uuid::from_u128(2),
            seq: 3,
            cid: Uuid::from_u128(4),
            at: 5,
            rev: 0,
            kind: Kind::Text,
            author: Uuid::from_u128(6),
            author_role: Role::Agent,
            author_name: "Anna".into(),
            text: "\u{1f44b} \"hello\"\n".into(),
            what: String::new(),
            whom: None,
            whom_name: String::new(),
        };
        let news = [News::Entered(stored.room), News::Event(stored.clone())];
        let text = seal(node, news.iter()).expect("text");
        assert!(text.starts_with(&beginning(node)), "{text}");
        let Some((origin, opened)) = open(text.as_bytes()) else {
            panic!("{text}");
        };
        assert_eq!(origin, node);
        let [News::Entered(room), News::Event(event)] = opened.as_slice() else {
            panic!("{text}");
        };
        assert_eq!(*room, stored.room);
        assert_eq!(format!("{event:?}"), format!("{stored:?}"));
        for text in [
            r#"{"v":3,"node":"00000000-0000-0000-0000-000000000001","news":[{"entered":"00000000-0000-0000-0000-000000000002"}]}"#,
            r#"{"v":2,"node":"00000000-0000-0000-0000-000000000001","news":[{"unheard_of":1}]}"#,
            "",
        ] {
            assert!(open(text.as_bytes()).is_none(), "{text}");
        }
    }
}
