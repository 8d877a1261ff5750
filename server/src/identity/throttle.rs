//! Failed attempts to sign in, counted by account and by address.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// The counts.
pub(super) struct Throttle {
    most_failures: usize,
    failures: Mutex<HashMap<Key, VecDeque<Micros>>>,
}

/// An attempt that was let through. It counts as failed until it is forgiven, so that many at
/// once cannot slip past the limit.
#[derive(Debug)]
pub(super) struct Attempt {
    keys: [Key; 3],
    at: Micros,
}

impl Throttle {
    pub(super) fn new(most_failures: usize) -> Self {
        Self {
            most_failures,
            failures: Mutex::default(),
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
        let mut failures = self.failures();
        make_room(&mut failures, now);
        let [by_address, by_account, by_both] = keys.map(|key| recent(&mut failures, key, now));
        if by_address >= self.most_failures {
            return Err(wait(&failures, keys[0], self.most_failures, now));
        }
        if by_account >= self.most_failures && by_both >= TRIES_UNDER_ATTACK.min(self.most_failures)
        {
            return Err(wait(&failures, keys[1], self.most_failures, now));
        }
        for key in keys {
            failures.entry(key).or_default().push_back(now);
        }
        Ok(Attempt { keys, at: now })
    }

    /// The attempt had the right password.
    pub(super) fn forgive(&self, attempt: &Attempt) {
        let mut failures = self.failures();
        for key in attempt.keys {
            if let Some(times) = failures.get_mut(&key) {
                if let Some(index) = times.iter().position(|at| *at == attempt.at) {
                    times.remove(index);
                }
                if times.is_empty() {
                    failures.remove(&key);
                }
            }
        }
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<Key, VecDeque<Micros>>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

fn recent(failures: &mut HashMap<Key, VecDeque<Micros>>, key: Key, now: Micros) -> usize {
    let Some(times) = failures.get_mut(&key) else {
        return 0;
    };
    times.retain(|at| is_recent(*at, now));
    times.len()
}

/// A clock that was set back must not keep anybody out for longer.
fn is_recent(at: Micros, now: Micros) -> bool {
    (now - WINDOW..=now + WINDOW).contains(&at)
}

fn wait(failures: &HashMap<Key, VecDeque<Micros>>, key: Key, most: usize, now: Micros) -> u64 {
    let oldest = failures
        .get(&key)
        .and_then(|times| times.get(times.len().saturating_sub(most)))
        .copied()
        .unwrap_or(now);
    u64::try_from((oldest + WINDOW - now).max(0) / SECOND).unwrap_or(0) + 1
}

fn make_room(failures: &mut HashMap<Key, VecDeque<Micros>>, now: Micros) {
    if failures.len() < MOST {
        return;
    }
    failures.retain(|_, times| {
        times.retain(|at| is_recent(*at, now));
        !times.is_empty()
    });
    // Under an attack from this many addresses, those with a single failure go first.
    if failures.len() >= MOST {
        failures.retain(|_, times| times.len() > 1);
    }
    if failures.len() >= MOST {
        failures.clear();
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
        throttle.forgive(&attempt);
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
            throttle.forgive(&attempt);
        }
        assert!(throttle.failures().is_empty());
    }

    #[test]
    fn memory_is_bounded_and_one_household_is_one_address() {
        let throttle = Throttle::new(10);
        for n in 0..40_000_u32 {
            let _ = throttle.admit(IpAddr::V4(n.into()), &format!("{n}"), 1);
        }
        assert!(throttle.failures().len() < MOST + 3);
        let throttle = Throttle::new(1);
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(throttle.admit(parse("2001:db8::1"), "a", 1).is_ok());
        assert!(throttle.admit(parse("2001:db8::2"), "b", 1).is_err());
        assert!(throttle.admit(parse("2001:db8:0:1::2"), "b", 1).is_ok());
    }
}
