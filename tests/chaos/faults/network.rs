//! What happens between clients and nodes.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use parlour_protocol::client::{Client, Link};
use parlour_protocol::frame::{Availability, Draft};
use parlour_protocol::{ClientFrame, Id, ServerFrame};
use parlour_tests::proxy::{Mode, Proxy, Target};
use parlour_tests::stage::Stage;
use parlour_tests::{Caller, Told, Visitor, Wire, id, within};

use super::{CACHES, nowhere};
use crate::fault::{Fault, Ground, Outcome, Resources};
use crate::setting::Setting;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "one node of two",
            limit: "the other's clients see all; its own move over within 5 s",
            excluded: alone,
            run: |ground| Box::pin(one_of_two(ground)),
        },
        Fault {
            name: "acknowledgement lost",
            limit: "0 doubled; whole: over 1,000 that are sent again",
            excluded: nowhere,
            run: |ground| Box::pin(answers_lost(ground)),
        },
        Fault {
            name: "half-open connection",
            limit: "let go within 2 heartbeats, 1 s and the closing's 2 s; the client within 2 and 2 s; presence offline 16 s later",
            excluded: nowhere,
            run: |ground| Box::pin(half_open(ground)),
        },
        Fault {
            name: "slow network",
            limit: "delayed by 200 ms, then 4 kB/s, then cut: back within 5 s",
            excluded: nowhere,
            run: |ground| Box::pin(slow_network(ground)),
        },
        Fault {
            name: "everybody reconnects",
            limit: "all back and caught up within 30 s; whole: 2,000 connections",
            excluded: nowhere,
            run: |ground| Box::pin(everybody(ground)),
        },
        Fault {
            name: "WebSockets blocked",
            limit: "refused at once; delivered within 10 s over streams and polls, asked for by hand",
            excluded: nowhere,
            run: |ground| Box::pin(blocked(ground)),
        },
    ]
}

/// Connections that fall silent at once.
const SILENT: usize = 30;
const BACK: Duration = Duration::from_secs(5);

fn alone(setting: &Setting) -> Option<&'static str> {
    (setting.nodes() < 2).then_some("several nodes need PostgreSQL and Redis")
}

/// The balancer sends the clients of a node that died to the other.
async fn one_of_two(ground: Ground) -> Outcome {
    let mut stage = Stage::begin(ground.setting.plan().behind_proxies()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    for round in 0..ground.setting.rounds(50, 4) {
        let (dead, other) = (round as usize % 2, 1 - round as usize % 2);
        stage.goes_on(100).await;
        stage.cluster[dead].kill().await;
        stage.fronts[dead].aim(Target::Tcp(stage.cluster[other].listens()));
        outcome.round(stage.recovers().await);
        stage.cluster[dead].start_again().await;
    }
    stage.recovers().await;
    before.compare(&stage, CACHES, &mut outcome).await;
    outcome.settle(stage, BACK).await
}

/// What is asked arrives, and what is answered does not.
async fn answers_lost(ground: Ground) -> Outcome {
    let plan = ground.setting.plan().busy().behind_proxies();
    let stage = Stage::begin(plan).await;
    let wanted = ground.setting.rounds(1_000, 100);
    let mut outcome = Outcome::default();
    let repeated = || -> u64 {
        let writers = stage.writers.iter();
        writers.map(|writer| writer.account().repeated).sum()
    };
    while repeated() < u64::from(wanted) {
        stage.goes_on(50).await;
        stage
            .fronts
            .iter()
            .for_each(|front| front.set(Mode::LoseAnswers));
        // Long enough for what is under way to be stored.
        tokio::time::sleep(Duration::from_millis(150)).await;
        join_all(stage.fronts.iter().map(|front| front.cut())).await;
        outcome.round(stage.recovers().await);
    }
    outcome.note("sent again", repeated());
    outcome.settle(stage, BACK).await
}

/// No packet arrives any more, and nobody is told.
async fn half_open(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    let (first, last) = (&stage.cluster[0], stage.cluster.nodes().last());
    let proxy = Proxy::before(first.listens()).await;
    let anna = Visitor::arrive(first, &stage.office.site).await;
    let ticket = anna.open("hello").await;
    let visitor = anna.tab_by(proxy.address()).await;
    anna.close();
    let agent = stage
        .office
        .owner
        .at(last.expect("a node"))
        .dashboard()
        .await;
    agent.join(ticket).await;
    agent
        .expect_presence_in(ticket, visitor.id(), Availability::Online)
        .await;
    let other = Visitor::arrive(first, &stage.office.site).await;
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        let upgrade = other.upgrade().by(proxy.address());
        let mut wire = Wire::open("silent", upgrade).await.expect("a socket");
        wire.hello().await;
        silent.push(wire);
    }
    proxy.set(Mode::Stall);
    let begun = Instant::now();
    let noticed = async {
        let lost = |brain: &Client| (brain.link() != Link::Live).then_some(());
        visitor.until("the loss to be noticed", lost).await;
        begun.elapsed()
    };
    let let_go = async {
        within("the end of the server's half", async {
            while Resources::of(&stage).descriptors() > before.descriptors() + SILENT / 10 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        begun.elapsed()
    };
    let (noticed, let_go) = tokio::join!(noticed, let_go);
    outcome.limit("noticed", noticed, Duration::from_millis(6_300));
    outcome.limit("let go", let_go, Duration::from_millis(7_500));
    let who = visitor.id();
    let offline = |brain: &Client| {
        let mut people = brain.room(ticket)?.state()?.people.iter();
        let gone = people.any(|known| known.who.id == who && known.state == Availability::Offline);
        gone.then_some(())
    };
    agent
        .until_within(Duration::from_secs(30), "the light to go out", offline)
        .await;
    outcome.limit("offline", begun.elapsed(), Duration::from_secs(5 + 17));
    proxy.set(Mode::Pass);
    let begun = Instant::now();
    visitor.command(|brain, now| brain.online(now));
    visitor.live().await;
    visitor.say("here again").await;
    agent.expect(ticket, "here again").await;
    stage.recovers().await;
    outcome.round(begun.elapsed());
    drop(silent);
    before.compare(&stage, CACHES, &mut outcome).await;
    [&*visitor, &*agent]
        .iter()
        .for_each(|person| person.close());
    outcome.settle(stage, Duration::from_secs(10)).await
}

async fn slow_network(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan().behind_proxies()).await;
    let mut outcome = Outcome::default();
    for _ in 0..ground.setting.rounds(5, 1) {
        for mode in [
            Mode::Delay(Duration::from_millis(200)),
            Mode::Trickle(4_000),
        ] {
            stage.goes_on(100).await;
            stage.fronts.iter().for_each(|front| front.set(mode));
            tokio::time::sleep(Duration::from_secs(3)).await;
            join_all(stage.fronts.iter().map(|front| front.cut())).await;
            outcome.round(stage.recovers().await);
        }
    }
    outcome.settle(stage, BACK).await
}

/// Every connection is cut at once; clients come back with the brain's back-off and jitter.
async fn everybody(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan().behind_proxies()).await;
    let mut outcome = Outcome::default();
    let count = ground.setting.rounds(2_000, 300) as usize;
    let visitor = Visitor::arrive(&stage.cluster[0], &stage.office.site).await;
    let ticket = visitor.open("hello").await;
    let nodes = stage.cluster.nodes();
    let mut tabs = Vec::new();
    while tabs.len() < count {
        let opening = (0..20).map(|number| visitor.tab_at(&nodes[number % nodes.len()]));
        tabs.extend(join_all(opening).await);
    }
    let mut agent = stage.office.owner.clone();
    agent.browser = agent.browser.past_proxy(&nodes[0]);
    let agent = agent.dashboard().await;
    agent.join(ticket).await;
    for round in 0..ground.setting.rounds(3, 1) {
        join_all(stage.fronts.iter().map(|front| front.cut())).await;
        let begun = Instant::now();
        let text = format!("welcome back, the {round}. time");
        agent.say_in(ticket, &text).await;
        let has = |brain: &Client| {
            let room = brain.room(ticket)?;
            let mut entries = room.entries().iter();
            let live = brain.link() == Link::Live && room.live();
            (live && entries.any(|entry| parlour_tests::actor::text_of(entry) == text))
                .then_some(())
        };
        let patience = Duration::from_secs(60);
        let waiting = tabs
            .iter()
            .map(|tab| tab.until_within(patience, "the news", &has));
        join_all(waiting).await;
        outcome.round(begun.elapsed());
        stage.recovers().await;
    }
    outcome.note("connections", count);
    agent.close();
    tabs.iter().for_each(|tab| tab.close());
    outcome.settle(stage, Duration::from_secs(30)).await
}

/// A proxy that does not know WebSocket: requests, streams and polls go through it.
async fn blocked(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    let (first, last) = (&stage.cluster[0], stage.cluster.nodes().last());
    let proxy = Proxy::before(first.listens()).await;
    proxy.set(Mode::StripUpgrade);
    let visitor = Visitor::arrive(first, &stage.office.site).await;
    let ticket = visitor.open("hello").await;
    visitor.close();
    let agent = stage
        .office
        .owner
        .at(last.expect("a node"))
        .dashboard()
        .await;
    agent.join(ticket).await;
    let upgrade = visitor.upgrade().by(proxy.address());
    let refused = Wire::try_open("blocked", upgrade, BACK).await.err();
    outcome.expect(
        refused.is_some_and(|status| status >= 400),
        &format!("the socket was answered with {refused:?}"),
    );
    let mut caller = Caller::visitor(&visitor);
    caller.address = proxy.address();
    let mut seq = 1;
    for round in 0..ground.setting.rounds(20, 3) {
        for polls in [false, true] {
            let text = format!("answer {round}");
            let begun = Instant::now();
            tokio::join!(
                agent.say_in(ticket, &text),
                hear(&caller, polls, (ticket, seq)),
            );
            outcome.round(begun.elapsed());
            let cid = id();
            let text = format!("question {round}");
            let answers = caller
                .execute(&[ClientFrame::Send {
                    room: ticket,
                    seen: seq,
                    messages: vec![Draft { cid, text }],
                    open: None,
                }])
                .await;
            outcome.expect(answers[0]["t"] == "ack", &format!("{answers:?}"));
            agent
                .expect_entry(ticket, "the question", |event| event.cid == cid)
                .await;
            seq += 2;
        }
    }
    agent.close();
    outcome.settle(stage, Duration::from_secs(10)).await
}

/// Listens until something above the cursor is told; polls end, and are asked for again.
async fn hear(caller: &Caller, polls: bool, cursor: (Id, u64)) {
    let mut known: Option<String> = None;
    within("the answer", async {
        loop {
            let mut events = if polls {
                caller.poll(known.as_deref(), &[cursor]).await
            } else {
                caller.stream(&[cursor], &[]).await
            };
            loop {
                match events.next().await {
                    Told::Frame(frame) if above(&frame, cursor.1) => return,
                    Told::Frame(_) => {}
                    Told::Ended => break,
                    end => panic!("{end:?} after {}", events.received),
                }
            }
            known = events.known.clone();
        }
    })
    .await;
}

/// Whether a frame tells of an entry above this number.
fn above(frame: &ServerFrame, seq: u64) -> bool {
    let events = match frame {
        ServerFrame::Event(event) => std::slice::from_ref(event),
        ServerFrame::Page { events, .. } => events,
        _ => &[],
    };
    events.iter().any(|event| event.seq > seq)
}
