//! What survives a reload: the visitor's secret, the server's epoch, the draft, the outbox.
//!
//! Nothing is written before [`Store::enable`]. Where the browser refuses storage, or it is full,
//! everything is kept in memory and lives as long as the page.
//!
//! Keys begin with the owner's prefix: the prefix alone for secret and epoch, `:draft`, `:ticket`, and one
//! key `:out:CID` for every message of the outbox, so that two tabs never overwrite each other's.

use crate::js::{Js, window};
use parlour_protocol::Id;
use parlour_protocol::client::{Pending, PendingState, Saved, Transport};
use parlour_protocol::codec::json::{self, Writer};
use parlour_protocol::frame::{ErrorCode, Open};

/// The storage of one owner: a site's visitor, or an agent.
pub(crate) struct Store {
    prefix: String,
    disk: Option<Js>,
    memory: Vec<(String, String)>,
    secret: Option<String>,
    epoch: Option<Id>,
}

impl Store {
    /// An owner's storage, in memory only unless there is something on disk already.
    pub(crate) fn open(prefix: &str) -> Self {
        let mut store = Self {
            prefix: prefix.to_owned(),
            disk: None,
            memory: Vec::new(),
            secret: None,
            epoch: None,
        };
        if let Some(disk) = browser()
            && let Some(main) = disk.get_item(prefix)
        {
            store.disk = Some(disk);
            (store.secret, store.epoch) = read_main(&main);
        }
        store
    }

    /// From here on, things are stored: the person wants to be remembered.
    pub(crate) fn enable(&mut self) {
        if self.disk.is_none() {
            self.disk = browser();
            self.write_main();
            for (key, value) in std::mem::take(&mut self.memory) {
                self.write(&key, &value);
            }
        }
    }

    /// Proves to the server who the visitor is.
    pub(crate) fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    pub(crate) fn set_secret(&mut self, secret: &str) {
        if self.secret.as_deref() != Some(secret) {
            self.secret = Some(secret.to_owned());
            self.write_main();
        }
    }

    pub(crate) fn set_epoch(&mut self, epoch: Id) {
        self.epoch = Some(epoch);
        self.write_main();
    }

    pub(crate) fn draft(&self) -> String {
        self.read(":draft").unwrap_or_default()
    }

    pub(crate) fn set_draft(&mut self, text: &str) {
        if text.is_empty() {
            self.remove(":draft");
        } else {
            self.write(":draft", text);
        }
    }

    /// Where a visitor goes on who writes before the server has said which tickets there are.
    pub(crate) fn ticket(&self) -> Option<Id> {
        Id::parse(&self.read(":ticket")?)
    }

    pub(crate) fn set_ticket(&mut self, ticket: Id) {
        self.write(":ticket", &ticket.text());
    }

    /// What got through when a page was connected last.
    pub(crate) fn way(&self) -> Transport {
        match self.read(":way").as_deref() {
            Some("1") => Transport::Stream,
            Some("2") => Transport::Poll,
            _ => Transport::WebSocket,
        }
    }

    pub(crate) fn set_way(&mut self, way: Transport) {
        self.write(":way", ["0", "1", "2"][way as usize]);
    }

    pub(crate) fn save(&mut self, pending: &Pending) {
        self.write(&key_of(pending.cid), &write_pending(pending));
    }

    pub(crate) fn unsave(&mut self, cid: Id) {
        self.remove(&key_of(cid));
    }

    /// What the brain takes over from an earlier page, or from another tab that was closed.
    pub(crate) fn saved(&self) -> Saved {
        let mut outbox: Vec<Pending> = Vec::new();
        for key in self.keys() {
            if let Some(cid) = cid_of(&key)
                && let Some(pending) = self.read(&key).and_then(|text| read_pending(cid, &text))
            {
                // Ids begin with the time at which they were made. (A sort would weigh kilobytes.)
                let place = outbox.iter().take_while(|other| other.cid < cid).count();
                outbox.insert(place, pending);
            }
        }
        Saved {
            epoch: self.epoch,
            outbox,
        }
    }

    /// Forgets everything. Nothing is stored again before [`Store::enable`].
    pub(crate) fn forget(&mut self) {
        for key in self.keys() {
            self.remove(&key);
        }
        self.remove("");
        (self.disk, self.secret, self.epoch) = (None, None, None);
        self.memory.clear();
    }

    /// The part of a browser's key that comes after the prefix, if it is this owner's.
    pub(crate) fn own<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(self.prefix.as_str())
            .filter(|rest| rest.is_empty() || rest.starts_with(':'))
    }

    /// Without the prefix, and without the main key.
    fn keys(&self) -> Vec<String> {
        let Some(disk) = &self.disk else {
            return self.memory.iter().map(|(key, _)| key.clone()).collect();
        };
        let mut keys = Vec::new();
        for index in 0..disk.length() {
            if let Some(key) = disk.key_at(index)
                && let Some(rest) = self.own(&key)
                && !rest.is_empty()
            {
                keys.push(rest.to_owned());
            }
        }
        keys
    }

    fn read(&self, key: &str) -> Option<String> {
        let kept = self.memory.iter().find(|(name, _)| name == key);
        kept.map(|(_, value)| value.clone())
            .or_else(|| self.disk.as_ref()?.get_item(&self.full(key)))
    }

    fn write(&mut self, key: &str, value: &str) {
        self.memory.retain(|(name, _)| name != key);
        let stored = self
            .disk
            .as_ref()
            .is_some_and(|disk| disk.set_item(&self.full(key), value).is_ok());
        if !stored {
            self.memory.push((key.to_owned(), value.to_owned()));
        }
    }

    fn remove(&mut self, key: &str) {
        self.memory.retain(|(name, _)| name != key);
        if let Some(disk) = &self.disk {
            disk.remove_item(&self.full(key));
        }
    }

    fn write_main(&mut self) {
        // Secret and epoch live in the fields; a copy in memory would outlive them.
        if let Some(disk) = &self.disk {
            let _ = disk.set_item(
                &self.prefix,
                &write_main(self.secret.as_deref(), self.epoch),
            );
        }
    }

    fn full(&self, key: &str) -> String {
        self.prefix.clone() + key
    }
}

/// The browser's storage. Asking for it throws where the page may not have any.
fn browser() -> Option<Js> {
    window().local_storage().ok()?
}

/// The key of a message in the outbox.
fn key_of(cid: Id) -> String {
    String::from(":out:") + &cid.text()
}

/// The message that a key, without its prefix, is of.
pub(crate) fn cid_of(key: &str) -> Option<Id> {
    Id::parse(key.strip_prefix(":out:")?)
}

fn write_main(secret: Option<&str>, epoch: Option<Id>) -> String {
    let mut json = Writer::new();
    json.object();
    if let Some(secret) = secret {
        json.key("secret").text(secret);
    }
    if let Some(epoch) = epoch {
        json.key("epoch").text(&epoch.text());
    }
    json.end_object();
    json.finish()
}

fn read_main(text: &str) -> (Option<String>, Option<Id>) {
    let Ok(value) = json::parse(text) else {
        return (None, None);
    };
    let text = |name| value.get(name).and_then(json::Value::text);
    (
        text("secret").map(str::to_owned),
        text("epoch").and_then(Id::parse),
    )
}

fn write_pending(pending: &Pending) -> String {
    let mut json = Writer::new();
    json.object();
    json.key("room").text(&pending.room.text());
    json.key("text").text(&pending.text);
    if let Some(open) = &pending.open {
        json.key("page")
            .text(&open.page)
            .key("title")
            .text(&open.title);
    }
    // Only agents are stopped for what they have not seen.
    if cfg!(feature = "desk") {
        json.key("seen").unsigned(pending.seen);
    }
    // Its reason is not kept: the person decides again anyway.
    json.key("failed")
        .bool(matches!(pending.state, PendingState::Failed(_)));
    json.end_object();
    json.finish()
}

/// Reads a message of the outbox, whose id stands in its key.
pub(crate) fn read_pending(cid: Id, text: &str) -> Option<Pending> {
    let value = json::parse(text).ok()?;
    let text = |name| value.get(name).and_then(json::Value::text);
    let failed = value
        .get("failed")
        .and_then(json::Value::bool)
        .unwrap_or_default();
    let open = text("page").map(|page| Open {
        page: page.to_owned(),
        title: text("title").unwrap_or_default().to_owned(),
    });
    Some(Pending {
        room: Id::parse(text("room")?)?,
        cid,
        text: text("text")?.to_owned(),
        open,
        seen: if cfg!(feature = "desk") {
            value.get("seen").and_then(json::Value::unsigned)
        } else {
            None
        }
        .unwrap_or_default(),
        state: if failed {
            PendingState::Failed(ErrorCode::Unknown)
        } else {
            PendingState::Waiting
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id(byte: u8) -> Id {
        Id::v7(u64::from(byte), [byte; 10])
    }

    #[test]
    fn messages_round_trip() {
        let open = Some(Open {
            page: "https://a.example/?q=\"1\"".into(),
            title: "Ünï\ncode".into(),
        });
        for (open, state) in [
            (open, PendingState::Waiting),
            (None, PendingState::Failed(ErrorCode::Unknown)),
        ] {
            let pending = Pending {
                room: id(1),
                cid: id(2),
                text: "a \\ \u{1f600}\n".into(),
                open,
                seen: 7,
                state,
            };
            assert_eq!(read_pending(id(2), &write_pending(&pending)), Some(pending));
        }
    }

    #[test]
    fn a_message_under_way_waits_after_a_reload() {
        let sending = Pending {
            room: id(1),
            cid: id(2),
            text: "a".into(),
            open: None,
            seen: 0,
            state: PendingState::Sending,
        };
        assert_eq!(
            read_pending(id(2), &write_pending(&sending)).unwrap().state,
            PendingState::Waiting
        );
    }

    #[test]
    fn what_was_tampered_with_is_skipped() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"room":"x","text":"a"}"#,
            r#"{"room":7}"#,
            "{",
        ] {
            assert_eq!(read_pending(id(1), text), None, "{text}");
        }
        assert_eq!(read_main("{"), (None, None));
        assert_eq!(read_main(r#"{"secret":7,"epoch":"x"}"#), (None, None));
    }

    #[test]
    fn the_main_key_round_trips() {
        assert_eq!(read_main(&write_main(None, None)), (None, None));
        assert_eq!(
            read_main(&write_main(Some("s\""), Some(id(3)))),
            (Some("s\"".into()), Some(id(3)))
        );
    }

    #[test]
    fn keys_name_their_message() {
        assert_eq!(cid_of(&key_of(id(4))), Some(id(4)));
        for key in ["", ":draft", ":out:", ":out:x"] {
            assert_eq!(cid_of(key), None, "{key}");
        }
    }
}
