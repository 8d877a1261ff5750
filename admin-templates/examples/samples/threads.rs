//! Entries of rooms.

use super::{ada, ben, clara, id, minutes_ago};
use parlour_admin_templates::*;
use parlour_protocol::frame::{Happening, Role};

pub(crate) fn mira() -> PersonView {
    PersonView::visitor(id(20), "Mira Halvorsen")
}

fn entry(n: u32, minutes: i64, author: PersonView, body: MessageBody) -> MessageView {
    let room = if matches!(body, MessageBody::Note(_)) {
        31
    } else {
        30
    };
    let (seq, at) = (u64::from(n), minutes_ago(minutes));
    MessageView {
        room: id(room),
        seq,
        cid: id(1000 + n),
        at,
        rev: 0,
        author,
        body,
    }
}

fn text(n: u32, minutes: i64, author: PersonView, html: &str) -> MessageView {
    entry(
        n,
        minutes,
        author,
        MessageBody::Text(SafeHtml::sanitised(html.into())),
    )
}

fn happened(
    n: u32,
    minutes: i64,
    author: PersonView,
    what: Happening,
    whom: Option<PersonView>,
) -> MessageView {
    entry(n, minutes, author, MessageBody::Happened(what, whom, None))
}

pub(crate) fn ticket() -> ThreadView {
    let note = "She ordered twice this year, order <strong>FF-20817</strong>. Last pair was one size small; \
                see <a href=\"https://shop.example/orders/FF-20817\">the order</a>.";
    ThreadView {
        kind: ThreadKind::Ticket,
        room: id(30),
        staff_room: Some(id(31)),
        messages: vec![
            text(
                1,
                1500,
                mira(),
                "Hello! Do the Tind boots run small? I am between 39 and 40.",
            ),
            happened(2, 1497, ben(), Happening::Assigned, Some(ben())),
            text(
                3,
                1496,
                ben(),
                "Hello Mira, they do, by about half a size. I would take the 40.",
            ),
            text(
                4,
                1495,
                ben(),
                "If they do not fit, the exchange is free within 60 days.",
            ),
            text(5, 1490, mira(), "Lovely, thank you."),
            happened(6, 1480, ben(), Happening::Resolved, None),
            text(
                7,
                34,
                mira(),
                "Hello again. The 40 arrived, and the left one is <em>fine</em>, but the right one rubs at the heel.",
            ),
            text(
                8,
                33,
                mira(),
                "It is this one: <a href=\"https://shop.example/tind-boot\">shop.example/tind-boot</a>",
            ),
            happened(
                9,
                33,
                PersonView {
                    role: Role::System,
                    ..PersonView::agent(id(0), "Parlour")
                },
                Happening::Reopened,
                None,
            ),
            happened(10, 21, ada(), Happening::Assigned, Some(ada())),
            entry(
                11,
                20,
                ben(),
                MessageBody::Note(SafeHtml::sanitised(note.into())),
            ),
            text(
                12,
                12,
                ada(),
                "I am sorry to hear that, Mira. Two things that often help:<br>lace the top two hooks loosely, and wear them indoors for a day or two.",
            ),
            text(
                13,
                11,
                ada(),
                "If it still rubs on Friday, write here and I will send the <code>40 W</code> the same day.",
            ),
            text(
                14,
                3,
                mira(),
                "I will try that. Can you already put one aside for me?",
            ),
        ],
        older: Some(format!("/tickets/{}?before=1", id(30))),
        newer: None,
    }
}

pub(crate) fn short(n: u32, author: PersonView, words: &str) -> ThreadView {
    ThreadView {
        room: id(n),
        messages: vec![text(n, 2, author, words)],
        ..ThreadView::default()
    }
}

pub(crate) fn team() -> ThreadView {
    let deleted = entry(47, 52, clara(), MessageBody::Deleted);
    ThreadView {
        kind: ThreadKind::Agents,
        room: id(40),
        staff_room: None,
        messages: vec![
            happened(41, 1600, ada(), Happening::Added, Some(clara())),
            text(
                42,
                1590,
                clara(),
                "Morning. The warehouse says the wide lasts come back in stock on Thursday.",
            ),
            text(
                43,
                70,
                ben(),
                "Two more people asked about the heel of the Tind. Shall we write a canned answer?",
            ),
            text(44, 69, ben(), "I can draft one."),
            text(
                45,
                66,
                ada(),
                "Yes please. Keep it short: hooks, two days indoors, then the wide one.",
            ),
            deleted,
            text(
                48,
                50,
                clara(),
                "<code>FF-20817</code> is the order I meant.",
            ),
        ],
        older: None,
        newer: None,
    }
}
