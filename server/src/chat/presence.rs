//! Presence: any live connection is online; the last one's end is offline after a grace.
//!
//! Each node tells the others of its own people, again and again, and each joins what it has
//! heard to what it knows, and tells its own readers of what changed. So nothing about
//! presence is stored anywhere, and a node that dies is forgotten by its silence.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use parlour_protocol::frame::{Availability, Person, Presence, Role};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::bus::{Bus, Link, News, Publication};
use crate::clock;
use crate::hub::{Subscriber, Topic};

mod people;

use people::{Connections, People, Who};

/// From the last close to `offline`: a reload must not flicker.
const GRACE: Duration = Duration::from_secs(10);
/// How often those who are gone are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// How long what another node said holds.
const HOLDS: Duration = Duration::from_secs(60);
/// How often a node says it again.
const REPEAT: Duration = Duration::from_secs(20);
/// People in one publication.
const CHUNK: usize = 200;

/// Who is there.
pub struct Presences {
    people: Mutex<People>,
    bus: Bus,
    /// The end of the hub at which this node hears others, and not itself.
    ears: Subscriber,
}

impl Presences {
    pub(super) fn start(bus: Bus) -> Arc<Self> {
        let (ears, heard) = bus.hub().connect();
        // It holds before any connection is there to wait for it, or soon after.
        drop(bus.hub().subscribe(Topic::Nodes, &ears));
        let presences = Arc::new(Self {
            people: Mutex::default(),
            bus,
            ears,
        });
        tokio::spawn(follow(Arc::downgrade(&presences), heard));
        presences
    }

    /// A connection began; whether its person is there.
    pub fn connected(&self, connection: u64, who: &Person, active: bool) {
        self.change(who, |connections| {
            connections.insert(connection, active);
        });
    }

    /// A connection says whether its person is there.
    pub fn active(&self, connection: u64, who: &Person, active: bool) {
        self.change(who, |connections| {
            if let Some(known) = connections.get_mut(connection) {
                *known = active;
            }
        });
    }

    /// A connection ended.
    pub fn disconnected(&self, connection: u64, who: &Person) {
        self.change(who, |connections| {
            connections.remove(connection);
        });
    }

    /// Whether a person is there.
    #[must_use]
    pub fn state(&self, person: Uuid) -> Availability {
        self.lock().state(person)
    }

    /// Everybody with a connection to this node.
    #[must_use]
    pub fn connected_here(&self) -> Vec<(Uuid, Role)> {
        let here = self.lock().here();
        let id = |presence: Presence| (Uuid::from_bytes(presence.who.id.0), presence.who.role);
        here.into_iter().map(id).collect()
    }

    /// All is told under the lock, so that two changes are told in their order.
    fn change(&self, who: &Person, change: impl FnOnce(&mut Connections)) {
        let mut people = self.lock();
        let (said, changed) = people.change(who, clock::instant() + GRACE, change);
        if let Some((state, present)) = said {
            let who = who.clone();
            let holds = if present { HOLDS } else { GRACE };
            self.tell(vec![Presence { who, state }], holds);
        }
        self.announce(changed);
    }

    /// Tells the other nodes.
    fn tell(&self, people: Vec<Presence>, holds: Duration) {
        let seconds = holds.as_secs();
        self.publish(News::Here { people, seconds });
    }

    fn publish(&self, news: News) {
        let publication = Publication::without(self.ears.id(), Topic::Nodes, news);
        self.bus.publish(&publication);
    }

    /// Tells this node's readers.
    fn announce(&self, changed: impl IntoIterator<Item = Presence>) {
        for presence in changed {
            let topic = match presence.who.role {
                Role::Visitor => Topic::Inbox,
                Role::Agent | Role::System => Topic::Team,
            };
            let publication = Publication::new(topic, News::Presence(presence));
            self.bus.hub().deliver(&publication);
        }
    }

    /// Tells the other nodes of everybody here.
    fn tell_all(&self) {
        let people = self.lock();
        for chunk in people.here().chunks(CHUNK) {
            self.tell(chunk.to_vec(), HOLDS);
        }
    }

    fn heard(&self, publication: &Publication) {
        match (publication.node(), publication.news()) {
            (Some(node), News::Here { people, seconds }) => {
                let until = clock::instant() + Duration::from_secs(*seconds).min(HOLDS);
                let mut known = self.lock();
                for said in people {
                    let changed = known.hear(Who::Node(node), said, until);
                    self.announce(changed);
                }
            }
            (Some(_), News::WhoIsHere) => self.tell_all(),
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn follow(presences: Weak<Presences>, mut heard: mpsc::Receiver<Arc<Publication>>) {
    let Some(mut link) = presences.upgrade().map(|presences| presences.bus.link()) else {
        return;
    };
    // A bus may have been up before this was started.
    link.mark_changed();
    let mut sweeps = tokio::time::interval(SWEEP);
    let mut repeats = tokio::time::interval(REPEAT);
    // While other nodes cannot be heard, their silence says nothing: the last state stands.
    let mut up = false;
    loop {
        tokio::select! {
            _ = sweeps.tick() => {
                let Some(presences) = presences.upgrade() else { return };
                let mut people = presences.lock();
                let gone = people.expire(clock::instant(), up);
                presences.announce(gone);
            }
            _ = repeats.tick() => {
                let Some(presences) = presences.upgrade() else { return };
                presences.tell_all();
            }
            changed = link.changed() => {
                let (Some(presences), Ok(())) = (presences.upgrade(), changed) else { return };
                up = matches!(*link.borrow_and_update(), Link::Up(_));
                if up {
                    presences.lock().hold(clock::instant() + HOLDS);
                    presences.tell_all();
                    presences.publish(News::WhoIsHere);
                }
            }
            publication = heard.recv() => {
                let (Some(presences), Some(publication)) = (presences.upgrade(), publication) else { return };
                presences.heard(&publication);
            }
        }
    }
}
