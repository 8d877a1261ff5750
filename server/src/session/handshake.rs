//! From a token to a session.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use parlour_protocol::close;
use parlour_protocol::frame::{Role, View};
use uuid::Uuid;

use super::{Publications, Session};
use crate::Shared;
use crate::chat::{Actor, limits};
use crate::clock;
use crate::error::Error;
use crate::hub::Topic;
use crate::identity::{Claims, Subject};

/// Counts against the limits as long as it lives.
pub(super) type Held = (limits::Held<Uuid>, limits::Held<IpAddr>);

/// Why there is no session: the code to close with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub u16);

/// Begins a session for whoever the token names, who is there or, if not `active`, away.
///
/// # Errors
/// [`Refused`] with 4401 for a person who is not there any more, 4029 for too many connections,
/// 1012 while the database does not answer.
pub async fn begin(
    app: Shared,
    claims: Claims,
    address: IpAddr,
    active: bool,
) -> Result<(Session, Publications), Refused> {
    let (mut session, publications) = prepare(app, claims, address)?;
    let hub = Arc::clone(&session.app.hub);
    // After the session was made: whatever ends it ends the subscriptions too. And before her
    // tickets are read: one that is opened meanwhile is heard of.
    let person = hub.subscribe(Topic::Person(session.actor.id), &session.subscriber);
    person.wait().await;
    session.recognise(true).await?;
    let (actor, subscriber) = (&session.actor, &session.subscriber);
    let mut subscriptions = vec![hub.subscribe(Topic::Team, subscriber)];
    if actor.role == Role::Agent {
        subscriptions.push(hub.subscribe(Topic::Inbox, subscriber));
    }
    let presence = &session.app.chat.presence;
    presence.connected(subscriber.id(), &actor.person(), active);
    session.alone = false;
    for subscription in subscriptions {
        subscription.wait().await;
    }
    Ok((session, publications))
}

/// A session that executes what it is given and hears of nothing else.
///
/// # Errors
/// As [`begin`].
pub async fn alone(app: Shared, claims: Claims, address: IpAddr) -> Result<Session, Refused> {
    let (mut session, _) = prepare(app, claims, address)?;
    session.recognise(false).await?;
    Ok(session)
}

/// A session of somebody whose name is not known yet, and of which nobody knows.
fn prepare(
    app: Shared,
    claims: Claims,
    address: IpAddr,
) -> Result<(Session, Publications), Refused> {
    let mut actor = match claims.subject {
        Subject::Visitor { visitor, site } => Actor::visitor(visitor, site, String::new()),
        Subject::Agent { agent, .. } => Actor::agent(agent, String::new()),
    };
    let held = app
        .limits
        .connection(actor.id, address)
        .ok_or(Refused(close::OVER_LIMIT))?;
    let (subscriber, publications) = app.hub.connect();
    actor.connection = subscriber.id();
    let now = clock::instant();
    let session = Session {
        app,
        actor,
        claims,
        subscriber,
        joined: HashMap::new(),
        view: View::Runs,
        alone: true,
        welcomed: false,
        tickets: None,
        list: None,
        out: VecDeque::new(),
        heard: now,
        sign_in_checked: now,
        bad_frames: 0,
        over_limit: 0,
        _held: held,
    };
    Ok((session, publications))
}

impl Session {
    /// Reads who she is; of a visitor who `begins` also what her welcome will list.
    async fn recognise(&mut self, begins: bool) -> Result<(), Refused> {
        let refused = |error: Error| match error {
            Error::NotFound => Refused(close::UNAUTHORIZED),
            _ => Refused(close::RESTART),
        };
        let store = &self.app.store;
        self.actor.name = match self.claims.subject {
            Subject::Visitor { visitor, .. } if begins => {
                let visiting = store.visiting(visitor).await;
                let visiting = visiting.map_err(|error| refused(error.into()))?;
                self.tickets = Some((clock::instant(), visiting.tickets));
                visiting.name
            }
            Subject::Visitor { visitor, .. } => {
                let name = store.visitor_name(visitor).await;
                name.map_err(|error| refused(error.into()))?
            }
            Subject::Agent { agent, sign_in } => {
                let alive = self.app.identity.sign_in_alive(sign_in).await;
                match alive.map_err(|error| refused(error.into()))? {
                    Some(identity) if identity.id == agent => identity.name,
                    _ => return Err(Refused(close::UNAUTHORIZED)),
                }
            }
        };
        Ok(())
    }
}
