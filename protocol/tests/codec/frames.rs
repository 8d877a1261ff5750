//! Any frame, for property tests.

use parlour_protocol::frame::{
    Ack, Availability, Body, Cursor, Draft, ErrorCode, Event, Happening, Limits, ListCounts,
    ListQuery, Mark, Open, Person, Presence, Role, RoomKind, RoomState, RowRev, TicketRow,
    TicketState, View,
};
use parlour_protocol::text::Run;
use parlour_protocol::{ClientFrame, Id, ServerFrame};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

fn id() -> impl Strategy<Value = Id> + Clone {
    any::<[u8; 16]>().prop_map(Id)
}

/// Texts with more of what must be escaped than chance would give.
fn text() -> impl Strategy<Value = String> {
    let char = prop_oneof![4 => any::<char>(), 1 => select(vec!['"', '\\', '/', '\n', '\u{0}', '\u{1f}', '\u{7f}', '🙂'])];
    vec(char, 0..12).prop_map(String::from_iter)
}

fn cursor() -> impl Strategy<Value = Cursor> {
    (id(), any::<u64>()).prop_map(|(room, seq)| Cursor { room, seq })
}

fn ticket_state() -> impl Strategy<Value = TicketState> {
    use TicketState::{Open, Pending, Resolved, Snoozed};
    select(vec![Open, Pending, Snoozed, Resolved])
}

/// Any frame from the client.
pub(crate) fn client() -> impl Strategy<Value = ClientFrame> {
    let hello = (
        any::<u32>(),
        select(vec![View::Runs, View::Html]),
        of(id()),
        vec(cursor(), 0..4),
    );
    let draft = (id(), text()).prop_map(|(cid, text)| Draft { cid, text });
    let open = (text(), text()).prop_map(|(page, title)| Open { page, title });
    let send = (id(), any::<u64>(), vec(draft, 0..4), of(open));
    let query = (ticket_state(), text(), of(id()));
    let query = query.prop_map(|(state, assigned, site)| ListQuery {
        state,
        assigned,
        site,
    });
    let row = (id(), any::<u64>()).prop_map(|(id, rev)| RowRev { id, rev });
    prop_oneof![
        hello.prop_map(|(v, view, epoch, cursors)| ClientFrame::Hello {
            v,
            view,
            epoch,
            cursors
        }),
        text().prop_map(|token| ClientFrame::Auth { token }),
        (id(), of(any::<u64>())).prop_map(|(room, after)| ClientFrame::Join { room, after }),
        id().prop_map(|room| ClientFrame::Leave { room }),
        send.prop_map(|(room, seen, messages, open)| ClientFrame::Send {
            room,
            seen,
            messages,
            open
        }),
        (id(), any::<bool>()).prop_map(|(room, on)| ClientFrame::Typing { room, on }),
        (id(), any::<u64>(), any::<u64>()).prop_map(|(room, delivered, read)| {
            ClientFrame::Receipt {
                room,
                delivered,
                read,
            }
        }),
        (id(), any::<u64>(), any::<u64>()).prop_map(|(room, before, after)| ClientFrame::History {
            room,
            before,
            after
        }),
        (query, vec(row, 0..4)).prop_map(|(query, rows)| ClientFrame::Sync { query, rows }),
        (any::<u32>(), any::<bool>()).prop_map(|(n, active)| ClientFrame::Ping { n, active }),
    ]
}

fn person() -> impl Strategy<Value = Person> {
    let role = select(vec![Role::Visitor, Role::Agent, Role::System]);
    (id(), role, text()).prop_map(|(id, role, name)| Person { id, role, name })
}

fn run() -> impl Strategy<Value = Run> {
    (text(), any::<[bool; 3]>(), of(text())).prop_map(|(text, [strong, emphasis, code], href)| {
        Run {
            text,
            strong,
            emphasis,
            code,
            href,
        }
    })
}

fn body() -> impl Strategy<Value = Body> {
    use Happening::{
        Added, Assigned, Pending, Removed, Reopened, Resolved, Snoozed, Unassigned, Unknown, Woke,
    };
    let what = select(vec![
        Resolved, Reopened, Assigned, Unassigned, Pending, Snoozed, Woke, Added, Removed, Unknown,
    ]);
    prop_oneof![
        vec(run(), 0..4).prop_map(|runs| Body::Text { runs }),
        vec(run(), 0..4).prop_map(|runs| Body::Note { runs }),
        (what, of(person()), of(any::<i64>())).prop_map(|(what, whom, until)| Body::Happened {
            what,
            whom,
            until
        }),
        Just(Body::Deleted),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let numbers = (any::<u64>(), any::<i64>(), any::<u32>());
    (id(), id(), numbers, person(), body(), of(text())).prop_map(
        |(room, cid, (seq, at, rev), author, body, html)| Event {
            room,
            seq,
            cid,
            at,
            rev,
            author,
            body,
            html,
        },
    )
}

fn mark() -> impl Strategy<Value = Mark> {
    (id(), any::<u64>(), any::<u64>()).prop_map(|(member, delivered, read)| Mark {
        member,
        delivered,
        read,
    })
}

fn presence() -> impl Strategy<Value = Presence> {
    let state = select(vec![
        Availability::Online,
        Availability::Away,
        Availability::Offline,
    ]);
    (person(), state).prop_map(|(who, state)| Presence { who, state })
}

fn room() -> impl Strategy<Value = RoomState> {
    let kind = select(vec![
        RoomKind::Public,
        RoomKind::Staff,
        RoomKind::Direct,
        RoomKind::Team,
    ]);
    (
        id(),
        kind,
        any::<u64>(),
        of(ticket_state()),
        vec(mark(), 0..3),
        vec(presence(), 0..3),
    )
        .prop_map(|(room, kind, position, ticket, marks, people)| RoomState {
            room,
            kind,
            position,
            ticket,
            marks,
            people,
        })
}

fn row() -> impl Strategy<Value = TicketRow> {
    let numbers = (any::<u64>(), any::<u64>(), any::<i64>());
    (id(), numbers, id(), ticket_state(), of(id()), text()).prop_map(
        |(id, (rev, position, at), site, state, assignee, html)| TicketRow {
            id,
            rev,
            site,
            state,
            assignee,
            position,
            at,
            html,
        },
    )
}

/// Any frame from the server.
pub(crate) fn server() -> impl Strategy<Value = ServerFrame> {
    prop_oneof![opening(), pages(), state()]
}

fn opening() -> impl Strategy<Value = ServerFrame> {
    let limits = any::<[u32; 3]>().prop_map(|[frame, text, batch]| Limits { frame, text, batch });
    let numbers = (any::<u32>(), any::<i64>(), any::<u32>());
    let welcome = (
        numbers,
        id(),
        person(),
        limits,
        vec(room(), 0..3),
        vec(presence(), 0..3),
    );
    let ack = (id(), any::<u64>(), any::<i64>(), any::<bool>());
    let ack = ack.prop_map(|(cid, seq, at, dup)| Ack { cid, seq, at, dup });
    prop_oneof![
        welcome.prop_map(|((v, time, heartbeat), epoch, me, limits, rooms, people)| {
            ServerFrame::Welcome {
                v,
                time,
                heartbeat,
                epoch,
                me,
                limits,
                rooms,
                people,
            }
        }),
        (id(), vec(ack, 0..4)).prop_map(|(room, acks)| ServerFrame::Ack { room, acks }),
    ]
}

fn pages() -> impl Strategy<Value = ServerFrame> {
    let page = (
        id(),
        vec(event(), 0..4),
        any::<[bool; 2]>(),
        any::<u64>(),
        of(room()),
    );
    let counts = any::<[u64; 4]>();
    let counts = counts.prop_map(|[mine, unassigned, open, resolved]| ListCounts {
        mine,
        unassigned,
        open,
        resolved,
    });
    prop_oneof![
        event().prop_map(ServerFrame::Event),
        page.prop_map(
            |(room, events, [more, reset], position, live)| ServerFrame::Page {
                room,
                events,
                more,
                position,
                reset,
                live,
            }
        ),
        row().prop_map(ServerFrame::Ticket),
        (vec(id(), 0..4), vec(row(), 0..3), any::<u32>(), counts).prop_map(
            |(order, rows, digest, counts)| ServerFrame::List {
                order,
                rows,
                digest,
                counts
            }
        ),
    ]
}

fn state() -> impl Strategy<Value = ServerFrame> {
    use ErrorCode::{
        BadFrame, Conflict, Empty, Forbidden, TooFast, TooLong, Unauthorized, Unavailable, Unknown,
        UnknownRoom, Unseen,
    };
    let codes = vec![
        BadFrame,
        UnknownRoom,
        Empty,
        TooLong,
        TooFast,
        Conflict,
        Unauthorized,
        Forbidden,
        Unavailable,
        Unseen,
        Unknown,
    ];
    let error = (
        select(codes),
        text(),
        any::<bool>(),
        any::<u32>(),
        of(id()),
        of(id()),
    );
    prop_oneof![
        (id(), mark()).prop_map(|(room, mark)| ServerFrame::Receipt { room, mark }),
        (id(), person(), any::<bool>()).prop_map(|(room, who, on)| ServerFrame::Typing {
            room,
            who,
            on
        }),
        presence().prop_map(ServerFrame::Presence),
        (
            any::<u32>(),
            any::<i64>(),
            vec(cursor(), 0..4),
            of(any::<u32>())
        )
            .prop_map(|(n, time, rooms, digest)| ServerFrame::Beat {
                n,
                time,
                rooms,
                digest
            }),
        error.prop_map(
            |(code, message, retry, after, room, cid)| ServerFrame::Error {
                code,
                message,
                retry,
                after,
                room,
                cid,
            }
        ),
        (text(), any::<u32>()).prop_map(|(reason, after)| ServerFrame::Bye { reason, after }),
    ]
}
