//! A set of messages inside its transaction: loaded, numbered in memory, written back.

use std::collections::HashMap;

use uuid::Uuid;

use super::answers::Answers;
use super::{Append, Appended, Author, Draft, Number};
use crate::clock::{self, Micros};
use crate::store::messages::{Kind, Stored, role_text};
use crate::store::rooms::Kind as RoomKind;
use crate::store::{Result, StoreError};
use parlour_protocol::frame::Role;

/// Characters of a text that a list shows.
pub(super) const PREVIEW: usize = 200;

/// A room while the transaction runs.
#[derive(Clone)]
pub(super) struct Position {
    kind: RoomKind,
    /// As it was loaded.
    pub(super) was: i64,
    pub(super) seq: i64,
    at: Micros,
    pub(super) ticket: Option<Uuid>,
    visitor: Option<Uuid>,
    visitor_name: String,
    /// No agent has answered above it.
    pub(super) answered: i64,
    changed: bool,
}

impl Position {
    /// As the next transaction finds it.
    pub(super) fn settled(self) -> Self {
        Self {
            was: self.seq,
            changed: false,
            ..self
        }
    }
}

/// A ticket while the transaction runs.
#[derive(Clone)]
pub(super) struct Ticket {
    /// As it was loaded.
    pub(super) was: Micros,
    pub(super) at: Micros,
    resolved: bool,
    /// Whether the visitor wrote: then it is open, whatever it was.
    opens: bool,
    preview: Option<(String, Author)>,
    changed: bool,
}

impl Ticket {
    /// As the next transaction finds it.
    pub(super) fn settled(self) -> Self {
        Self {
            was: self.at,
            opens: false,
            preview: None,
            changed: false,
            ..self
        }
    }
}

/// A message that is stored already.
pub(super) struct Known {
    pub(super) seq: i64,
    pub(super) at: Micros,
    pub(super) author: Uuid,
    pub(super) text: String,
}

/// A ticket, as the database has it.
pub(super) struct TicketRow {
    pub(super) id: Uuid,
    pub(super) staff_room: Uuid,
    pub(super) visitor: Uuid,
    pub(super) visitor_name: String,
    pub(super) at: Micros,
    pub(super) state: String,
}

/// What a room gets by new entries.
pub(super) struct ChangedRoom {
    pub(super) id: Uuid,
    /// Its newest number when it was loaded: it raises with whatever a set depends on.
    pub(super) was: i64,
    pub(super) seq: i64,
    pub(super) at: Micros,
}

/// What a ticket gets by new entries; nothing: it stays.
pub(super) struct ChangedTicket<'a> {
    pub(super) id: Uuid,
    /// The time of its newest entry when it was loaded.
    pub(super) was: Micros,
    pub(super) at: Micros,
    /// It is open now, whatever it was.
    pub(super) opens: bool,
    pub(super) preview: Option<&'a str>,
    pub(super) preview_by: Option<&'static str>,
    pub(super) preview_name: Option<&'a str>,
}

/// The set, while the transaction runs.
pub(super) struct Batch {
    now: Micros,
    pub(super) rooms: HashMap<Uuid, Position>,
    pub(super) tickets: HashMap<Uuid, Ticket>,
    known: HashMap<(Uuid, Uuid), Known>,
    /// Rooms and those who may enter them, of direct and team rooms.
    pub(super) members: Vec<(Uuid, Uuid)>,
    pub(super) answers: Answers,
    /// What was numbered, in order.
    pub(super) new: Vec<Stored>,
}

impl Batch {
    pub(super) fn empty() -> Self {
        Self {
            now: clock::now(),
            rooms: HashMap::new(),
            tickets: HashMap::new(),
            known: HashMap::new(),
            members: Vec::new(),
            answers: Answers::default(),
            new: Vec::new(),
        }
    }

    /// Notes a room, as it stands.
    pub(super) fn room(&mut self, id: Uuid, kind: &str, seq: i64, at: Micros) -> Result<()> {
        let position = Position {
            kind: RoomKind::parse(kind)?,
            was: seq,
            seq,
            at,
            ticket: None,
            visitor: None,
            visitor_name: String::new(),
            answered: seq,
            changed: false,
        };
        self.rooms.insert(id, position);
        Ok(())
    }

    /// Notes a ticket of rooms that were noted before it.
    pub(super) fn ticket(&mut self, row: &TicketRow) {
        let ticket = Ticket {
            was: row.at,
            at: row.at,
            resolved: row.state == "resolved",
            opens: false,
            preview: None,
            changed: false,
        };
        self.tickets.insert(row.id, ticket);
        for room in [row.id, row.staff_room] {
            if let Some(room) = self.rooms.get_mut(&room) {
                room.ticket = Some(row.id);
                room.visitor = Some(row.visitor);
                room.visitor_name.clone_from(&row.visitor_name);
            }
        }
    }

    /// Notes a message that is stored already.
    pub(super) fn known(&mut self, room: Uuid, cid: Uuid, known: Known) {
        self.known.insert((room, cid), known);
    }

    /// Whether a room that was noted has members of its own.
    pub(super) fn has_private_rooms(&self) -> bool {
        self.rooms.values().any(|room| room.kind.is_private())
    }

    /// Rooms that got entries.
    pub(super) fn changed_rooms(&self) -> impl Iterator<Item = ChangedRoom> {
        let changed = self.rooms.iter().filter(|(_, room)| room.changed);
        changed.map(|(id, room)| ChangedRoom {
            id: *id,
            was: room.was,
            seq: room.seq,
            at: room.at,
        })
    }

    /// Tickets whose rooms got entries.
    pub(super) fn changed_tickets(&self) -> impl Iterator<Item = ChangedTicket<'_>> {
        let changed = self.tickets.iter().filter(|(_, ticket)| ticket.changed);
        changed.map(|(id, ticket)| {
            let preview = ticket.preview.as_ref();
            ChangedTicket {
                id: *id,
                was: ticket.was,
                at: ticket.at,
                opens: ticket.opens,
                preview: preview.map(|(text, _)| text.as_str()),
                preview_by: preview.map(|(_, by)| role_text(by.role)),
                preview_name: preview.map(|(_, by)| match by.role {
                    Role::Agent => by.name.as_str(),
                    _ => "",
                }),
            }
        })
    }

    /// Numbers the messages of all, in order; `opened` tells whose tickets are new.
    pub(super) fn take_all(
        &mut self,
        appends: &[&Append],
        opened: &[bool],
    ) -> Vec<Result<Appended>> {
        self.new
            .reserve(appends.iter().map(|append| append.drafts.len()).sum());
        let opened = opened.iter().copied().chain(std::iter::repeat(false));
        let taken = appends.iter().zip(opened);
        taken
            .map(|(append, opened)| self.take(append, opened))
            .collect()
    }

    /// Numbers the messages of one append, in memory.
    fn take(&mut self, append: &Append, opened: bool) -> Result<Appended> {
        let room = self.rooms.get(&append.room).ok_or(StoreError::NotFound)?;
        let allowed = match (room.kind, append.author.role) {
            (RoomKind::Public, Role::Visitor) => room.visitor == Some(append.author.id),
            (RoomKind::Public | RoomKind::Staff, Role::Agent) => true,
            (RoomKind::Direct | RoomKind::Team, Role::Agent) => {
                self.members.contains(&(append.room, append.author.id))
            }
            _ => false,
        };
        if !allowed {
            return Err(StoreError::NotFound);
        }
        // Before anything is numbered, so that a conflict leaves no part behind.
        for draft in &append.drafts {
            if let Some(known) = self.known.get(&(append.room, draft.cid))
                && (known.author != append.author.id || known.text != draft.text)
            {
                return Err(StoreError::Conflict(draft.cid));
            }
        }
        // A repeated message is acknowledged, whatever was answered since.
        let fresh = |draft: &&Draft| !self.known.contains_key(&(append.room, draft.cid));
        if let Some(draft) = append.drafts.iter().find(fresh)
            && room.kind == RoomKind::Public
            && append.author.role == Role::Agent
            && self
                .answers
                .above(append.room, append.seen, append.author.id)
        {
            return Err(StoreError::Unseen(draft.cid));
        }
        let count = append.drafts.len();
        let mut appended = Appended {
            stored: Vec::with_capacity(count),
            numbers: Vec::with_capacity(count),
            opened,
            ticket: room.ticket,
        };
        for draft in &append.drafts {
            self.number(append, draft, &mut appended)?;
        }
        Ok(appended)
    }

    fn number(&mut self, append: &Append, draft: &Draft, appended: &mut Appended) -> Result<()> {
        let key = (append.room, draft.cid);
        if let Some(known) = self.known.get(&key) {
            appended.numbers.push(Number {
                cid: draft.cid,
                seq: known.seq,
                at: known.at,
                duplicate: true,
            });
            return Ok(());
        }
        let room = self.rooms.get(&append.room).ok_or(StoreError::NotFound)?;
        let kind = if room.kind == RoomKind::Staff {
            Kind::Note
        } else {
            Kind::Text
        };
        let reopens = append.author.role == Role::Visitor
            && room
                .ticket
                .and_then(|ticket| self.tickets.get(&ticket))
                .is_some_and(|ticket| ticket.resolved);
        if reopens {
            let happened = self.push(
                append.room,
                &append.author,
                clock::id(),
                Kind::Happened,
                "",
                "reopened",
            )?;
            appended.stored.push(happened);
        }
        let stored = self.push(
            append.room,
            &append.author,
            draft.cid,
            kind,
            &draft.text,
            "",
        )?;
        appended.numbers.push(Number {
            cid: draft.cid,
            seq: stored.seq,
            at: stored.at,
            duplicate: false,
        });
        let known = Known {
            seq: stored.seq,
            at: stored.at,
            author: append.author.id,
            text: draft.text.clone(),
        };
        self.known.insert(key, known);
        appended.stored.push(stored);
        Ok(())
    }

    /// Gives an entry the next number of its room.
    pub(super) fn push(
        &mut self,
        room: Uuid,
        author: &Author,
        cid: Uuid,
        kind: Kind,
        text: &str,
        what: &str,
    ) -> Result<Stored> {
        let position = self.rooms.get_mut(&room).ok_or(StoreError::NotFound)?;
        let ticket = position
            .ticket
            .and_then(|ticket| self.tickets.get_mut(&ticket));
        let last = ticket.as_ref().map_or(position.at, |ticket| ticket.at);
        let at = self.now.max(last + 1);
        position.seq += 1;
        position.at = at;
        position.changed = true;
        if let Some(ticket) = ticket {
            ticket.at = at;
            ticket.changed = true;
            if what == "reopened" {
                ticket.resolved = false;
            }
            if kind == Kind::Text {
                ticket.opens |= author.role == Role::Visitor;
                if author.role == Role::Agent {
                    position.answered = position.seq;
                    self.answers.note(room, author.id, position.seq);
                }
                ticket.preview = Some((text.chars().take(PREVIEW).collect(), author.clone()));
            }
        }
        let name = if author.role == Role::Visitor {
            position.visitor_name.clone()
        } else {
            author.name.clone()
        };
        let stored = Stored {
            room,
            seq: position.seq,
            cid,
            at,
            rev: 0,
            kind,
            author: author.id,
            author_role: author.role,
            author_name: name,
            text: text.to_owned(),
            what: what.to_owned(),
            whom: None,
            whom_name: String::new(),
        };
        self.new.push(stored.clone());
        Ok(stored)
    }
}
