//! How the model server stores messages and marks.

use crate::model::{Refusal, Server, Stored, refused, who};
use parlour_protocol::frame::{Ack, Body, Draft, ErrorCode, Event, Mark, Open};
use parlour_protocol::text::Run;
use parlour_protocol::{Id, ServerFrame};

impl Server {
    pub(crate) fn send(&mut self, from: usize, room: Id, messages: &[Draft], open: Option<&Open>) {
        assert!(
            (1..=4).contains(&messages.len()),
            "a batch of {}",
            messages.len()
        );
        match self.refusal.take() {
            Some(Refusal::Busy { after }) => {
                let frame = refused(
                    ErrorCode::Unavailable,
                    true,
                    after,
                    room,
                    Some(messages[0].cid),
                );
                return self.push(from, frame);
            }
            Some(Refusal::Never { index }) => {
                let cid = messages[index % messages.len()].cid;
                return self.push(from, refused(ErrorCode::TooLong, false, 0, room, Some(cid)));
            }
            None => {}
        }
        let mut opened = false;
        if self.stored(room).is_none() {
            if open.is_none() {
                return self.push(
                    from,
                    refused(
                        ErrorCode::UnknownRoom,
                        false,
                        0,
                        room,
                        Some(messages[0].cid),
                    ),
                );
            }
            self.rooms.push(Stored {
                id: room,
                events: Vec::new(),
                marks: Vec::new(),
            });
            opened = true;
        }
        let mut acks = Vec::new();
        let mut fresh = Vec::new();
        let stored = self
            .rooms
            .iter_mut()
            .find(|stored| stored.id == room)
            .expect("it was made");
        for draft in messages {
            let old = stored.events.iter().find(|event| event.cid == draft.cid);
            let seq = old.map_or(stored.events.len() as u64 + 1, |event| event.seq);
            acks.push(Ack {
                cid: draft.cid,
                seq,
                at: 0,
                dup: old.is_some(),
            });
            if old.is_none() {
                let body = Body::Text {
                    runs: vec![Run::plain(draft.text.clone())],
                };
                let event = Event {
                    room,
                    seq,
                    cid: draft.cid,
                    at: 0,
                    rev: 0,
                    author: who(from),
                    body,
                    html: None,
                };
                stored.events.push(event.clone());
                fresh.push(event);
            }
        }
        let echo = |server: &mut Self| {
            fresh
                .iter()
                .for_each(|event| server.publish(room, &ServerFrame::Event(event.clone())));
        };
        if self.echo_first {
            echo(self);
        }
        self.push(from, ServerFrame::Ack { room, acks });
        if !self.echo_first {
            echo(self);
        }
        if opened && self.joins_opener {
            self.join(from, room, None, false);
        }
    }

    pub(crate) fn receipt(&mut self, from: usize, room: Id, delivered: u64, read: u64) {
        let Some(stored) = self.rooms.iter_mut().find(|stored| stored.id == room) else {
            return;
        };
        assert!(
            delivered.max(read) <= stored.events.len() as u64,
            "a mark above the newest entry"
        );
        let member = who(from).id;
        if !stored.marks.iter().any(|mark| mark.member == member) {
            stored.marks.push(Mark {
                member,
                delivered: 0,
                read: 0,
            });
        }
        let mark = stored
            .marks
            .iter_mut()
            .find(|mark| mark.member == member)
            .expect("it was made");
        mark.delivered = mark.delivered.max(delivered);
        mark.read = mark.read.max(read);
        let mark = *mark;
        self.publish(room, &ServerFrame::Receipt { room, mark });
    }
}
