//! Failed attempts to sign in, counted by account and by address. Nodes tell one another of theirs, so
//! the counts hold over all of them; without Redis each node counts what it has seen itself.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::mpsc;

use super::secret;
use crate::bus::{Bus, News, Publication};
use crate::clock::{self, Micros, SECOND};
use crate::hub::{Subscriber, Topic};
use crate::store::agents::email_key;

/// Failures older than this are forgotten.
const WINDOW: Micros = 15 * 60 * SECOND;
/// Accounts and addresses that are remembered at most.
const MOST: usize = 30_000;
/// What an address may still try at an account that is under attack from others. So her own
/// right password gets an agent in, and an attacker gains little from many addresses.
const TRIES_UNDER_ATTACK: usize = 3;

type Account = [u8; 8];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Account(Account),
    Both(IpAddr, Account),
}

#[derive(Debug, Default)]
struct Count {
    failed: VecDeque<Micros>,
    /// Attempts that are being checked. They are bounded as well, or many at once would slip by.
    checking: usize,
}

type Counts = HashMap<Key, Count>;

/// The counts.
pub(super) struct Throttle {
    most_failures: usize,
    counts: Arc<Mutex<Counts>>,
    bus: Bus,
}

/// An attempt that was let through. Unless it is forgiven it counts as failed, also when its
/// request is broken off.
pub(super) struct Attempt {
    counts: Arc<Mutex<Counts>>,
    address: IpAddr,
    account: Account,
    at: Micros,
    right: bool,
    bus: Bus,
}

impl Throttle {
    pub(super) fn new(most_failures: usize, bus: Bus) -> Self {
        Self {
            most_failures,
            counts: Arc::default(),
            bus,
        }
    }

    /// Begins to count what fails on other nodes.
    pub(super) fn follow(&self) {
        let (ears, heard) = self.bus.hub().connect();
        // Whatever is said before it holds fails on one node only.
        drop(self.bus.hub().subscribe(Topic::Nodes, &ears));
        tokio::spawn(follow(Arc::downgrade(&self.counts), ears, heard));
    }

    /// Lets an attempt through, or says after how many seconds one may succeed.
    pub(super) fn admit(&self, address: IpAddr, email: &str, now: Micros) -> Result<Attempt, u64> {
        let address = network(address);
        let account = account(email);
        let keys = keys(address, account);
        let mut counts = lock(&self.counts);
        make_room(&mut counts, now);
        let [by_address, by_account, by_both] = keys.map(|key| recent(&mut counts, key, now));
        if by_address.0 >= self.most_failures {
            return Err(wait(&counts, keys[0], self.most_failures, now));
        }
        if by_account.0 >= self.most_failures
            && by_both.0 >= TRIES_UNDER_ATTACK.min(self.most_failures)
        {
            return Err(wait(&counts, keys[1], self.most_failures, now));
        }
        if by_address.1 >= self.most_failures || by_both.1 >= self.most_failures {
            return Err(1);
        }
        for key in keys {
            counts.entry(key).or_default().checking += 1;
        }
        Ok(Attempt {
            counts: Arc::clone(&self.counts),
            address,
            account,
            at: now,
            right: false,
            bus: self.bus.clone(),
        })
    }
}

impl Attempt {
    /// The attempt had the right password.
    pub(super) fn forgive(mut self) {
        self.right = true;
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        for key in keys(self.address, self.account) {
            let count = counts.entry(key).or_default();
            count.checking = count.checking.saturating_sub(1);
            if !self.right {
                count.failed.push_back(self.at);
            }
            if count.failed.is_empty() && count.checking == 0 {
                counts.remove(&key);
            }
        }
        drop(counts);
        if !self.right {
            let failed = News::SignInFailed(self.address, self.account);
            self.bus.publish(&Publication::new(Topic::Nodes, failed));
        }
    }
}

/// Counts what other nodes say, for as long as anybody asks. A queue that overflows loses failures,
/// as a Redis that is away does.
async fn follow(
    counts: Weak<Mutex<Counts>>,
    _ears: Subscriber,
    mut heard: mpsc::Receiver<Arc<Publication>>,
) {
    while let (Some(publication), Some(counts)) = (heard.recv().await, counts.upgrade()) {
        if let (Some(_), News::SignInFailed(address, account)) =
            (publication.node(), publication.news())
        {
            let now = clock::now();
            let mut counts = lock(&counts);
            make_room(&mut counts, now);
            for key in keys(*address, *account) {
                counts.entry(key).or_default().failed.push_back(now);
            }
        }
    }
}

fn keys(address: IpAddr, account: Account) -> [Key; 3] {
    [
        Key::Address(address),
        Key::Account(account),
        Key::Both(address, account),
    ]
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One household usually has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

fn account(email: &str) -> Account {
    let hash = secret::hash(&email_key(email));
    let mut account = Account::default();
    account.copy_from_slice(&hash[..8]);
    account
}

/// Failures of the last quarter of an hour, and attempts that are being checked.
fn recent(counts: &mut Counts, key: Key, now: Micros) -> (usize, usize) {
    let Some(count) = counts.get_mut(&key) else {
        return (0, 0);
    };
    count.failed.retain(|at| is_recent(*at, now));
    (count.failed.len(), count.checking)
}

/// A clock that was set back must not keep anybody out for longer.
fn is_recent(at: Micros, now: Micros) -> bool {
    (now - WINDOW..=now + WINDOW).contains(&at)
}

fn wait(counts: &Counts, key: Key, most: usize, now: Micros) -> u64 {
    let failed = counts.get(&key).map(|count| &count.failed);
    let oldest = failed
        .and_then(|times| times.get(times.len().saturating_sub(most)))
        .copied()
        .unwrap_or(now);
    u64::try_from((oldest + WINDOW - now).max(0) / SECOND).unwrap_or(0) + 1
}

fn make_room(counts: &mut Counts, now: Micros) {
    if counts.len() < MOST {
        return;
    }
    counts.retain(|_, count| {
        count.failed.retain(|at| is_recent(*at, now));
        !count.failed.is_empty() || count.checking > 0
    });
    // Under an attack from this many addresses, those with a single failure go first.
    if counts.len() >= MOST {
        counts.retain(|_, count| count.failed.len() > 1 || count.checking > 0);
    }
    if counts.len() >= MOST {
        counts.retain(|_, count| count.checking > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(most_failures: usize) -> Throttle {
        Throttle::new(most_failures, Bus::Local(Arc::default()))
    }

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

    #[test]
    fn ten_failures_of_an_address_are_enough() {
        let throttle = alone(10);
        for n in 0..10 {
            assert!(
                throttle
                    .admit(HOME, &format!("a{n}@shop.example"), n)
                    .is_ok()
            );
        }
        assert_eq!(
            throttle
                .admit(HOME, "a@shop.example", 10)
                .expect_err("too many"),
            900
        );
        assert!(throttle.admit(AWAY, "a@shop.example", 10).is_ok());
        assert!(throttle.admit(HOME, "a@shop.example", WINDOW + 1).is_ok());
    }

    #[test]
    fn an_account_under_attack_still_opens_from_elsewhere() {
        let throttle = alone(10);
        for n in 0..10 {
            assert!(throttle.admit(HOME, "ann@shop.example", n).is_ok());
        }
        assert!(throttle.admit(HOME, "Ann@Shop.Example ", 11).is_err());
        let attempt = throttle
            .admit(AWAY, "ann@shop.example", 11)
            .expect("another address");
        attempt.forgive();
        for n in 0..3 {
            assert!(throttle.admit(AWAY, "ann@shop.example", 12 + n).is_ok());
        }
        assert!(throttle.admit(AWAY, "ann@shop.example", 15).is_err());
        assert!(throttle.admit(AWAY, "bob@shop.example", 15).is_ok());
    }

    #[test]
    fn right_passwords_do_not_count() {
        let throttle = alone(2);
        for n in 0..50 {
            let attempt = throttle
                .admit(HOME, "ann@shop.example", n)
                .expect("an attempt");
            attempt.forgive();
        }
        assert!(lock(&throttle.counts).is_empty());
    }

    #[test]
    fn many_at_once_do_not_slip_by() {
        let throttle = alone(10);
        let attempts: Vec<_> = (0..10)
            .map(|_| {
                throttle
                    .admit(HOME, "ann@shop.example", 1)
                    .expect("an attempt")
            })
            .collect();
        assert_eq!(
            throttle
                .admit(HOME, "ann@shop.example", 1)
                .expect_err("too many at once"),
            1
        );
        drop(attempts);
        assert_eq!(
            throttle
                .admit(HOME, "ann@shop.example", 2)
                .expect_err("all of them failed"),
            900
        );
    }

    #[test]
    fn memory_is_bounded_and_one_household_is_one_address() {
        let throttle = alone(10);
        for n in 0..40_000_u32 {
            let _ = throttle.admit(IpAddr::V4(n.into()), &format!("{n}"), 1);
        }
        assert!(lock(&throttle.counts).len() < MOST + 3);
        let throttle = alone(1);
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(throttle.admit(parse("2001:db8::1"), "a", 1).is_ok());
        assert!(throttle.admit(parse("2001:db8::2"), "b", 1).is_err());
        assert!(throttle.admit(parse("2001:db8:0:1::2"), "b", 1).is_ok());
    }
}
