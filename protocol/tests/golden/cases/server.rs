//! Frames from the server.

use super::*;
use parlour_protocol::ServerFrame;
use parlour_protocol::frame::{
    Ack, Availability, Body, Cursor, ErrorCode, Event, Happening, ListCounts, RoomKind, RoomState,
    RowRev, TicketRow, TicketState, digest,
};
use parlour_protocol::text::Run;

/// Frames from the server.
pub(crate) fn server() -> Vec<(&'static str, ServerFrame)> {
    let mut all = opening();
    all.extend(events());
    all.extend(pages());
    all.extend(state());
    all
}

fn opening() -> Vec<(&'static str, ServerFrame)> {
    let welcome = |me, rooms, people| ServerFrame::Welcome {
        v: 1,
        time: TIME,
        heartbeat: 25_000,
        epoch: id(5),
        me,
        limits: limits(),
        rooms,
        people,
    };
    let mine = RoomState {
        ticket: Some(TicketState::Pending),
        marks: vec![mark(ada().id, 3, 2)],
        ..room(ticket(), RoomKind::Public, 3)
    };
    let agents = vec![
        presence(grace(), Availability::Online),
        presence(linus(), Availability::Offline),
    ];
    let theirs = vec![
        room(direct_room(), RoomKind::Direct, 0),
        RoomState {
            marks: vec![mark(grace().id, 9, 9)],
            ..room(team_room(), RoomKind::Team, 12)
        },
    ];
    vec![
        (
            "server-welcome-visitor",
            welcome(ada(), vec![mine], agents[..1].to_vec()),
        ),
        ("server-welcome-agent", welcome(grace(), theirs, agents)),
        (
            "server-ack",
            ServerFrame::Ack {
                room: ticket(),
                acks: vec![
                    Ack {
                        cid: id(0x24),
                        seq: 4,
                        at: TIME + 4_000_000,
                        dup: false,
                    },
                    Ack {
                        cid: id(0x25),
                        seq: 5,
                        at: TIME + 4_000_001,
                        dup: false,
                    },
                ],
            },
        ),
        (
            "server-ack-dup",
            ServerFrame::Ack {
                room: ticket(),
                acks: vec![Ack {
                    cid: id(0x24),
                    seq: 4,
                    at: TIME + 4_000_000,
                    dup: true,
                }],
            },
        ),
    ]
}

fn events() -> Vec<(&'static str, ServerFrame)> {
    let (public, staff, team) = (ticket(), staff_room(), team_room());
    let html = Event {
        rev: 2,
        html: Some("<article>Thank you</article>".into()),
        ..event(public, 5, ada(), text("Thank you"))
    };
    let unassigned = happened(Happening::Unassigned, None);
    vec![
        (
            "server-event-text",
            event(public, 2, grace(), Body::Text { runs: styled() }),
        ),
        (
            "server-event-note",
            event(
                staff,
                1,
                linus(),
                Body::Note {
                    runs: vec![Run::plain("Knows us.")],
                },
            ),
        ),
        ("server-event-html", html),
        (
            "server-event-deleted",
            Event {
                rev: 1,
                ..event(public, 3, grace(), Body::Deleted)
            },
        ),
        (
            "server-event-resolved",
            event(public, 6, grace(), happened(Happening::Resolved, None)),
        ),
        (
            "server-event-reopened",
            event(public, 7, system(), happened(Happening::Reopened, None)),
        ),
        (
            "server-event-assigned",
            event(
                staff,
                2,
                linus(),
                happened(Happening::Assigned, Some(grace())),
            ),
        ),
        (
            "server-event-unassigned",
            event(staff, 3, grace(), unassigned),
        ),
        (
            "server-event-snoozed",
            event(
                staff,
                4,
                grace(),
                Body::Happened {
                    what: Happening::Snoozed,
                    whom: None,
                    until: Some(TIME + 3_600_000_000),
                },
            ),
        ),
        (
            "server-event-woke",
            event(staff, 5, system(), happened(Happening::Woke, None)),
        ),
        (
            "server-event-added",
            event(team, 1, grace(), happened(Happening::Added, Some(linus()))),
        ),
        (
            "server-event-removed",
            event(
                team,
                2,
                linus(),
                happened(Happening::Removed, Some(linus())),
            ),
        ),
    ]
    .into_iter()
    .map(|(name, event)| (name, ServerFrame::Event(event)))
    .collect()
}

fn pages() -> Vec<(&'static str, ServerFrame)> {
    let room = ticket();
    let page = |events, more, reset, live| ServerFrame::Page {
        room,
        events,
        more,
        position: 5,
        reset,
        live,
    };
    let live = RoomState {
        ticket: Some(TicketState::Open),
        marks: vec![mark(ada().id, 5, 5), mark(grace().id, 4, 3)],
        people: vec![presence(grace(), Availability::Away)],
        ..self::room(room, RoomKind::Public, 5)
    };
    let staff_live = self::room(staff_room(), RoomKind::Staff, 0);
    let first = event(room, 1, ada(), text("Hello"));
    let last = event(room, 5, ada(), text("Thank you"));
    let staff = ServerFrame::Page {
        room: staff_room(),
        events: vec![],
        more: false,
        position: 0,
        reset: true,
        live: Some(staff_live),
    };
    vec![
        ("server-page", page(vec![first], false, false, None)),
        (
            "server-page-live",
            page(vec![last], true, false, Some(live)),
        ),
        ("server-page-reset", staff),
    ]
}

fn state() -> Vec<(&'static str, ServerFrame)> {
    let room = ticket();
    let beat = |n, digest| ServerFrame::Beat {
        n,
        time: TIME,
        rooms: vec![Cursor { room, seq: 5 }],
        digest,
    };
    let counts = ListCounts {
        mine: 1,
        unassigned: 2,
        open: 3,
        resolved: 40,
    };
    let error = |code, message: &str, after, room, cid| ServerFrame::Error {
        code,
        message: message.into(),
        retry: after > 0,
        after,
        room,
        cid,
    };
    let resolved = TicketRow {
        state: TicketState::Resolved,
        assignee: None,
        ..row()
    };
    let page = digest([
        RowRev { id: room, rev: 7 },
        RowRev {
            id: id(0x14),
            rev: 2,
        },
    ]);
    let list = ServerFrame::List {
        order: vec![room, id(0x14)],
        rows: vec![row()],
        digest: page,
        counts,
    };
    vec![
        (
            "server-receipt",
            ServerFrame::Receipt {
                room,
                mark: mark(grace().id, 5, 4),
            },
        ),
        (
            "server-typing",
            ServerFrame::Typing {
                room,
                who: grace(),
                on: true,
            },
        ),
        (
            "server-presence",
            ServerFrame::Presence(presence(grace(), Availability::Offline)),
        ),
        ("server-beat", beat(0, None)),
        ("server-beat-digest", beat(4_294_967_295, Some(page))),
        ("server-ticket", ServerFrame::Ticket(row())),
        ("server-ticket-resolved", ServerFrame::Ticket(resolved)),
        ("server-list", list),
        (
            "server-error-conflict",
            error(
                ErrorCode::Conflict,
                "This id was used for another message.",
                0,
                Some(room),
                Some(id(0x24)),
            ),
        ),
        (
            "server-error-unseen",
            error(
                ErrorCode::Unseen,
                "Another agent has answered meanwhile.",
                0,
                Some(room),
                Some(id(0x24)),
            ),
        ),
        (
            "server-error-too-fast",
            error(
                ErrorCode::TooFast,
                "Too many messages.",
                1_500,
                Some(room),
                None,
            ),
        ),
        (
            "server-error-bad-frame",
            error(
                ErrorCode::BadFrame,
                "Not a frame of this protocol.",
                0,
                None,
                None,
            ),
        ),
        (
            "server-bye",
            ServerFrame::Bye {
                reason: "restart".into(),
                after: 1_840,
            },
        ),
    ]
}

/// Frames of a newer server, and what this version makes of them.
pub(crate) fn newer() -> Vec<(&'static str, ServerFrame)> {
    let what = happened(Happening::Unknown, Some(linus()));
    vec![
        (
            "newer-event",
            ServerFrame::Event(event(ticket(), 8, grace(), what)),
        ),
        (
            "newer-error",
            ServerFrame::Error {
                code: ErrorCode::Unknown,
                message: "The room is frozen.".into(),
                retry: false,
                after: 0,
                room: None,
                cid: None,
            },
        ),
    ]
}
