//! Visitors' sessions: a secret that her browser keeps, and short tokens bought with it.

use uuid::Uuid;

use super::{Identity, fields, secret};
use crate::clock;
use crate::error::Error;
use crate::store::sites::Site;
use crate::store::visitors::Whereabouts;

/// What the session's answer carries, and nothing else ever does.
pub struct VisitorSession {
    /// The visitor.
    pub visitor: Uuid,
    /// What her browser keeps: the same as before, or a new one.
    pub secret: String,
    /// A token for the socket and the API.
    pub token: String,
    /// How long the token is good, in seconds.
    pub expires_in: i64,
}

impl std::fmt::Debug for VisitorSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VisitorSession")
            .field("visitor", &self.visitor)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Begins a visitor's session on a site, or takes up the one that `known` belongs to.
    /// The caller has checked the origin.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn visitor_session(
        &self,
        site: &Site,
        known: Option<&str>,
        whereabouts: Whereabouts,
    ) -> Result<VisitorSession, Error> {
        let whereabouts = tidied(whereabouts);
        let now = clock::now();
        let known = known.filter(|secret| secret::is_plausible(secret));
        let found = match known {
            Some(known) => self
                .store
                .visitor_by_secret(site.id, secret::hash(known))
                .await?
                .map(|visitor| (visitor, known.to_owned())),
            None => None,
        };
        let (visitor, secret) = match found {
            Some((visitor, secret)) => {
                self.store
                    .visitor_returned(visitor, now, whereabouts)
                    .await?;
                (visitor, secret)
            }
            None => {
                let (visitor, secret) = (clock::id(), secret::Secret::new()?);
                self.store
                    .insert_visitor(visitor, site.id, secret.hash(), now, whereabouts)
                    .await?;
                (visitor, secret.reveal())
            }
        };
        if site.seen_at.is_none() {
            self.store.mark_site_seen(site.id, now).await?;
        }
        let token = self.issue_visitor(visitor, site.id)?;
        Ok(VisitorSession {
            visitor,
            secret,
            token,
            expires_in: self.visitor_token_seconds(),
        })
    }

    /// Notes which page a visitor looks at now.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such visitor.
    pub async fn visitor_moved(&self, visitor: Uuid, page: &str, title: &str) -> Result<(), Error> {
        Ok(self
            .store
            .visitor_moved(
                visitor,
                clock::now(),
                fields::page(page),
                fields::told(title, 300),
            )
            .await?)
    }
}

fn tidied(told: Whereabouts) -> Whereabouts {
    Whereabouts {
        page: fields::page(&told.page),
        title: fields::told(&told.title, 300),
        referrer: fields::page(&told.referrer),
        browser: told.browser,
        locale: fields::told(&told.locale, 35),
        zone: fields::told(&told.zone, 64),
    }
}
