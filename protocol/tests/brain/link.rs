//! The life of a connection.

use crate::rig::{HEARTBEAT, Rig, beat, id, person, welcome};
use parlour_protocol::client::{Change, Link, Output};
use parlour_protocol::frame::{Availability, ErrorCode, Presence};
use parlour_protocol::{ClientFrame, ServerFrame, close};

fn delay(rig: &Rig) -> u64 {
    match rig.client.link() {
        Link::Waiting { until } => until - rig.now,
        other => panic!("expected a wait, found {other:?}"),
    }
}

#[test]
fn hello_is_the_first_frame_and_welcome_makes_it_live() {
    let mut rig = Rig::new();
    rig.client.start(rig.now);
    rig.drain();
    assert_eq!(rig.rest, [Output::Connect]);
    assert_eq!(rig.client.link(), Link::Connecting);
    rig.client.opened(rig.now);
    assert!(
        matches!(rig.sent().as_slice(), [ClientFrame::Hello { v: 1, cursors, epoch: None, .. }] if cursors.is_empty())
    );
    rig.frame(welcome(id(9), Vec::new()));
    assert_eq!(rig.client.link(), Link::Live);
    assert_eq!(rig.client.me(), Some(&person(id(1))));
    assert_eq!(rig.client.server_time(rig.now + 5), 1_005_000);
    assert!(rig.rest.contains(&Output::SaveEpoch(id(9))));
}

#[test]
fn every_close_code_has_its_reaction() {
    enum After {
        Stop,
        Now { renew: bool },
        Wait,
    }
    for (code, after) in [
        (close::PROTOCOL, After::Stop),
        (close::BAD_FRAME, After::Stop),
        (close::TOO_LARGE, After::Stop),
        (close::FORBIDDEN, After::Stop),
        (close::UNAUTHORIZED, After::Now { renew: true }),
        (close::TOO_SLOW, After::Now { renew: false }),
        (close::RESTART, After::Wait),
        (close::OVER_LIMIT, After::Wait),
        (close::AWAY, After::Wait),
        (close::LOST, After::Wait),
        (4999, After::Wait),
    ] {
        let mut rig = Rig::live();
        rig.client.closed(rig.now, code);
        rig.drain();
        match after {
            After::Stop => {
                assert_eq!(rig.client.link(), Link::Stopped { code });
                assert_eq!(rig.client.next_timer(), None);
                assert!(rig.rest.is_empty());
            }
            After::Now { renew } => {
                assert_eq!(rig.client.link(), Link::Connecting, "{code}");
                assert_eq!(rig.rest.contains(&Output::Renew), renew);
                // A second time in a row it waits: coming back at once did not help.
                rig.client.closed(rig.now, code);
                assert!(delay(&rig) >= 50);
            }
            After::Wait => {
                assert!((50..=500).contains(&delay(&rig)), "{code}");
                assert!(rig.rest.is_empty());
            }
        }
    }
}

#[test]
fn back_off_grows_to_its_bound_with_jitter_and_ends_with_a_steady_connection() {
    let mut rig = Rig::live();
    rig.client.closed(rig.now, close::LOST);
    let mut delays = Vec::new();
    for _ in 0..40 {
        delays.push(delay(&rig));
        rig.advance(delay(&rig));
        assert_eq!(rig.client.link(), Link::Connecting);
        rig.client.closed(rig.now, close::LOST);
    }
    for (tries, delay) in delays.iter().enumerate() {
        assert!(*delay <= (500 << tries.min(6)).min(30_000), "{delays:?}");
    }
    assert!(delays.iter().any(|delay| *delay > 15_000), "{delays:?}");
    let distinct: std::collections::BTreeSet<_> = delays.iter().collect();
    assert!(distinct.len() > 20, "{delays:?}");

    rig.connect();
    rig.client.closed(rig.now + 1_000, close::LOST);
    assert!(
        delay(&rig) > 1_000,
        "a short life does not end the back-off"
    );
    rig.connect();
    rig.now += 6_000;
    rig.client.closed(rig.now, close::LOST);
    assert!(delay(&rig) <= 500);
}

#[test]
fn the_delay_of_bye_is_obeyed() {
    for code in [close::RESTART, close::OVER_LIMIT, close::AWAY] {
        let mut rig = Rig::live();
        rig.frame(ServerFrame::Bye {
            reason: "restart".into(),
            after: 7_000,
        });
        rig.client.closed(rig.now, code);
        assert_eq!(delay(&rig), 7_000);
    }
    let mut rig = Rig::live();
    rig.frame(ServerFrame::Bye {
        reason: "limit".into(),
        after: u32::MAX,
    });
    rig.client.closed(rig.now, close::OVER_LIMIT);
    assert_eq!(delay(&rig), 300_000);
}

#[test]
fn no_welcome_in_time_is_a_failure() {
    let mut rig = Rig::new();
    rig.client.start(rig.now);
    rig.client.opened(rig.now);
    rig.clear();
    rig.advance(4_999);
    assert_eq!(rig.client.link(), Link::Connecting);
    rig.advance(1);
    assert_eq!(rig.rest, [Output::Close(close::LOST)]);
    assert!(matches!(rig.client.link(), Link::Waiting { .. }));
}

#[test]
fn a_token_that_never_comes_is_a_failure() {
    let mut rig = Rig::new();
    rig.client.start(rig.now);
    rig.advance(20_000);
    assert!(rig.rest.contains(&Output::Close(close::LOST)));
}

#[test]
fn heartbeats_are_answered_and_silence_is_death() {
    let mut rig = Rig::live();
    for _ in 0..3 {
        rig.advance(u64::from(HEARTBEAT));
        rig.frame(beat(0, 0));
        assert_eq!(rig.sent(), [ClientFrame::Ping { n: 0, active: true }]);
    }
    rig.frame(beat(0, 0));
    assert!(
        rig.sent().is_empty(),
        "a server that answers answers must not make us spin"
    );
    rig.client.active(false, rig.now);
    assert_eq!(
        rig.sent(),
        [ClientFrame::Ping {
            n: 0,
            active: false
        }]
    );
    rig.advance(2 * u64::from(HEARTBEAT) + 1_999);
    assert_eq!(rig.client.link(), Link::Live);
    rig.advance(1);
    assert!(matches!(
        rig.client.link(),
        Link::Waiting { .. } | Link::Connecting
    ));
    assert!(rig.rest.contains(&Output::Close(close::LOST)));
}

#[test]
fn online_tries_at_once_and_probes_what_seems_open() {
    let mut rig = Rig::live();
    rig.client.online(rig.now);
    rig.client.online(rig.now);
    assert_eq!(rig.sent(), [ClientFrame::Ping { n: 1, active: true }]);
    rig.frame(beat(1, 0));
    assert!(
        rig.sent().is_empty(),
        "the answer to a probe is not answered"
    );
    rig.advance(10_000);
    assert_eq!(rig.client.link(), Link::Live);
    rig.client.online(rig.now);
    rig.clear();
    rig.advance(5_000);
    assert_eq!(rig.rest.first(), Some(&Output::Close(close::LOST)));

    rig.client.closed(rig.now, close::LOST);
    rig.clear();
    if let Link::Waiting { .. } = rig.client.link() {
        rig.client.online(rig.now);
        rig.drain();
        assert_eq!(rig.rest, [Output::Connect]);
    }
    assert_eq!(rig.client.link(), Link::Connecting);
}

#[test]
fn stop_is_final_until_start() {
    let mut rig = Rig::live();
    rig.client.stop(rig.now);
    rig.client.stop(rig.now);
    rig.drain();
    assert_eq!(rig.rest, [Output::Close(close::AWAY)]);
    assert_eq!(rig.client.link(), Link::Idle);
    assert_eq!(rig.client.next_timer(), None);
    rig.client.closed(rig.now, close::LOST);
    rig.client.online(rig.now);
    rig.client.opened(rig.now);
    rig.frame(welcome(id(9), Vec::new()));
    assert_eq!(rig.client.link(), Link::Idle);
    rig.client.start(rig.now);
    assert_eq!(rig.client.link(), Link::Connecting);
}

#[test]
fn frames_before_the_welcome_are_not_taken() {
    let mut rig = Rig::new();
    rig.client.start(rig.now);
    rig.frame(welcome(id(9), Vec::new()));
    assert_eq!(
        rig.client.link(),
        Link::Connecting,
        "the socket was not open"
    );
    rig.client.opened(rig.now);
    rig.clear();
    rig.frame(beat(0, 5));
    assert!(rig.sent().is_empty());
}

#[test]
fn a_token_is_renewed_in_the_connection() {
    let mut rig = Rig::live();
    rig.frame(crate::rig::error(
        ErrorCode::Unauthorized,
        true,
        0,
        None,
        None,
    ));
    assert_eq!(rig.rest, [Output::Renew]);
    rig.client.renewed("new".into(), rig.now);
    assert_eq!(
        rig.sent(),
        [ClientFrame::Auth {
            token: "new".into()
        }]
    );
    rig.client.closed(rig.now, close::LOST);
    rig.client.renewed("newer".into(), rig.now);
    assert!(rig.sent().is_empty());
}

#[test]
fn presence_is_kept() {
    let mut rig = Rig::live();
    for state in [Availability::Online, Availability::Offline] {
        let presence = Presence {
            who: person(id(2)),
            state,
        };
        rig.frame(ServerFrame::Presence(presence.clone()));
        assert_eq!(rig.client.people(), std::slice::from_ref(&presence));
        assert!(rig.changes.contains(&Change::Presence(presence)));
    }
}
