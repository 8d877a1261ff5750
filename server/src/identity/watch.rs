//! What changes behind the server's back: the command line (and later other nodes) may end
//! sign-ins, and time does.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use uuid::Uuid;

use super::{AgentRole, Identity};
use crate::Shared;
use crate::clock;
use crate::store::sign_ins::Alive;

/// A revoked sign-in must lose its sockets within 5 s.
const INTERVAL: Duration = Duration::from_secs(2);

type Known = HashMap<Uuid, (Uuid, AgentRole)>;

/// Runs until the server stops: closes the sockets of sign-ins that are over, whoever ended
/// them, and keeps the signing keys fresh.
pub async fn run(app: Shared) {
    let mut shutdown = app.shutdown.clone();
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = Known::new();
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            _ = shutdown.wait_for(|stop| *stop) => return,
        }
        match app.identity.look(&mut known).await {
            Ok(()) => {}
            // The next look makes it good.
            Err(error) => tracing::debug!(%error, "the sign-ins could not be looked at"),
        }
    }
}

impl Identity {
    /// A socket was opened with a token of this sign-in.
    pub(super) fn opened(&self, agent: Uuid, sign_in: Uuid) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.insert(sign_in, agent);
    }

    async fn look(&self, known: &mut Known) -> crate::store::Result<()> {
        let now = clock::now();
        self.forget_expired_tokens(now);
        self.refresh_keys(now).await?;
        // Before the look: who opens a socket after it is seen by the next one.
        let opened =
            std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        let alive = self.store.sign_ins_alive(now, self.idle()).await?;
        for (agent, sign_in) in ended(known, &alive) {
            self.revoked(agent, Some(sign_in));
        }
        // Begun and ended between two looks.
        for (sign_in, agent) in opened {
            let goes_on = alive.iter().any(|alive| alive.id == sign_in);
            if !goes_on && !known.contains_key(&sign_in) {
                self.revoked(agent, Some(sign_in));
            }
        }
        *known = alive
            .into_iter()
            .map(|alive| (alive.id, (alive.agent.id, alive.agent.role)))
            .collect();
        Ok(())
    }
}

/// Sign-ins that are gone, or go on with another role.
fn ended(known: &Known, alive: &[Alive]) -> Vec<(Uuid, Uuid)> {
    let now: HashMap<Uuid, AgentRole> = alive
        .iter()
        .map(|alive| (alive.id, alive.agent.role))
        .collect();
    known
        .iter()
        .filter(|(sign_in, (_, role))| now.get(sign_in) != Some(role))
        .map(|(sign_in, (agent, _))| (*agent, *sign_in))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::agents::Agent;

    #[test]
    fn what_is_gone_or_has_another_role_has_ended() {
        let id = Uuid::from_u128;
        let alive = |sign_in, agent, role| Alive {
            id: id(sign_in),
            used_at: 0,
            agent: Agent {
                id: id(agent),
                email: String::new(),
                name: String::new(),
                role,
                created_at: 0,
                disabled_at: None,
            },
        };
        let known = Known::from([
            (id(1), (id(10), AgentRole::Agent)),
            (id(2), (id(20), AgentRole::Agent)),
            (id(3), (id(30), AgentRole::Admin)),
        ]);
        let now = [
            alive(1, 10, AgentRole::Agent),
            alive(3, 30, AgentRole::Agent),
            alive(4, 40, AgentRole::Owner),
        ];
        let mut ended = ended(&known, &now);
        ended.sort_unstable();
        assert_eq!(ended, [(id(20), id(2)), (id(30), id(3))]);
    }
}
