//! What each node says of each person, and what it comes to.

use std::collections::HashMap;
use std::time::Instant;

use parlour_protocol::frame::{Availability, Person, Presence};
use uuid::Uuid;

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// This node, of its own connections.
    Here,
    /// Another one.
    Node(Uuid),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Said {
    state: Availability,
    /// How long it holds; without end as long as there are connections here.
    until: Option<Instant>,
}

/// Connections of this node, and whether the person is there. They are few, and people many: a
/// list takes a tenth of what a map does.
#[derive(Default)]
pub(super) struct Connections(Vec<(u64, bool)>);

impl Connections {
    /// One is there, and says this.
    pub(super) fn insert(&mut self, connection: u64, active: bool) {
        match self.get_mut(connection) {
            Some(known) => *known = active,
            None => push_one(&mut self.0, (connection, active)),
        }
    }

    /// What one has said.
    pub(super) fn get_mut(&mut self, connection: u64) -> Option<&mut bool> {
        let known = self.0.iter_mut().find(|(known, _)| *known == connection);
        known.map(|(_, active)| active)
    }

    /// One is gone.
    pub(super) fn remove(&mut self, connection: u64) {
        self.0.retain(|(known, _)| *known != connection);
    }
}

/// Most lists never have more than one.
fn push_one<T>(list: &mut Vec<T>, item: T) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
    list.push(item);
}

struct Entry {
    who: Person,
    connections: Connections,
    said: Vec<(Who, Said)>,
    announced: Availability,
}

impl Entry {
    fn new(who: &Person) -> Self {
        Self {
            who: who.clone(),
            connections: Connections::default(),
            said: Vec::new(),
            announced: Availability::Offline,
        }
    }

    /// What is to be announced, if what it comes to has changed.
    fn changed(&mut self) -> Option<Presence> {
        let any = |state| self.said.iter().any(|(_, said)| said.state == state);
        let state = if any(Availability::Online) {
            Availability::Online
        } else if any(Availability::Away) {
            Availability::Away
        } else {
            Availability::Offline
        };
        if state == self.announced {
            return None;
        }
        self.announced = state;
        Some(self.presence(state))
    }

    fn said_by(&self, who: Who) -> Option<Said> {
        let said = self.said.iter().find(|(by, _)| *by == who);
        said.map(|(_, said)| *said)
    }

    fn says(&mut self, who: Who, said: Said) {
        match self.said.iter_mut().find(|(by, _)| *by == who) {
            Some((_, known)) => *known = said,
            None => push_one(&mut self.said, (who, said)),
        }
    }

    fn presence(&self, state: Availability) -> Presence {
        let who = self.who.clone();
        Presence { who, state }
    }
}

/// Everybody whom some node has told of.
#[derive(Default)]
pub(super) struct People(HashMap<Uuid, Entry>);

impl People {
    /// Changes the connections of a person here. What is to be told to other nodes (her state,
    /// and whether she is still there or in her grace), and what to the readers.
    pub(super) fn change(
        &mut self,
        who: &Person,
        grace: Instant,
        change: impl FnOnce(&mut Connections),
    ) -> (Option<(Availability, bool)>, Option<Presence>) {
        let entry = self.entry(who);
        change(&mut entry.connections);
        let before = entry.said_by(Who::Here);
        let present = !entry.connections.0.is_empty();
        let said = if present {
            let active = entry.connections.0.iter().any(|(_, active)| *active);
            let state = if active {
                Availability::Online
            } else {
                Availability::Away
            };
            Said { state, until: None }
        } else {
            // In its grace, the last state stands.
            match before {
                Some(before) if before.until.is_none() => Said {
                    state: before.state,
                    until: Some(grace),
                },
                _ => return (None, None),
            }
        };
        if before == Some(said) {
            return (None, None);
        }
        entry.says(Who::Here, said);
        (Some((said.state, present)), entry.changed())
    }

    /// Takes what another node says; what is to be announced.
    pub(super) fn hear(
        &mut self,
        node: Who,
        presence: &Presence,
        until: Instant,
    ) -> Option<Presence> {
        let entry = self.entry(&presence.who);
        let (state, until) = (presence.state, Some(until));
        entry.says(node, Said { state, until });
        entry.changed()
    }

    /// What other nodes have said holds until then: they could not be heard.
    pub(super) fn hold(&mut self, until: Instant) {
        for entry in self.0.values_mut() {
            for (node, said) in &mut entry.said {
                if *node != Who::Here {
                    said.until = Some(until);
                }
            }
        }
    }

    /// Forgets what does not hold any more, of other nodes only if `others`.
    pub(super) fn expire(&mut self, now: Instant, others: bool) -> Vec<Presence> {
        let mut changed = Vec::new();
        self.0.retain(|_, entry| {
            entry.said.retain(|(node, said)| {
                let over = said.until.is_some_and(|until| until <= now);
                !over || (*node != Who::Here && !others)
            });
            changed.extend(entry.changed());
            !entry.said.is_empty()
        });
        changed
    }

    /// Whether a person is there.
    pub(super) fn state(&self, person: Uuid) -> Availability {
        self.0
            .get(&person)
            .map_or(Availability::Offline, |entry| entry.announced)
    }

    /// Everybody with a connection here.
    pub(super) fn here(&self) -> Vec<Presence> {
        let here = self.0.values().filter_map(|entry| {
            let said = entry.said_by(Who::Here)?;
            said.until.is_none().then(|| entry.presence(said.state))
        });
        here.collect()
    }

    fn entry(&mut self, who: &Person) -> &mut Entry {
        let id = Uuid::from_bytes(who.id.0);
        self.0.entry(id).or_insert_with(|| Entry::new(who))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Availability::{Away, Offline, Online};
    use parlour_protocol::Id;
    use parlour_protocol::frame::Role;
    use std::time::Duration;

    fn anna() -> Person {
        Person {
            id: Id([7; 16]),
            role: Role::Agent,
            name: "Anna".into(),
        }
    }

    fn other(number: u128) -> Who {
        Who::Node(Uuid::from_u128(number))
    }

    fn hear(
        people: &mut People,
        node: Who,
        state: Availability,
        until: Instant,
    ) -> Option<Availability> {
        let who = anna();
        people
            .hear(node, &Presence { who, state }, until)
            .map(|presence| presence.state)
    }

    fn states(changed: Vec<Presence>) -> Vec<Availability> {
        changed.into_iter().map(|presence| presence.state).collect()
    }

    #[test]
    fn the_most_present_of_all_nodes_counts() {
        let (mut people, now) = (People::default(), crate::clock::instant());
        let grace = now + Duration::from_secs(10);
        let later = now + Duration::from_secs(60);
        assert_eq!(hear(&mut people, other(1), Away, later), Some(Away));
        assert_eq!(hear(&mut people, other(2), Online, grace), Some(Online));
        assert_eq!(hear(&mut people, other(1), Away, later), None);
        let (told, changed) = people.change(&anna(), grace, |tabs| {
            tabs.insert(1, true);
        });
        assert_eq!((told, changed), (Some((Online, true)), None));
        assert_eq!(people.here().len(), 1);

        // The tab here closes, the one on the second node is not heard of any more.
        let (told, changed) = people.change(&anna(), grace, |tabs| {
            tabs.remove(1);
        });
        assert_eq!((told, changed), (Some((Online, false)), None));
        assert!(people.here().is_empty());
        assert_eq!(states(people.expire(now, true)), []);
        assert_eq!(states(people.expire(grace, true)), [Away]);
        assert_eq!(states(people.expire(later, true)), [Offline]);
        assert!(people.0.is_empty());
    }

    #[test]
    fn nobody_is_forgotten_for_the_silence_of_a_node_that_cannot_be_heard() {
        let (mut people, now) = (People::default(), crate::clock::instant());
        hear(&mut people, other(1), Online, now);
        assert_eq!(states(people.expire(now, false)), []);
        assert_eq!(people.state(Uuid::from_bytes([7; 16])), Online);
        assert_eq!(states(people.expire(now, true)), [Offline]);
    }

    #[test]
    fn whoever_comes_back_in_the_grace_was_never_gone() {
        let (mut people, now) = (People::default(), crate::clock::instant());
        let grace = now + Duration::from_secs(10);
        let mut tab = |number: u64, open: bool| {
            people
                .change(&anna(), grace, |tabs| {
                    if open {
                        tabs.insert(number, false);
                    } else {
                        tabs.remove(number);
                    }
                })
                .1
                .map(|presence| presence.state)
        };
        assert_eq!(tab(1, true), Some(Away));
        assert_eq!(tab(1, false), None);
        assert_eq!(tab(1, false), None);
        assert_eq!(tab(2, true), None);
        assert_eq!(states(people.expire(grace, true)), []);
    }
}
