//! Rooms: who may enter, and the agents' own.

use parlour_protocol::frame::{Mark, Person, Presence, Role, RoomKind, RoomState, TicketState};
use uuid::Uuid;

use super::{Actor, Chat};
use crate::bus::{News, Publication};
use crate::error::Error;
use crate::hub::Topic;
use crate::store::joining::Own;
use crate::store::members::Marks;
use crate::store::messages::Stored;
use crate::store::rooms::{self, Kind, Room};
use crate::store::tickets::{state_parse, state_text};

/// An agent's rooms in a `welcome` at most.
const LISTED: usize = 50;
/// Members of a new team room at most.
const MAX_MEMBERS: usize = 200;
/// The longest name of a team room, in characters.
const MAX_NAME: usize = 80;

impl Chat {
    /// The room, if the actor may enter it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such room or she may not: the two look alike.
    pub async fn enter(&self, actor: &Actor, room: Uuid) -> Result<Room, Error> {
        let found = self.store.room(room, actor.id).await?;
        let allowed = match (found.kind, actor.role) {
            (Kind::Public, Role::Visitor) => found
                .ticket
                .as_ref()
                .is_some_and(|(_, visitor, _)| *visitor == actor.id),
            (Kind::Public | Kind::Staff, Role::Agent) => true,
            (Kind::Direct | Kind::Team, Role::Agent) => found.member,
            _ => false,
        };
        if allowed {
            Ok(found)
        } else {
            Err(Error::NotFound)
        }
    }

    /// The room as the actor sees it, with these marks: people, the ticket's state.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn room_state(
        &self,
        actor: &Actor,
        room: &Room,
        marks: Vec<Marks>,
    ) -> Result<RoomState, Error> {
        let people = match (&room.ticket, room.kind.is_private()) {
            (Some((_, visitor, _)), _) if actor.role == Role::Agent => {
                let name = self.store.visitor_name(*visitor).await?;
                vec![self.presence_of(Person {
                    id: crate::wire(*visitor),
                    role: Role::Visitor,
                    name,
                })]
            }
            (None, true) => {
                let members = self.store.members_of(room.id).await?;
                let agent = |member: rooms::Member| Person {
                    id: crate::wire(member.id),
                    role: Role::Agent,
                    name: member.name,
                };
                members
                    .into_iter()
                    .map(|member| self.presence_of(agent(member)))
                    .collect()
            }
            _ => Vec::new(),
        };
        Ok(RoomState {
            room: crate::wire(room.id),
            kind: wire_kind(room.kind),
            position: crate::unsigned(room.position),
            ticket: room
                .ticket
                .as_ref()
                .map(|(_, _, state)| state_parse(state).unwrap_or_default()),
            marks: marks.into_iter().map(wire_marks).collect(),
            people,
        })
    }

    /// What `welcome` lists: a visitor's tickets, which may be known already, or an agent's direct
    /// and team rooms.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn rooms_of(
        &self,
        actor: &Actor,
        tickets: Option<Vec<Own>>,
    ) -> Result<Vec<RoomState>, Error> {
        let state = |room, kind, position, ticket: Option<TicketState>| RoomState {
            room: crate::wire(room),
            kind,
            position: crate::unsigned(position),
            ticket,
            marks: Vec::new(),
            people: Vec::new(),
        };
        if actor.role == Role::Visitor {
            let tickets = match tickets {
                Some(tickets) => tickets,
                None => self.store.visiting(actor.id).await?.tickets,
            };
            return Ok(tickets
                .into_iter()
                .map(|(id, position, ticket)| state(id, RoomKind::Public, position, Some(ticket)))
                .collect());
        }
        let rooms = self.store.rooms_of(actor.id).await?;
        let listed = rooms.into_iter().take(LISTED).map(|room| RoomState {
            marks: vec![Mark {
                member: crate::wire(actor.id),
                delivered: crate::unsigned(room.read),
                read: crate::unsigned(room.read),
            }],
            ..state(room.id, wire_kind(room.kind), room.position, None)
        });
        Ok(listed.collect())
    }

    /// All agents, and whether they are there.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn team(&self) -> Result<Vec<Presence>, Error> {
        let agents = self.store.team().await?;
        Ok(agents
            .iter()
            .map(|(id, name)| {
                self.presence_of(Person {
                    id: crate::wire(*id),
                    role: Role::Agent,
                    name: name.clone(),
                })
            })
            .collect())
    }

    fn presence_of(&self, who: Person) -> Presence {
        let state = self.presence.state(Uuid::from_bytes(who.id.0));
        Presence { who, state }
    }

    /// The direct room of the actor and another agent, made if need be.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such agent, [`Error::Invalid`] if it is the actor herself.
    pub async fn direct(&self, actor: &Actor, other: Uuid) -> Result<Uuid, Error> {
        if actor.role != Role::Agent {
            return Err(Error::Forbidden);
        }
        if other == actor.id {
            return Err(Error::Invalid {
                field: "agent",
                reason: "choose a colleague".into(),
            });
        }
        let me = actor.id;
        let room = self
            .store
            .write_and(
                move |c| Box::pin(rooms::direct(c, me, other)),
                self.opens(vec![me, other]),
            )
            .await?;
        Ok(room)
    }

    /// A new team room with the actor in it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is empty or too long, [`Error::NotFound`] for an unknown member.
    pub async fn team_room(
        &self,
        actor: &Actor,
        name: &str,
        members: &[Uuid],
    ) -> Result<Uuid, Error> {
        if actor.role != Role::Agent {
            return Err(Error::Forbidden);
        }
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return Err(Error::Invalid {
                field: "name",
                reason: format!("give it a name of 1 to {MAX_NAME} characters"),
            });
        }
        let mut all = vec![actor.id];
        all.extend(members.iter().filter(|member| **member != actor.id));
        all.dedup();
        if all.len() > MAX_MEMBERS {
            return Err(Error::Invalid {
                field: "members",
                reason: format!("at most {MAX_MEMBERS} members"),
            });
        }
        let opened = self.opens(all.clone());
        let room = self
            .store
            .write_and(
                move |c| Box::pin(async move { rooms::team(c, &name, &all).await }),
                opened,
            )
            .await?;
        Ok(room)
    }

    /// Lets people into a room that was made, with the commit: who asked for it may have gone by then.
    fn opens(&self, people: Vec<Uuid>) -> impl FnOnce(&Uuid) + Send + 'static {
        let chat = self.clone();
        move |room| chat.entered(*room, &people)
    }

    /// Adds an agent to a team room.
    ///
    /// # Errors
    /// [`Error::NotFound`] unless the actor is a member and the agent exists.
    pub async fn add_member(&self, actor: &Actor, room: Uuid, agent: Uuid) -> Result<(), Error> {
        self.change_member(actor, room, agent, true).await
    }

    /// Removes an agent from a team room, or leaves it. Her connections lose the room at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] unless the actor is a member and the agent exists.
    pub async fn remove_member(&self, actor: &Actor, room: Uuid, agent: Uuid) -> Result<(), Error> {
        self.change_member(actor, room, agent, false).await
    }

    async fn change_member(
        &self,
        actor: &Actor,
        room: Uuid,
        agent: Uuid,
        add: bool,
    ) -> Result<(), Error> {
        if actor.role != Role::Agent {
            return Err(Error::Forbidden);
        }
        let (author, chat) = (actor.author(), self.clone());
        // With the commit, not with the request: who removed somebody may have gone by then.
        let committed = move |happened: &Option<Stored>| {
            let Some(happened) = happened else { return };
            if !add {
                // First the loss, then the entry that tells of it: who is gone does not see it.
                chat.bus
                    .publish(&Publication::new(Topic::Person(agent), News::Lost(room)));
            }
            chat.publish_happened(std::slice::from_ref(happened));
            if add {
                chat.entered(room, &[agent]);
            }
        };
        self.store
            .write_and(
                move |c| {
                    Box::pin(
                        async move { rooms::change_member(c, room, &author, agent, add).await },
                    )
                },
                committed,
            )
            .await?;
        Ok(())
    }

    fn entered(&self, room: Uuid, people: &[Uuid]) {
        for person in people {
            self.bus.publish(&Publication::new(
                Topic::Person(*person),
                News::Entered(room),
            ));
        }
    }
}

/// A room out of the list of somebody who may enter it: nothing if it is not there.
#[must_use]
pub fn listed(actor: &Actor, list: &[RoomState], room: Uuid) -> Option<Room> {
    let state = list.iter().find(|state| state.room == crate::wire(room))?;
    Some(Room {
        id: room,
        kind: match state.kind {
            RoomKind::Public => Kind::Public,
            RoomKind::Staff => Kind::Staff,
            RoomKind::Direct => Kind::Direct,
            RoomKind::Team => Kind::Team,
        },
        position: crate::signed(state.position),
        ticket: state
            .ticket
            .map(|ticket| (room, actor.id, state_text(ticket).to_owned())),
        member: state.ticket.is_none(),
    })
}

pub(crate) fn wire_kind(kind: Kind) -> RoomKind {
    match kind {
        Kind::Public => RoomKind::Public,
        Kind::Staff => RoomKind::Staff,
        Kind::Direct => RoomKind::Direct,
        Kind::Team => RoomKind::Team,
    }
}

pub(super) fn wire_marks(marks: Marks) -> Mark {
    Mark {
        member: crate::wire(marks.person),
        delivered: crate::unsigned(marks.delivered),
        read: crate::unsigned(marks.read),
    }
}
