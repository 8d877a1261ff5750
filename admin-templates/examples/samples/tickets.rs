//! Tickets and rooms.

use super::{ada, ben, clara, dmitri, html, id, minutes_ago, shell, threads};
use parlour_admin_templates::*;
use parlour_protocol::frame::{Availability, RoomKind, TicketState};

fn sites() -> Vec<SiteRef> {
    vec![
        SiteRef {
            id: id(10),
            name: "Fjord & Fir".into(),
        },
        SiteRef {
            id: id(11),
            name: "Fjord & Fir Outlet".into(),
        },
    ]
}

struct Sketch(
    u32,
    &'static str,
    Availability,
    i64,
    &'static str,
    PreviewBy,
    Option<PersonView>,
    u64,
);

fn row(sketch: Sketch) -> TicketRowView {
    let Sketch(n, name, presence, minutes, preview, preview_by, assignee, unread) = sketch;
    let tick = (preview_by != PreviewBy::Visitor).then_some(if n % 2 == 0 {
        Tick::Read
    } else {
        Tick::Delivered
    });
    TicketRowView {
        id: id(n),
        rev: 12,
        position: 14,
        at: minutes_ago(minutes),
        state: TicketState::Open,
        snoozed_until: None,
        assignee,
        visitor: PersonView::visitor(id(n + 500), name).with_presence(presence),
        site: sites().swap_remove(usize::from(n % 5 == 4)),
        preview: preview.into(),
        preview_by,
        tick,
        page: RowOnPage {
            read: Some(14 - unread),
            unread,
            current: n == 30,
            query: String::new(),
        },
    }
}

fn list() -> TicketListView {
    use Availability::{Away, Offline, Online};
    use PreviewBy::{Agent, Visitor};
    let rows = [
        Sketch(
            30,
            "Mira Halvorsen",
            Online,
            3,
            "I will try that. Can you already put one aside for me?",
            Visitor,
            Some(ada()),
            0,
        ),
        Sketch(
            32,
            "Visitor · Firefox on Windows",
            Online,
            6,
            "Is the tent in the picture the two or the three person one? I cannot tell.",
            Visitor,
            None,
            3,
        ),
        Sketch(
            33,
            "Jonas Beck",
            Away,
            18,
            "You are welcome, have a good trip!",
            Agent("Ben".into()),
            Some(ben()),
            0,
        ),
        Sketch(
            34,
            "Visitor · Safari on iPhone",
            Offline,
            41,
            "hi",
            Visitor,
            None,
            1,
        ),
        Sketch(
            35,
            "نور الدين",
            Online,
            95,
            "هل الشحن إلى عمّان ممكن؟",
            Visitor,
            Some(clara()),
            0,
        ),
        Sketch(
            36,
            "Agnieszka Wojciechowska-Kowalczyk",
            Offline,
            400,
            "The invoice is on its way to your address.",
            Agent("Clara".into()),
            Some(clara()),
            0,
        ),
        Sketch(
            37,
            "Visitor · Chrome on Android",
            Offline,
            1700,
            "ok thanks",
            Visitor,
            Some(ada()),
            0,
        ),
        Sketch(
            38,
            "Sam",
            Offline,
            4400,
            "Does the outlet take returns from the main shop? I bought it there as a present.",
            Visitor,
            None,
            0,
        ),
        Sketch(
            39,
            "Visitor · Firefox on Linux",
            Offline,
            20_000,
            "We have sent the poles separately.",
            Agent("Ada".into()),
            Some(ada()),
            0,
        ),
    ];
    TicketListView {
        rows: rows.into_iter().map(row).collect(),
        state: TicketState::Open,
        assigned: Assigned::All,
        site: None,
        sites: sites(),
        counts: TicketCounts {
            mine: 3,
            unassigned: 3,
            open: 12,
            pending: 3,
            snoozed: 2,
            resolved: 218,
        },
        next: Some("01j".into()),
        paged: false,
    }
}

fn ticket() -> TicketView {
    TicketView {
        id: id(30),
        state: TicketState::Open,
        snoozed_until: None,
        visitor: threads::mira().with_presence(Availability::Online),
        assignee: Some(ada()),
        agents: vec![ada(), ben(), clara(), dmitri()],
        site: sites().swap_remove(0),
        read_up_to: None,
        thread: threads::ticket(),
        composer: composer(&format!("/tickets/{}/messages", id(30))),
        context: ContextView {
            email: Some("mira.halvorsen@posten.example".into()),
            page: Some(PageRef {
                url: "https://shop.example/tind-boot?size=40".into(),
                title: "Tind boot, women’s".into(),
            }),
            referrer: Some("https://search.example/".into()),
            browser: Some("Firefox 145 on macOS".into()),
            locale: Some("Norwegian (Norway)".into()),
            zone: Some("Europe/Oslo".into()),
            local_time: Some("15:03".into()),
            first_seen: Some(minutes_ago(180_000)),
            opened: Some(minutes_ago(1500)),
            others: vec![OtherTicket {
                id: id(60),
                preview: "My parcel says delivered, but it is not here".into(),
                at: minutes_ago(90_000),
                state: TicketState::Resolved,
            }],
            participants: vec![ben(), ada()],
        },
    }
}

fn composer(action: &str) -> ComposerView {
    ComposerView {
        action: action.into(),
        cid: id(2000),
        limit: 4000,
        ..ComposerView::default()
    }
}

fn rooms() -> RoomListView {
    let room =
        |n: u32, kind, name: &str, peer, preview: &str, minutes: Option<i64>, unread| RoomRowView {
            id: id(n),
            kind,
            name: name.into(),
            peer,
            preview: preview.into(),
            at: minutes.map(minutes_ago),
            position: 9,
            read: 9 - unread,
            unread,
            current: n == 40,
        };
    RoomListView {
        teams: vec![
            room(
                40,
                RoomKind::Team,
                "Boots and lasts",
                None,
                "FF-20817 is the order I meant.",
                Some(50),
                0,
            ),
            room(41, RoomKind::Team, "Weekend cover", None, "", None, 0),
        ],
        direct: vec![
            room(
                42,
                RoomKind::Direct,
                "Ben Okafor",
                Some(ben()),
                "Could you look at Jonas’ ticket?",
                Some(8),
                2,
            ),
            room(
                43,
                RoomKind::Direct,
                "Clara Lindqvist",
                Some(clara()),
                "Thanks!",
                Some(3100),
                0,
            ),
        ],
    }
}

fn room() -> RoomView {
    RoomView {
        id: id(40),
        kind: RoomKind::Team,
        name: "Boots and lasts".into(),
        peer: None,
        members: vec![ada(), ben(), clara()],
        candidates: vec![dmitri()],
        thread: threads::team(),
        composer: composer(&format!("/rooms/{}/messages", id(40))),
    }
}

fn direct() -> RoomView {
    RoomView {
        id: id(42),
        kind: RoomKind::Direct,
        name: "Ben Okafor".into(),
        peer: Some(ben()),
        members: vec![ada(), ben()],
        candidates: Vec::new(),
        thread: ThreadView {
            kind: ThreadKind::Agents,
            ..threads::short(42, ben(), "Could you look at Jonas’ ticket?")
        },
        composer: composer(&format!("/rooms/{}/messages", id(42))),
    }
}

pub(crate) fn pages() -> Vec<(&'static str, String)> {
    let tickets = |list, ticket| {
        html(&TicketsPage {
            shell: shell(Section::Tickets),
            list,
            ticket,
        })
    };
    let with_rooms = |list, room, new| {
        html(&RoomsPage {
            shell: shell(Section::Rooms),
            list,
            room,
            new,
        })
    };
    let resolved = TicketView {
        state: TicketState::Resolved,
        assignee: None,
        visitor: PersonView::visitor(id(532), "Visitor · Firefox on Windows"),
        thread: threads::short(
            32,
            threads::mira(),
            "Is the tent in the picture the two or the three person one?",
        ),
        composer: ComposerView {
            note: true,
            draft: "Ask the warehouse first".into(),
            error: Some("That was not sent. Try once more.".into()),
            ..composer("/tickets/x/messages")
        },
        context: ContextView {
            page: Some(PageRef {
                url: "javascript:alert(1)".into(),
                title: String::new(),
            }),
            ..ContextView::default()
        },
        ..ticket()
    };
    let none = TicketListView {
        assigned: Assigned::Mine,
        sites: sites(),
        ..TicketListView::default()
    };
    let new = NewRoomView {
        agents: vec![ben(), clara(), dmitri()],
        name: "Boots and lasts".into(),
        members: vec![id(2)],
        problems: Problems::default().with("name", "There is a room of this name already."),
    };
    let live = Live {
        script_url: "dashboard.js".into(),
        agent: id(1),
        rooms: vec![LiveRoom {
            room: id(30),
            kind: "public",
            seq: 14,
            read: 12,
        }],
        list: Some(LiveList {
            state: "open",
            assigned: "all",
            site: None,
            first: true,
        }),
        ..Live::default()
    };
    let toasts = vec![
        Toast {
            tone: Tone::Ok,
            text: "The ticket is resolved.".into(),
            undo: None,
        },
        Toast {
            tone: Tone::Danger,
            text: "That was not saved. Try once more.".into(),
            undo: None,
        },
    ];
    let lively = TicketsPage {
        shell: Shell {
            live: Some(live),
            toasts,
            ..shell(Section::Tickets)
        },
        list: list(),
        ticket: Some(ticket()),
    };
    vec![
        ("tickets", tickets(list(), None)),
        ("ticket", tickets(list(), Some(ticket()))),
        (
            "ticket-resolved",
            tickets(
                TicketListView {
                    state: TicketState::Resolved,
                    paged: true,
                    ..list()
                },
                Some(resolved),
            ),
        ),
        ("ticket-live", html(&lively)),
        ("tickets-empty", tickets(none, None)),
        ("rooms", with_rooms(rooms(), None, new)),
        (
            "room",
            with_rooms(rooms(), Some(room()), NewRoomView::default()),
        ),
        (
            "room-direct",
            with_rooms(rooms(), Some(direct()), NewRoomView::default()),
        ),
        (
            "rooms-empty",
            with_rooms(RoomListView::default(), None, NewRoomView::default()),
        ),
    ]
}
