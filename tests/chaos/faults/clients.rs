//! What clients do that read too little, or send what they should not.

use std::time::{Duration, Instant};

use parlour_protocol::limits::MAX_FRAME;
use parlour_protocol::{ClientFrame, Id, ServerFrame, VERSION, close};
use parlour_tests::stage::Stage;
use parlour_tests::wire::{Upgrade, raw};
use parlour_tests::{Heard, Visitor, Wire, id};

use super::nowhere;
use crate::fault::{Fault, Ground, Outcome, Resources};

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "slow consumer",
            limit: "100 that read nothing: others' p99 at most 1.5 times (best of 8 rounds), at most 1 MiB each, all delivered on return",
            excluded: nowhere,
            run: |ground| Box::pin(slow(ground)),
        },
        Fault {
            name: "bad frames",
            limit: "closed with 1002, 1003, 1007 or 1009; 0 restarts; others' back within 5 s",
            excluded: nowhere,
            run: |ground| Box::pin(bad_frames(ground)),
        },
        Fault {
            name: "old page, new server",
            limit: "an unknown version is told to load the page again, unknown fields are skipped; 0 lost",
            excluded: nowhere,
            run: |ground| Box::pin(old_page(ground)),
        },
    ]
}

const BACK: Duration = Duration::from_secs(5);

/// Messages of one measurement, and the time between two.
const SAMPLES: usize = 200;
const PACE: Duration = Duration::from_millis(6);

/// The 99th percentile of the time from a message to its acknowledgement.
async fn p99(wire: &mut Wire, room: Id) -> Duration {
    let mut times = Vec::with_capacity(SAMPLES);
    let mut ticks = tokio::time::interval(PACE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for _ in 0..SAMPLES {
        ticks.tick().await;
        let begun = Instant::now();
        wire.say(room, &[(id(), "x")], false).await;
        wire.ack().await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times[SAMPLES * 99 / 100 - 1]
}

/// Writes long texts into a room, about as long as it is measured; how many.
async fn fill(wire: &mut Wire, room: Id) -> u64 {
    const BATCHES: u64 = 24;
    let text = "x".repeat(3_900);
    let mut ticks = tokio::time::interval(PACE * SAMPLES as u32 / BATCHES as u32);
    for _ in 0..BATCHES {
        ticks.tick().await;
        let batch: Vec<(Id, &str)> = (0..16).map(|_| (id(), text.as_str())).collect();
        wire.say(room, &batch, false).await;
        wire.ack().await;
    }
    BATCHES * 16
}

/// Readers who take nothing in, in a room that fills with long texts.
async fn slow(ground: Ground) -> Outcome {
    // Who is waited for in turn is not to be given up for her silence.
    let plan = ground.setting.plan().set("PARLOUR_HEARTBEAT_MS", 60_000);
    let stage = Stage::begin(plan).await;
    let mut outcome = Outcome::default();
    let (node, office) = (&stage.cluster[0], &stage.office);
    let mut rooms = Vec::new();
    let mut wires = Vec::new();
    // The room with slow readers, one without, and one aside.
    for _ in 0..3 {
        let visitor = Visitor::arrive(node, &office.site).await;
        rooms.push(visitor.open("before").await);
        wires.push(Wire::of(&visitor).await);
        visitor.close();
    }
    let [crowded, empty, aside] = wires.as_mut_slice() else {
        unreachable!("three were made")
    };
    p99(aside, rooms[2]).await;
    let before = Resources::of(&stage);
    let count = ground.setting.rounds(100, 30);
    let mut owner = office.owner.clone();
    let mut slow = Vec::new();
    for _ in 0..count {
        let token = owner.token().await;
        let upgrade = Upgrade::new(node.address(), &node.origin(), &token);
        let mut wire = Wire::deaf("slow reader", upgrade).await;
        wire.join(rooms[0], None).await;
        slow.push(wire);
    }
    let (mut best, mut sent, mut most) = (f64::INFINITY, 1, 0);
    for round in 0..8 {
        // Three rounds are more than what the system keeps for a socket.
        if round >= 3 && best <= 1.5 {
            break;
        }
        let (_, quiet) = tokio::join!(fill(empty, rooms[1]), p99(aside, rooms[2]));
        let (more, hurt) = tokio::join!(fill(crowded, rooms[0]), p99(aside, rooms[2]));
        sent += more;
        best = f64::min(best, hurt.as_secs_f64() / quiet.as_secs_f64());
        most = most.max(Resources::of(&stage).memory());
        outcome.round(Duration::ZERO);
    }
    let each = most.saturating_sub(before.memory()) / u64::from(count) / 1_024;
    outcome.note("p99 times", format!("{best:.2}"));
    outcome.note("KiB each", each);
    outcome.expect(best <= 1.5, &format!("p99 rose {best:.2} times at best"));
    outcome.expect(each <= 1_024, &format!("{each} KiB each"));
    let mut closed = 0;
    for mut wire in slow {
        let back = all_delivered(&mut wire, rooms[0], sent, &mut owner, &mut outcome).await;
        closed += u32::from(back);
    }
    outcome.note("came back", closed);
    outcome.settle(stage, BACK).await
}

/// Reads what there is, and comes back for the rest if it was closed; whether it was.
async fn all_delivered(
    wire: &mut Wire,
    room: Id,
    newest: u64,
    owner: &mut parlour_tests::Colleague,
    outcome: &mut Outcome,
) -> bool {
    let mut seen = 0;
    loop {
        match wire.next_within(Duration::from_secs(20)).await {
            Heard::Frame(ServerFrame::Event(event)) => seen = event.seq,
            Heard::Frame(ServerFrame::Page { position, .. }) => seen = position,
            Heard::Frame(_) => {}
            Heard::Closed(code) => {
                // 1006: it took nothing, not even the closing.
                let allowed = [close::TOO_SLOW, close::LOST, close::AWAY];
                outcome.expect(allowed.contains(&code), &format!("closed with {code}"));
                break;
            }
        }
        if seen == newest {
            return false;
        }
    }
    let mut wire = owner.wire().await;
    wire.join(room, Some(seen)).await;
    wire.until("all of it", |frame| {
        matches!(frame, ServerFrame::Page { position, live: Some(_), .. } if *position == newest)
            .then_some(())
    })
    .await;
    true
}

/// What is no WebSocket, and frames in pieces, from one visitor while others write.
async fn bad_frames(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    let visitor = Visitor::arrive(&stage.cluster[0], &stage.office.site).await;
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    let pids = || -> Vec<u32> {
        stage
            .cluster
            .nodes()
            .iter()
            .map(|node| node.pid())
            .collect()
    };
    let running = pids();
    for _ in 0..ground.setting.rounds(20, 2) {
        for (what, code, bytes) in raw::none() {
            let mut wire = Wire::of(&visitor).await;
            wire.bytes(&bytes).await;
            let (closed, _) = wire.closed().await;
            outcome.expect(closed == code, &format!("{what} was closed with {closed}"));
        }
        let mut wire = Wire::of(&visitor).await;
        let largest = vec![b' '; MAX_FRAME - 21];
        let pieces = [
            raw::frame(0x01, b"{\"t\":\"ping\","),
            raw::frame(0x89, b"between"),
            raw::frame(0x00, &largest),
            raw::frame(0x80, b"\"n\":5}"),
        ];
        wire.bytes(&pieces.concat()).await;
        wire.until("the answer to a frame in pieces", |frame| {
            matches!(frame, ServerFrame::Beat { n: 5, .. }).then_some(())
        })
        .await;
        outcome.round(stage.recovers().await);
    }
    outcome.expect(running == pids(), "a server was restarted");
    before.compare(&stage, 0, &mut outcome).await;
    outcome.settle(stage, BACK).await
}

/// A page that was loaded before an upgrade, or after the one of another node.
async fn old_page(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    let visitor = Visitor::arrive(&stage.cluster[0], &stage.office.site).await;
    for v in [0, VERSION + 1] {
        let mut wire = Wire::open("old page", visitor.upgrade())
            .await
            .expect("a socket");
        wire.send(&ClientFrame::Hello {
            v,
            view: Default::default(),
            epoch: None,
            cursors: Vec::new(),
        })
        .await;
        let (code, before) = wire.closed().await;
        let told = before.iter().any(
            |frame| matches!(frame, ServerFrame::Error { message, retry: false, .. } if message.contains("load the page again")),
        );
        outcome.expect(
            told && code == close::BAD_FRAME,
            &format!("version {v} was closed with {code}"),
        );
    }
    let mut wire = Wire::open("newer page", visitor.upgrade())
        .await
        .expect("a socket");
    wire.text("{\"t\":\"hello\",\"v\":1,\"later\":{\"a\":[1,2,{}]},\"view\":\"runs\"}")
        .await;
    wire.text("{\"more\":null,\"t\":\"ping\",\"n\":77}").await;
    wire.until("the answer", |frame| {
        matches!(frame, ServerFrame::Beat { n: 77, .. }).then_some(())
    })
    .await;
    outcome.round(stage.recovers().await);
    outcome.settle(stage, BACK).await
}
