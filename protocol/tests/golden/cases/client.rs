//! Frames from the client.

use super::*;
use parlour_protocol::ClientFrame;
use parlour_protocol::frame::{Cursor, Draft, ListQuery, Open, RowRev, TicketState, View};

/// Frames from the client.
pub(crate) fn client() -> Vec<(&'static str, ClientFrame)> {
    let room = ticket();
    let query = |state, assigned: &str, site| ListQuery {
        state,
        assigned: assigned.into(),
        site,
    };
    vec![
        (
            "client-hello",
            ClientFrame::Hello {
                v: 1,
                view: View::Runs,
                epoch: None,
                cursors: vec![],
            },
        ),
        (
            "client-hello-resume",
            ClientFrame::Hello {
                v: 1,
                view: View::Html,
                epoch: Some(id(5)),
                cursors: vec![
                    Cursor { room, seq: 3 },
                    Cursor {
                        room: staff_room(),
                        seq: 0,
                    },
                ],
            },
        ),
        (
            "client-auth",
            ClientFrame::Auth {
                token: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln".into(),
            },
        ),
        ("client-join", ClientFrame::Join { room, after: None }),
        (
            "client-join-after",
            ClientFrame::Join {
                room,
                after: Some(3),
            },
        ),
        ("client-leave", ClientFrame::Leave { room }),
        (
            "client-send",
            ClientFrame::Send {
                room,
                seen: 3,
                messages: vec![
                    Draft {
                        cid: id(0x24),
                        text: "It worked.".into(),
                    },
                    Draft {
                        cid: id(0x25),
                        text: "Thank you\t– \"really\" \\o/\n\u{1}🙂".into(),
                    },
                ],
                open: None,
            },
        ),
        (
            "client-send-open",
            ClientFrame::Send {
                room,
                seen: 0,
                messages: vec![Draft {
                    cid: id(0x21),
                    text: "Hello".into(),
                }],
                open: Some(Open {
                    page: "https://shop.example/cart?item=7".into(),
                    title: "Cart – Shop".into(),
                }),
            },
        ),
        ("client-typing", ClientFrame::Typing { room, on: true }),
        (
            "client-receipt",
            ClientFrame::Receipt {
                room,
                delivered: 3,
                read: 2,
            },
        ),
        (
            "client-history-before",
            ClientFrame::History {
                room,
                before: 101,
                after: 0,
            },
        ),
        (
            "client-history-gap",
            ClientFrame::History {
                room,
                before: 0,
                after: 3,
            },
        ),
        (
            "client-sync",
            ClientFrame::Sync {
                query: query(TicketState::Pending, "mine", Some(id(4))),
                rows: vec![RowRev { id: room, rev: 7 }],
            },
        ),
        (
            "client-sync-first",
            ClientFrame::Sync {
                query: query(TicketState::Snoozed, "all", None),
                rows: vec![],
            },
        ),
        (
            "client-ping",
            ClientFrame::Ping {
                n: 4_294_967_295,
                active: true,
            },
        ),
    ]
}
