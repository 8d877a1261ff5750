//! Messages go out once each, in order, whatever happens to their answers.

use crate::rig::{ME, OTHER, ROOM, Rig, ack, error, id, live_page, own, page, sends, text, texts};
use parlour_protocol::client::{
    Change, Client, Options, Output, Pending, PendingState, Saved, SendError,
};
use parlour_protocol::frame::{Ack, ErrorCode, View};
use parlour_protocol::{ClientFrame, Id, ServerFrame};

const A: Id = id(50);
const B: Id = id(51);
const C: Id = id(52);

fn states(rig: &Rig) -> Vec<(Id, PendingState)> {
    rig.room()
        .pending()
        .iter()
        .map(|pending| (pending.cid, pending.state))
        .collect()
}

#[test]
fn a_burst_goes_one_by_one_then_together() {
    let mut rig = Rig::joined(1);
    for cid in [A, B, C] {
        rig.say(cid, "hi");
    }
    assert_eq!(sends(&rig.sent()), [vec![A]]);
    rig.frame(ack(&[(A, 2)]));
    assert_eq!(sends(&rig.sent()), [vec![B, C]]);
    assert!(rig.rest.contains(&Output::Unsave(A)));
}

#[test]
fn acknowledgement_and_echo_in_either_order_show_it_once() {
    for echo_first in [true, false] {
        let mut rig = Rig::joined(1);
        rig.say(A, "hi");
        rig.say(B, "ho");
        rig.clear();
        let mut frames = [ServerFrame::Event(own(2, A)), ack(&[(A, 2)])];
        if !echo_first {
            frames.reverse();
        }
        let [first, second] = frames;
        rig.frame(first);
        assert_eq!(
            rig.pending().contains(&A),
            !echo_first,
            "it stays visible until its entry is there"
        );
        assert_eq!(
            sends(&rig.sent()).is_empty(),
            echo_first,
            "the next waits for the acknowledgement"
        );
        rig.frame(second);
        assert_eq!(rig.seqs(), [1, 2]);
        assert_eq!(rig.pending(), [B]);
        let unsaved = rig
            .rest
            .iter()
            .filter(|output| **output == Output::Unsave(A))
            .count();
        assert_eq!(unsaved, 1);
        rig.frame(ack(&[(A, 2)]));
        rig.frame(ServerFrame::Event(own(2, A)));
        assert_eq!(rig.seqs(), [1, 2]);
    }
}

#[test]
fn an_acknowledgement_whose_entry_is_lost_is_repaired() {
    let mut rig = Rig::joined(1);
    rig.say(A, "hi");
    rig.frame(ack(&[(A, 2)]));
    rig.clear();
    rig.advance(250);
    assert!(rig.sent().contains(&ClientFrame::History {
        room: ROOM,
        before: 0,
        after: 1
    }));
    rig.frame(page(vec![own(2, A)], true, 2));
    assert!(rig.pending().is_empty());
    assert_eq!(rig.seqs(), [1, 2]);
}

#[test]
fn a_lost_acknowledgement_is_sent_again_under_the_same_id() {
    let mut rig = Rig::joined(1);
    rig.say(A, "hi");
    rig.say(B, "ho");
    rig.reconnect();
    assert_eq!(
        sends(&rig.sent()),
        [vec![A, B]],
        "at once, also before the room is live"
    );
    let acks = vec![
        Ack {
            cid: A,
            seq: 2,
            at: 0,
            dup: true,
        },
        Ack {
            cid: B,
            seq: 3,
            at: 0,
            dup: false,
        },
    ];
    rig.frame(ServerFrame::Ack { room: ROOM, acks });
    rig.frame(live_page(vec![own(2, A), own(3, B)], true, 3));
    assert_eq!(rig.seqs(), [1, 2, 3]);
    assert!(rig.pending().is_empty());
}

#[test]
fn what_was_acknowledged_or_seen_is_not_sent_again() {
    let mut rig = Rig::joined(1);
    rig.say(A, "acknowledged");
    rig.frame(ack(&[(A, 2)]));
    rig.say(B, "seen above a hole");
    rig.frame(ServerFrame::Event(own(3, B)));
    rig.say(C, "neither");
    rig.clear();
    rig.reconnect();
    assert_eq!(sends(&rig.sent()), [vec![C]]);
    assert_eq!(rig.pending(), [A, B, C]);
    rig.frame(live_page(vec![own(2, A), own(3, B)], true, 3));
    assert_eq!(rig.pending(), [C]);
}

#[test]
fn no_acknowledgement_for_long_means_a_dead_connection() {
    let mut rig = Rig::joined(1);
    rig.say(A, "hi");
    rig.clear();
    rig.advance(14_999);
    assert!(rig.rest.is_empty());
    rig.advance(1);
    assert_eq!(rig.rest, [Output::Close(1006)]);
    assert_eq!(states(&rig), [(A, PendingState::Waiting)]);
}

#[test]
fn what_was_seen_to_be_stored_cannot_be_refused() {
    let mut rig = Rig::joined(1);
    rig.say(A, "hi");
    // Above a hole, so that it is not shown yet.
    rig.frame(ServerFrame::Event(own(3, A)));
    rig.frame(error(ErrorCode::TooLong, false, 0, Some(ROOM), Some(A)));
    assert_eq!(states(&rig), [(A, PendingState::Sending)]);
    rig.frame(page(vec![text(2, id(3)), own(3, A)], true, 3));
    assert_eq!(rig.seqs(), [1, 2, 3]);
    assert!(rig.room().pending().is_empty());
}

#[test]
fn a_refused_message_fails_alone() {
    let mut rig = Rig::joined(1);
    for cid in [A, B, C] {
        rig.say(cid, "hi");
    }
    rig.frame(ack(&[(A, 2)]));
    rig.clear();
    rig.frame(error(ErrorCode::TooLong, false, 0, Some(ROOM), Some(B)));
    assert!(rig.changes.contains(&Change::Error {
        code: ErrorCode::TooLong,
        room: Some(ROOM),
        cid: Some(B)
    }));
    assert_eq!(sends(&rig.sent()), [vec![C]]);
    rig.frame(error(ErrorCode::TooLong, false, 0, Some(ROOM), Some(B)));
    assert!(
        rig.sent().is_empty(),
        "the same refusal again refers to nothing"
    );
    rig.frame(ServerFrame::Event(own(2, A)));
    rig.frame(ack(&[(C, 3)]));
    rig.frame(ServerFrame::Event(own(3, C)));
    assert_eq!(
        states(&rig),
        [(B, PendingState::Failed(ErrorCode::TooLong))]
    );
    rig.client.retry(B, rig.now);
    assert_eq!(sends(&rig.sent()), [vec![B]]);
    assert_eq!(rig.client.discard(B), None, "it is with the server");
    rig.frame(error(ErrorCode::TooLong, false, 0, Some(ROOM), Some(B)));
    assert_eq!(rig.client.discard(B).as_deref(), Some("hi"));
    assert!(rig.room().pending().is_empty());
    rig.client.retry(B, rig.now);
    assert!(rig.sent().is_empty());
}

#[test]
fn overload_is_waited_for() {
    for code in [ErrorCode::TooFast, ErrorCode::Unavailable] {
        let mut rig = Rig::joined(1);
        rig.say(A, "hi");
        rig.say(B, "ho");
        rig.clear();
        rig.frame(error(code, true, 2_000, Some(ROOM), Some(A)));
        assert_eq!(
            states(&rig),
            [(A, PendingState::Waiting), (B, PendingState::Waiting)]
        );
        rig.advance(1_999);
        assert!(rig.sent().is_empty());
        rig.advance(1);
        assert_eq!(sends(&rig.sent()), [vec![A, B]]);
        // Without a delay of the server's, with back-off.
        rig.frame(error(code, true, 0, Some(ROOM), Some(A)));
        rig.advance(49);
        assert!(rig.sent().is_empty());
        rig.advance(1_000);
        assert_eq!(sends(&rig.sent()), [vec![A, B]]);
    }
}

#[test]
fn too_fast_for_anything_else_is_no_ones_business() {
    let mut rig = Rig::joined(1);
    rig.say(A, "hi");
    rig.clear();
    rig.frame(error(ErrorCode::TooFast, true, 100, Some(ROOM), None));
    rig.frame(error(ErrorCode::TooFast, true, 100, None, None));
    assert!(rig.changes.is_empty());
    assert_eq!(states(&rig), [(A, PendingState::Sending)]);
}

#[test]
fn bad_messages_are_not_taken() {
    let mut rig = Rig::joined(1);
    let mut send = |cid, text: String| rig.client.send(ROOM, cid, text, None, rig.now);
    assert_eq!(send(A, " \n\t".into()), Err(SendError::Empty));
    assert_eq!(send(A, "ü".repeat(8_001)), Err(SendError::TooLong));
    assert_eq!(send(A, "ü".repeat(8_000)), Ok(()));
    assert_eq!(send(A, "again".into()), Ok(()));
    for n in 60..109 {
        assert_eq!(send(id(n), "hi".into()), Ok(()));
    }
    assert_eq!(send(B, "hi".into()), Err(SendError::Full));
    assert_eq!(rig.room().pending().len(), 50);
}

#[test]
fn a_frame_stays_below_its_limit() {
    let mut rig = Rig::joined(1);
    let long = "\u{1}".repeat(8_000);
    for cid in [A, B, C] {
        rig.say(cid, &long);
    }
    rig.clear();
    rig.frame(ack(&[(A, 2)]));
    assert_eq!(
        sends(&rig.sent()),
        [vec![B]],
        "two of them would be 96 kB of JSON"
    );
    for n in 60..80 {
        rig.say(id(n), "short");
    }
    rig.frame(ack(&[(B, 3)]));
    assert_eq!(
        sends(&rig.sent()),
        [[vec![C], (60..75).map(id).collect()].concat()]
    );
}

#[test]
fn the_outbox_survives_a_reload() {
    let mut rig = Rig::joined(1);
    rig.say(A, "sent, not acknowledged");
    rig.say(B, "waits");
    rig.drain();
    let saved: Vec<Pending> = rig
        .rest
        .iter()
        .filter_map(|output| match output {
            Output::Save(pending) => Some(pending.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        saved.iter().map(|pending| pending.cid).collect::<Vec<_>>(),
        [A, B]
    );

    let mut again = Rig::new();
    again.client = Client::new(Options {
        view: View::Runs,
        seed: 1,
        outbox_limit: 50,
    });
    let outbox = [saved.clone(), saved].concat();
    again.client.restore(
        Saved {
            epoch: Some(id(9)),
            outbox,
        },
        again.now,
    );
    assert_eq!(again.pending(), [A, B]);
    again.client.join(ROOM, again.now);
    again.connect();
    let sent = again.sent();
    assert!(matches!(sent[0], ClientFrame::Hello { epoch: Some(epoch), .. } if epoch == id(9)));
    assert_eq!(sends(&sent), [vec![A, B]]);
    // The first one had been stored after all.
    again.frame(live_page(vec![text(1, OTHER), own(2, A)], false, 2));
    assert_eq!(again.pending(), [B]);
    assert_eq!(again.room().entries()[1].author.id, ME);
}

#[test]
fn a_message_to_a_room_that_was_left_is_still_sent() {
    let mut rig = Rig::joined(1);
    rig.client.closed(rig.now, 1006);
    rig.say(A, "hi");
    rig.client.leave(ROOM, rig.now);
    assert_eq!(rig.pending(), [A]);
    rig.clear();
    rig.connect();
    let sent = rig.sent();
    assert_eq!(sends(&sent), [vec![A]]);
    assert!(
        !sent
            .iter()
            .any(|frame| matches!(frame, ClientFrame::Join { .. }))
    );
    rig.frame(ack(&[(A, 2)]));
    assert!(rig.client.room(ROOM).is_none());
    assert!(rig.rest.contains(&Output::Unsave(A)));
}

/// What was on screen when it was written goes with a message, also when more is read before it is
/// sent; sent again, it goes with what the author has before her then.
#[test]
fn a_message_goes_with_what_its_author_had_seen() {
    fn seen(frames: &[ClientFrame]) -> Vec<u64> {
        let seen = |frame: &ClientFrame| match frame {
            ClientFrame::Send { seen, .. } => Some(*seen),
            _ => None,
        };
        frames.iter().filter_map(seen).collect()
    }
    let mut rig = Rig::joined(1);
    rig.client.seen(ROOM, 1, rig.now);
    rig.say(A, "hi");
    rig.say(B, "ho");
    assert_eq!(seen(&rig.sent()), [1]);
    rig.frame(ServerFrame::Event(text(2, OTHER)));
    rig.client.seen(ROOM, 2, rig.now);
    rig.frame(error(ErrorCode::Unseen, false, 0, Some(ROOM), Some(A)));
    assert_eq!(seen(&rig.sent()), [1], "B was written before 2 was read");
    rig.frame(error(ErrorCode::Unseen, false, 0, Some(ROOM), Some(B)));
    let failed = PendingState::Failed(ErrorCode::Unseen);
    assert_eq!(states(&rig), [(A, failed), (B, failed)]);
    rig.clear();
    rig.client.retry(A, rig.now);
    assert_eq!(seen(&rig.sent()), [2]);
}

#[test]
fn another_tab_may_have_sent_it() {
    let mut rig = Rig::new();
    let waiting = |cid| Pending {
        room: ROOM,
        cid,
        text: "hi".into(),
        open: None,
        seen: 0,
        state: PendingState::Sending,
    };
    rig.client.restore(
        Saved {
            epoch: None,
            outbox: vec![waiting(A), waiting(B)],
        },
        rig.now,
    );
    rig.client.join(ROOM, rig.now);
    rig.frame(live_page(Vec::new(), false, 0));
    rig.connect();
    rig.frame(live_page(texts(1..=1), false, 1));
    rig.clear();
    rig.frame(ServerFrame::Event(own(2, A)));
    assert_eq!(rig.pending(), [B]);
    assert!(rig.rest.contains(&Output::Unsave(A)));
}
