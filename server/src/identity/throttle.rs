//! Failed attempts to sign in, counted by account and by address.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::secret;
use crate::clock::{Micros, SECOND};
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
}

/// An attempt that was let through. Unless it is forgiven it counts as failed, also when its
/// request is broken off.
#[derive(Debug)]
pub(super) struct Attempt {
    counts: Arc<Mutex<Counts>>,
    keys: [Key; 3],
    at: Micros,
    right: bool,
}

impl Throttle {
    pub(super) fn new(most_failures: usize) -> Self {
        Self {
            most_failures,
            counts: Arc::default(),
        }
    }

    /// Lets an attempt through, or says after how many seconds one may succeed.
    pub(super) fn admit(&self, address: IpAddr, email: &str, now: Micros) -> Result<Attempt, u64> {
        let address = network(address);
        let account = account(email);
        let keys = [
            Key::Address(address),
            Key::Account(account),
            Key::Both(address, account),
        ];
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
            keys,
            at: now,
            right: false,
        })
    }
}

impl Attempt {
    /// The attempt had the right password.
    pub(super) fn forgive(mut self) {
        self.right = true;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        for key in self.keys {
            let count = counts.entry(key).or_default();
            count.checking = count.checking.saturating_sub(1);
            if !self.right {
                count.failed.push_back(self.at);
            }
            if count.failed.is_empty() && count.checking == 0 {
                counts.remove(&key);
            }
        }
    }
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

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

    #[test]
    fn ten_failures_of_an_address_are_enough() {
        let throttle = Throttle::new(10);
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
        let throttle = Throttle::new(10);
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
        let throttle = Throttle::new(2);
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
        let throttle = Throttle::new(10);
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
        let throttle = Throttle::new(10);
        for n in 0..40_000_u32 {
            let _ = throttle.admit(IpAddr::V4(n.into()), &format!("{n}"), 1);
        }
        assert!(lock(&throttle.counts).len() < MOST + 3);
        let throttle = Throttle::new(1);
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(throttle.admit(parse("2001:db8::1"), "a", 1).is_ok());
        assert!(throttle.admit(parse("2001:db8::2"), "b", 1).is_err());
        assert!(throttle.admit(parse("2001:db8:0:1::2"), "b", 1).is_ok());
    }
}
