//! The window stays contiguous, whatever comes in whatever order.

use crate::rig::{
    OTHER, ROOM, Rig, beat, error, id, live_page, page, person, reset_page, text, texts,
};
use parlour_protocol::client::Change;
use parlour_protocol::frame::{Body, ErrorCode, Event, Happening, TicketState};
use parlour_protocol::{ClientFrame, ServerFrame};

fn history(before: u64, after: u64) -> ClientFrame {
    ClientFrame::History {
        room: ROOM,
        before,
        after,
    }
}

fn join(after: Option<u64>) -> ClientFrame {
    ClientFrame::Join { room: ROOM, after }
}

#[test]
fn a_join_buffers_until_its_page() {
    let mut rig = Rig::live();
    rig.client.join(ROOM, rig.now);
    rig.client.join(ROOM, rig.now);
    assert_eq!(rig.sent(), [join(None)]);
    rig.frame(ServerFrame::Event(text(13, OTHER)));
    rig.frame(ServerFrame::Event(text(12, OTHER)));
    assert!(rig.seqs().is_empty());
    rig.frame(live_page(texts(10..=11), true, 11));
    assert_eq!(rig.seqs(), [10, 11, 12, 13]);
    assert!(rig.room().live() && rig.room().more());
    assert_eq!(
        rig.client.rooms().len(),
        1,
        "a visitor's ticket that came after the welcome"
    );
}

#[test]
fn an_empty_room_is_live_and_grows() {
    let mut rig = Rig::live();
    rig.client.join(ROOM, rig.now);
    rig.frame(live_page(Vec::new(), false, 0));
    assert!(rig.room().live());
    rig.frame(ServerFrame::Event(text(1, OTHER)));
    assert_eq!(rig.seqs(), [1]);
}

#[test]
fn swapped_events_need_no_question() {
    let mut rig = Rig::joined(2);
    rig.frame(ServerFrame::Event(text(4, OTHER)));
    rig.frame(ServerFrame::Event(text(5, OTHER)));
    assert_eq!(rig.seqs(), [1, 2]);
    rig.advance(49);
    rig.frame(ServerFrame::Event(text(3, OTHER)));
    assert_eq!(rig.seqs(), [1, 2, 3, 4, 5]);
    let live: Vec<_> = rig
        .changes
        .iter()
        .filter(|change| matches!(change, Change::Event { .. }))
        .collect();
    assert_eq!(live.len(), 3);
    rig.advance(10_000);
    assert!(
        !rig.sent()
            .iter()
            .any(|frame| matches!(frame, ClientFrame::History { .. }))
    );
}

#[test]
fn a_hole_is_asked_for_once_then_again_with_back_off() {
    let mut rig = Rig::joined(2);
    rig.frame(ServerFrame::Event(text(4, OTHER)));
    rig.advance(50);
    assert_eq!(rig.sent(), [history(0, 2)]);
    rig.frame(ServerFrame::Event(text(6, OTHER)));
    rig.advance(4_000);
    assert!(!rig.sent().contains(&history(0, 2)));
    rig.advance(3_000);
    assert!(
        rig.sent().contains(&history(0, 2)),
        "the first question was lost"
    );
    rig.frame(page(texts(3..=6), true, 6));
    assert_eq!(rig.seqs(), [1, 2, 3, 4, 5, 6]);
    assert!(
        !rig.room().more(),
        "a page above says nothing about what is before the window"
    );
    rig.advance(10_000);
    assert!(
        !rig.sent()
            .iter()
            .any(|frame| matches!(frame, ClientFrame::History { .. }))
    );
}

#[test]
fn a_lost_last_message_is_found_by_the_heartbeat() {
    let mut rig = Rig::joined(2);
    rig.frame(beat(0, 3));
    assert_eq!(rig.room().position(), 3);
    rig.advance(250);
    assert!(rig.sent().contains(&history(0, 2)));
    rig.frame(page(texts(3..=3), true, 3));
    assert_eq!(rig.seqs(), [1, 2, 3]);
}

#[test]
fn a_room_that_the_heartbeat_does_not_name_is_joined_again() {
    let mut rig = Rig::joined(2);
    let rooms = Vec::new();
    rig.frame(ServerFrame::Beat {
        n: 0,
        time: 0,
        rooms,
        digest: None,
    });
    assert!(rig.sent().contains(&join(Some(2))));
    assert!(!rig.room().live());
    // Removed from it, perhaps.
    rig.frame(error(ErrorCode::UnknownRoom, false, 0, Some(ROOM), None));
    assert!(rig.room().gone());
}

#[test]
fn a_wide_hole_is_joined_again() {
    let mut rig = Rig::joined(2);
    rig.frame(beat(0, 500));
    rig.advance(250);
    assert!(rig.sent().contains(&join(Some(2))));
    rig.frame(reset_page(texts(200..=202), true, 202));
    assert_eq!(rig.seqs(), [200, 201, 202]);
    assert!(rig.room().more());
}

#[test]
fn entries_that_are_gone_for_good_do_not_leave_a_hole() {
    let mut rig = Rig::joined(2);
    rig.frame(ServerFrame::Event(text(9, OTHER)));
    rig.advance(50);
    rig.clear();
    rig.frame(page(texts(7..=8), false, 9));
    assert_eq!(rig.seqs(), [7, 8, 9]);
    rig.advance(10_000);
    assert!(
        !rig.sent()
            .iter()
            .any(|frame| matches!(frame, ClientFrame::History { .. }))
    );
}

#[test]
fn too_many_held_events_mean_joining_again() {
    let mut rig = Rig::joined(1);
    for seq in 3..=259 {
        rig.frame(ServerFrame::Event(text(seq, OTHER)));
    }
    assert!(rig.sent().contains(&join(Some(1))));
    assert_eq!(rig.seqs(), [1]);
    assert_eq!(rig.room().position(), 259);
}

#[test]
fn revisions_only_move_forward() {
    let deleted = |rev| Event {
        rev,
        body: Body::Deleted,
        ..text(2, OTHER)
    };
    let mut rig = Rig::joined(3);
    rig.frame(ServerFrame::Event(deleted(2)));
    rig.frame(ServerFrame::Event(Event {
        rev: 1,
        ..text(2, OTHER)
    }));
    rig.frame(page(texts(1..=3), false, 3));
    assert_eq!(rig.room().entries()[1], deleted(2));
    assert_eq!(rig.seqs(), [1, 2, 3]);
    // Among those that wait too, and over a page that starts over.
    rig.frame(ServerFrame::Event(Event {
        rev: 1,
        body: Body::Deleted,
        ..text(5, OTHER)
    }));
    rig.frame(ServerFrame::Event(text(5, OTHER)));
    rig.frame(reset_page(texts(2..=4), true, 4));
    assert_eq!(rig.room().entries()[0].body, Body::Deleted);
    assert_eq!(rig.room().entries()[3].body, Body::Deleted);
    assert_eq!(rig.seqs(), [2, 3, 4, 5]);
}

#[test]
fn a_join_without_an_answer_is_asked_again() {
    let mut rig = Rig::live();
    rig.client.join(ROOM, rig.now);
    rig.frame(error(ErrorCode::TooFast, true, 700, Some(ROOM), None));
    assert!(
        rig.changes
            .iter()
            .all(|change| !matches!(change, Change::Error { .. }))
    );
    rig.clear();
    rig.advance(699);
    assert!(rig.sent().is_empty());
    rig.advance(1);
    assert_eq!(rig.sent(), [join(None)]);
    rig.advance(15_000);
    assert!(rig.sent().contains(&join(None)));
}

#[test]
fn a_room_that_is_not_for_us_is_gone_until_asked_for_again() {
    let mut rig = Rig::joined(3);
    rig.frame(error(ErrorCode::UnknownRoom, false, 0, Some(ROOM), None));
    assert!(rig.room().gone() && !rig.room().live() && rig.seqs().is_empty());
    assert!(rig.changes.contains(&Change::Room(ROOM)));
    rig.frame(ServerFrame::Event(text(4, OTHER)));
    assert!(rig.seqs().is_empty());
    assert!(rig.reconnect().is_empty());
    assert!(
        !rig.sent()
            .iter()
            .any(|frame| matches!(frame, ClientFrame::Join { .. }))
    );
    rig.client.join(ROOM, rig.now);
    assert_eq!(rig.sent(), [join(None)]);
    assert!(!rig.room().gone());
}

#[test]
fn leaving_drops_the_window() {
    let mut rig = Rig::joined(3);
    rig.client.leave(ROOM, rig.now);
    assert_eq!(rig.sent(), [ClientFrame::Leave { room: ROOM }]);
    assert!(rig.client.room(ROOM).is_none());
    rig.frame(ServerFrame::Event(text(4, OTHER)));
    rig.frame(page(texts(1..=4), false, 4));
    assert!(rig.client.room(ROOM).is_none());
    rig.client.join(ROOM, rig.now);
    rig.frame(page(texts(1..=2), false, 4));
    assert!(
        rig.seqs().is_empty(),
        "the late answer to an older question is not the join's"
    );
    rig.frame(live_page(texts(3..=4), true, 4));
    assert_eq!(rig.seqs(), [3, 4]);
}

#[test]
fn rooms_are_bounded() {
    let mut rig = Rig::live();
    for n in 0..64 {
        rig.client.join(id(100 + n), rig.now);
    }
    rig.clear();
    rig.client.join(id(200), rig.now);
    assert!(rig.sent().is_empty());
    assert!(
        rig.changes
            .iter()
            .any(|change| matches!(change, Change::Error { .. }))
    );
}

#[test]
fn the_window_is_bounded_and_stays_contiguous() {
    let mut rig = Rig::joined(1);
    for seq in 2..=2_300 {
        rig.frame(ServerFrame::Event(text(seq, OTHER)));
    }
    let seqs = rig.seqs();
    assert!(seqs.len() <= 2_000 && seqs.last() == Some(&2_300));
    assert!(
        seqs.iter()
            .zip(seqs.iter().skip(1))
            .all(|(before, after)| before + 1 == *after)
    );
    assert!(rig.room().more());
}

#[test]
fn absurd_numbers_do_no_harm() {
    let mut rig = Rig::joined(2);
    for seq in [0, u64::MAX, u64::MAX - 1] {
        rig.frame(ServerFrame::Event(text(seq, OTHER)));
    }
    rig.frame(page(
        vec![text(u64::MAX, OTHER), text(0, OTHER)],
        false,
        u64::MAX,
    ));
    rig.frame(beat(0, u64::MAX));
    assert_eq!(rig.seqs(), [1, 2]);
    rig.advance(30_000);
    rig.frame(live_page(texts(3..=3), false, 3));
    assert_eq!(rig.seqs(), [1, 2, 3]);
}

#[test]
fn the_tickets_state_follows_its_entries() {
    let happened = |seq, what| Event {
        body: Body::Happened {
            what,
            whom: None,
            until: None,
        },
        author: person(OTHER),
        ..text(seq, OTHER)
    };
    let mut rig = Rig::joined(1);
    for (seq, what, state) in [
        (2, Happening::Resolved, TicketState::Resolved),
        (3, Happening::Reopened, TicketState::Open),
    ] {
        rig.clear();
        rig.frame(ServerFrame::Event(happened(seq, what)));
        assert_eq!(
            rig.room().state().and_then(|state| state.ticket),
            Some(state)
        );
        assert_eq!(rig.client.rooms()[0].ticket, Some(state));
        assert_eq!(rig.client.rooms()[0].position, seq);
        assert!(rig.changes.contains(&Change::Rooms));
    }
}

#[test]
fn a_room_that_the_server_opens_by_itself_is_listed_but_not_joined() {
    let mut rig = Rig::live();
    rig.frame(live_page(texts(1..=2), false, 2));
    assert!(rig.changes.contains(&Change::Rooms));
    assert_eq!(rig.client.rooms().len(), 1);
    assert!(rig.client.room(ROOM).is_none());
    rig.frame(live_page(texts(1..=2), false, 2));
    assert_eq!(rig.client.rooms().len(), 1);
}
