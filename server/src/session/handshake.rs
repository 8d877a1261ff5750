//! From a token to a session.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

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
    let (session, publications) = prepare(app, claims, address).await?;
    let (app, actor) = (&session.app, &session.actor);
    let subscriber = &session.subscriber;
    let mut subscriptions = vec![
        app.hub.subscribe(Topic::Person(actor.id), subscriber),
        app.hub.subscribe(Topic::Team, subscriber),
    ];
    if actor.role == Role::Agent {
        subscriptions.push(app.hub.subscribe(Topic::Inbox, subscriber));
    }
    let presence = &app.chat.presence;
    presence.connected(subscriber.id(), &actor.person(), active);
    // After the session was made: whatever ends it ends the subscriptions too.
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
    let (mut session, _) = prepare(app, claims, address).await?;
    session.alone = true;
    Ok(session)
}

async fn prepare(
    app: Shared,
    claims: Claims,
    address: IpAddr,
) -> Result<(Session, Publications), Refused> {
    let mut actor = actor(&app, &claims).await?;
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
        alone: false,
        welcomed: false,
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

async fn actor(app: &Shared, claims: &Claims) -> Result<Actor, Refused> {
    let failed = |error: &Error| match error {
        Error::NotFound => Refused(close::UNAUTHORIZED),
        _ => Refused(close::RESTART),
    };
    match claims.subject {
        Subject::Visitor { visitor, site } => {
            let name = app
                .store
                .visitor_name(visitor)
                .await
                .map_err(|error| failed(&error.into()))?;
            Ok(Actor::visitor(visitor, site, name))
        }
        Subject::Agent { agent, sign_in } => {
            let alive = app
                .identity
                .sign_in_alive(sign_in)
                .await
                .map_err(|error| failed(&error.into()))?;
            match alive {
                Some(identity) if identity.id == agent => Ok(Actor::agent(agent, identity.name)),
                _ => Err(Refused(close::UNAUTHORIZED)),
            }
        }
    }
}
