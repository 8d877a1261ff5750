//! Older pages, and pages that start over.

use crate::rig::{ME, OTHER, ROOM, Rig, id, live_page, page, reset_page, text, texts, welcome};
use parlour_protocol::{ClientFrame, ServerFrame};

fn history(before: u64, after: u64) -> ClientFrame {
    ClientFrame::History {
        room: ROOM,
        before,
        after,
    }
}

#[test]
fn older_pages_come_once_each_until_there_are_none() {
    let mut rig = Rig::live();
    rig.client.join(ROOM, rig.now);
    rig.frame(live_page(texts(6..=8), true, 8));
    rig.clear();
    rig.client.older(ROOM, rig.now);
    rig.client.older(ROOM, rig.now);
    assert_eq!(rig.sent(), [history(6, 0)]);
    assert!(rig.room().loading());
    rig.frame(page(texts(3..=5), true, 8));
    assert!(!rig.room().loading());
    rig.client.older(ROOM, rig.now);
    assert_eq!(rig.sent(), [history(3, 0)]);
    rig.frame(page(texts(1..=2), false, 8));
    assert_eq!(rig.seqs(), (1..=8).collect::<Vec<_>>());
    rig.client.older(ROOM, rig.now);
    assert!(rig.sent().is_empty());
}

#[test]
fn an_older_page_that_is_lost_can_be_asked_for_again() {
    let mut rig = Rig::live();
    rig.client.join(ROOM, rig.now);
    rig.frame(live_page(texts(6..=8), true, 8));
    rig.client.older(ROOM, rig.now);
    assert_eq!(rig.reconnect(), [(ROOM, 8)]);
    assert!(!rig.room().loading());
    rig.frame(live_page(Vec::new(), false, 8));
    assert!(
        rig.room().more(),
        "an empty resume says nothing about what is before the window"
    );
    rig.clear();
    rig.client.older(ROOM, rig.now);
    assert_eq!(rig.sent(), [history(6, 0)]);
    rig.advance(5_000);
    assert!(!rig.room().loading());
    rig.client.older(ROOM, rig.now);
    assert!(rig.room().loading());
    rig.frame(page(Vec::new(), false, 8));
    assert!(!rig.room().loading() && !rig.room().more());
}

#[test]
fn a_page_that_does_not_touch_the_window_is_not_put_before_it() {
    let mut rig = Rig::live();
    rig.client.join(ROOM, rig.now);
    rig.frame(live_page(texts(6..=8), true, 8));
    rig.client.older(ROOM, rig.now);
    rig.frame(page(texts(2..=4), true, 8));
    assert_eq!(rig.seqs(), [6, 7, 8]);
    rig.client.older(ROOM, rig.now);
    let mut holed = texts(2..=5);
    holed.remove(1);
    rig.frame(page(holed, false, 8));
    assert_eq!(rig.seqs(), [4, 5, 6, 7, 8]);
    assert!(rig.room().more());
}

#[test]
fn a_resume_in_several_pages_goes_live_with_the_last() {
    let mut rig = Rig::joined(2);
    rig.frame(ServerFrame::Event(text(4, OTHER)));
    assert_eq!(
        rig.reconnect(),
        [(ROOM, 2)],
        "what waited above a hole is not a cursor"
    );
    assert!(
        !rig.sent()
            .iter()
            .any(|frame| matches!(frame, ClientFrame::Join { .. }))
    );
    rig.frame(page(texts(3..=4), true, 6));
    assert!(!rig.room().live());
    rig.frame(ServerFrame::Event(text(7, OTHER)));
    rig.frame(live_page(texts(5..=6), true, 6));
    assert!(rig.room().live());
    assert_eq!(rig.seqs(), (1..=7).collect::<Vec<_>>());
}

#[test]
fn another_epoch_starts_over_and_keeps_the_outbox() {
    let mut rig = Rig::joined(5);
    rig.client.seen(ROOM, 5, rig.now);
    rig.client.closed(rig.now, 1006);
    rig.say(id(50), "kept");
    rig.advance(600);
    rig.client.opened(rig.now);
    rig.clear();
    rig.frame(welcome(id(10), Vec::new()));
    assert!(rig.room().entries().is_empty());
    assert!(
        rig.sent()
            .iter()
            .any(|frame| matches!(frame, ClientFrame::Send { .. }))
    );
    assert!(
        rig.rest
            .contains(&parlour_protocol::client::Output::SaveEpoch(id(10)))
    );
    rig.frame(reset_page(texts(1..=2), false, 2));
    assert_eq!(rig.seqs(), [1, 2]);
    assert_eq!(rig.room().unread(ME), 2);
    assert_eq!(rig.pending(), [id(50)]);
}

#[test]
fn a_server_that_went_back_is_believed() {
    let mut rig = Rig::joined(5);
    rig.client.seen(ROOM, 5, rig.now);
    rig.reconnect();
    rig.frame(reset_page(texts(1..=3), false, 3));
    assert_eq!(rig.seqs(), [1, 2, 3]);
    assert_eq!(rig.room().position(), 3);
    rig.frame(ServerFrame::Event(text(4, OTHER)));
    assert_eq!(rig.seqs(), [1, 2, 3, 4]);
    assert_eq!(rig.room().unread(ME), 1);
}
