//! Whatever is lost, doubled, swapped or cut: all clients end with the server's transcript.

use crate::model::Refusal;
use crate::world::{TEAM, TICKET, World};
use parlour_protocol::{Id, close};
use proptest::prelude::*;

/// A step of a run. `client` and the other numbers are taken modulo what is there.
#[derive(Clone, Debug)]
enum Step {
    Write {
        client: usize,
        ticket: bool,
    },
    Open {
        client: usize,
    },
    Up {
        client: usize,
    },
    Down {
        client: usize,
    },
    Flow {
        client: usize,
    },
    LoseUp {
        client: usize,
    },
    LoseDown {
        client: usize,
    },
    RepeatUp {
        client: usize,
    },
    RepeatDown {
        client: usize,
    },
    Swap {
        client: usize,
        nth: usize,
    },
    Cut {
        client: usize,
        code: u16,
        read: bool,
    },
    Reload {
        client: usize,
    },
    StopStart {
        client: usize,
    },
    Online {
        client: usize,
    },
    Pass {
        ms: u64,
    },
    Refuse {
        refusal: Refusal,
    },
    Edit {
        ticket: bool,
        index: usize,
    },
    Seen {
        client: usize,
        ticket: bool,
        seq: u64,
    },
    Typing {
        client: usize,
        ticket: bool,
        on: bool,
    },
    Older {
        client: usize,
        ticket: bool,
    },
    Join {
        client: usize,
        ticket: bool,
    },
    Leave {
        client: usize,
        ticket: bool,
    },
    Discard {
        client: usize,
        nth: usize,
    },
    Retry {
        client: usize,
        nth: usize,
    },
    /// The server's data goes back under another epoch.
    Restore {
        keep: usize,
    },
    /// The connection is half open from here on.
    Stall {
        client: usize,
    },
    /// How the server behaves.
    Manner {
        echo_first: bool,
        joins_opener: bool,
    },
}

const CLIENTS: usize = 3;

fn code() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![
        close::LOST,
        close::AWAY,
        close::TOO_SLOW,
        close::RESTART,
        close::UNAUTHORIZED,
    ])
}

fn refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        prop::sample::select(vec![0, 300, 2_000]).prop_map(|after| Refusal::Busy { after }),
        (0..4_usize).prop_map(|index| Refusal::Never { index }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    let room = || (0..CLIENTS, any::<bool>());
    let nth = || (0..CLIENTS, 0..4_usize);
    prop_oneof![
        12 => room().prop_map(|(client, ticket)| Step::Write { client, ticket }),
        6 => client.clone().prop_map(|client| Step::Open { client }),
        10 => client.clone().prop_map(|client| Step::Up { client }),
        10 => client.clone().prop_map(|client| Step::Down { client }),
        14 => client.clone().prop_map(|client| Step::Flow { client }),
        2 => client.clone().prop_map(|client| Step::LoseUp { client }),
        5 => client.clone().prop_map(|client| Step::LoseDown { client }),
        2 => client.clone().prop_map(|client| Step::RepeatUp { client }),
        4 => client.clone().prop_map(|client| Step::RepeatDown { client }),
        6 => nth().prop_map(|(client, nth)| Step::Swap { client, nth }),
        5 => (client.clone(), code(), any::<bool>()).prop_map(|(client, code, read)| Step::Cut { client, code, read }),
        2 => client.clone().prop_map(|client| Step::Reload { client }),
        1 => client.clone().prop_map(|client| Step::StopStart { client }),
        1 => client.clone().prop_map(|client| Step::Stall { client }),
        1 => client.prop_map(|client| Step::Online { client }),
        10 => prop::sample::select(vec![10, 60, 300, 1_500, 7_000, 16_000]).prop_map(|ms| Step::Pass { ms }),
        2 => refusal().prop_map(|refusal| Step::Refuse { refusal }),
        2 => (any::<bool>(), 0..20_usize).prop_map(|(ticket, index)| Step::Edit { ticket, index }),
        3 => (room(), 0..20_u64).prop_map(|((client, ticket), seq)| Step::Seen { client, ticket, seq }),
        2 => (room(), any::<bool>()).prop_map(|((client, ticket), on)| Step::Typing { client, ticket, on }),
        3 => room().prop_map(|(client, ticket)| Step::Older { client, ticket }),
        3 => room().prop_map(|(client, ticket)| Step::Join { client, ticket }),
        1 => room().prop_map(|(client, ticket)| Step::Leave { client, ticket }),
        1 => nth().prop_map(|(client, nth)| Step::Discard { client, nth }),
        2 => nth().prop_map(|(client, nth)| Step::Retry { client, nth }),
        1 => (any::<bool>(), any::<bool>())
            .prop_map(|(echo_first, joins_opener)| Step::Manner { echo_first, joins_opener }),
    ]
}

fn room(ticket: bool) -> Id {
    if ticket { TICKET } else { TEAM }
}

fn take(world: &mut World, step: &Step) {
    let now = world.now;
    match *step {
        Step::Write { client, ticket } => world.write(client, room(ticket)),
        Step::Open { client } => world.open(client),
        Step::Up { client } => drop(world.up(client)),
        Step::Down { client } => drop(world.down(client)),
        Step::Flow { client } => {
            world.open(client);
            while world.up(client) | world.down(client) {}
        }
        Step::LoseUp { client } => world.lose_up(client),
        Step::LoseDown { client } => world.lose_down(client),
        Step::RepeatUp { client } => world.repeat_up(client),
        Step::RepeatDown { client } => world.repeat_down(client),
        Step::Swap { client, nth } => world.swap_down(client, nth),
        Step::Cut { client, code, read } => world.cut(client, code, read),
        Step::Reload { client } => world.reload(client),
        Step::Stall { client } => world.stall(client),
        Step::StopStart { client } => {
            world.peers[client].client.stop(now);
            world.settle(client);
            world.peers[client].client.start(now);
        }
        Step::Online { client } => world.peers[client].client.online(now),
        Step::Pass { ms } => world.pass(ms),
        Step::Refuse { refusal } => world.server.refusal = Some(refusal),
        Step::Edit { ticket, index } => world.server.edit(room(ticket), index),
        Step::Seen {
            client,
            ticket,
            seq,
        } => world.peers[client].client.seen(room(ticket), seq, now),
        Step::Typing { client, ticket, on } => {
            world.peers[client].client.typing(room(ticket), on, now);
        }
        Step::Older { client, ticket } => world.peers[client].client.older(room(ticket), now),
        Step::Join { client, ticket } => world.peers[client].client.join(room(ticket), now),
        Step::Leave { client, ticket } => world.leave(client, room(ticket)),
        Step::Discard { client, nth } => world.discard(client, nth),
        Step::Retry { client, nth } => world.retry(client, nth),
        Step::Restore { keep } => {
            world.server.restore(keep);
            for client in 0..CLIENTS {
                world.cut(client, close::LOST, false);
            }
        }
        Step::Manner {
            echo_first,
            joins_opener,
        } => {
            world.server.echo_first = echo_first;
            world.server.joins_opener = joins_opener;
        }
    }
    for client in 0..CLIENTS {
        world.settle(client);
    }
}

/// The time in which all has to converge: the longest back-off, a dead connection, some repeated questions.
const HEALING: u64 = 240_000;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_clients_end_with_the_servers_transcript(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..150)) {
        let mut world = World::new(CLIENTS, seed >> 1);
        for step in &steps {
            take(&mut world, step);
        }
        world.heal(HEALING);
        prop_assert_eq!(world.difference(), None);
        world.check_messages();
        world.check_ticks();
    }

    #[test]
    fn another_epoch_converges_too(
        seed in any::<u64>(),
        before in prop::collection::vec(step(), 1..80),
        keep in 0..6_usize,
        after in prop::collection::vec(step(), 0..40),
    ) {
        let mut world = World::new(CLIENTS, seed >> 1);
        let restore = Step::Restore { keep };
        for step in before.iter().chain([&restore]).chain(&after) {
            take(&mut world, step);
        }
        world.heal(HEALING);
        prop_assert_eq!(world.difference(), None);
    }
}
