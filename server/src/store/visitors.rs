//! Visitors: browsers that have opened the widget's panel on a site.

use uuid::Uuid;

use super::sql::{query, query_scalar};
use super::{Result, Store, StoreError};
use crate::clock::Micros;

/// A visitor, as agents see her.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Her id.
    pub id: Uuid,
    /// Where she visits.
    pub site: Uuid,
    /// Her name; empty until she gives one.
    pub name: String,
    /// Her e-mail address; empty until she gives one.
    pub email: String,
    /// When she came first.
    pub created_at: Micros,
    /// When she was last here.
    pub seen_at: Micros,
    /// Where she is now.
    pub now: Whereabouts,
}

/// What a browser tells about itself and where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The page's address.
    pub page: String,
    /// The page's title.
    pub title: String,
    /// Where she came from.
    pub referrer: String,
    /// Such as "Firefox on Linux".
    pub browser: String,
    /// The browser's language.
    pub locale: String,
    /// The browser's time zone, as IANA names it.
    pub zone: String,
}

impl Store {
    /// A visitor by her id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn visitor(&self, id: Uuid) -> Result<Visitor> {
        let row = query(
            "select id, site, name, email, created_at, seen_at, page, title, referrer, browser, locale, zone
             from visitors where id = $1",
        )
        .bind(id)
        .fetch_one(self.reader())
        .await?;
        Ok(Visitor {
            id: row.try_get(0)?,
            site: row.try_get(1)?,
            name: row.try_get(2)?,
            email: row.try_get(3)?,
            created_at: row.try_get(4)?,
            seen_at: row.try_get(5)?,
            now: Whereabouts {
                page: row.try_get(6)?,
                title: row.try_get(7)?,
                referrer: row.try_get(8)?,
                browser: row.try_get(9)?,
                locale: row.try_get(10)?,
                zone: row.try_get(11)?,
            },
        })
    }

    /// A visitor's name; empty if she gave none.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn visitor_name(&self, id: Uuid) -> Result<String> {
        Ok(query_scalar("select name from visitors where id = $1")
            .bind(id)
            .fetch_one(self.reader())
            .await?)
    }

    /// The visitor of a site whose browser keeps the secret with this hash.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn visitor_by_secret(
        &self,
        site: Uuid,
        secret_hash: Vec<u8>,
    ) -> Result<Option<Uuid>> {
        let id = query_scalar("select id from visitors where secret_hash = $1 and site = $2")
            .bind(secret_hash)
            .bind(site)
            .fetch_optional(self.reader())
            .await?;
        Ok(id)
    }

    /// Stores a new visitor.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn insert_visitor(
        &self,
        id: Uuid,
        site: Uuid,
        secret_hash: Vec<u8>,
        now: Micros,
        whereabouts: Whereabouts,
    ) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                query(
                    "insert into visitors (id, site, secret_hash, created_at, seen_at, page, title, referrer, browser, locale, zone)
                     values ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10)",
                )
                .bind(id)
                .bind(site)
                .bind(secret_hash)
                .bind(now)
                .bind(whereabouts.page)
                .bind(whereabouts.title)
                .bind(whereabouts.referrer)
                .bind(whereabouts.browser)
                .bind(whereabouts.locale)
                .bind(whereabouts.zone)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that a visitor is back, and where.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn visitor_returned(
        &self,
        id: Uuid,
        now: Micros,
        whereabouts: Whereabouts,
    ) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                let done = query(
                    "update visitors set seen_at = $1, page = $2, title = $3, referrer = $4, browser = $5, locale = $6, zone = $7
                     where id = $8",
                )
                .bind(now)
                .bind(whereabouts.page)
                .bind(whereabouts.title)
                .bind(whereabouts.referrer)
                .bind(whereabouts.browser)
                .bind(whereabouts.locale)
                .bind(whereabouts.zone)
                .bind(id)
                .execute(connection)
                .await?;
                if done == 0 { Err(StoreError::NotFound) } else { Ok(()) }
            })
        })
        .await
    }

    /// Notes which page a visitor looks at now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn visitor_moved(
        &self,
        id: Uuid,
        now: Micros,
        page: String,
        title: String,
    ) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                let done =
                    query("update visitors set seen_at = $1, page = $2, title = $3 where id = $4")
                        .bind(now)
                        .bind(page)
                        .bind(title)
                        .bind(id)
                        .execute(connection)
                        .await?;
                if done == 0 {
                    Err(StoreError::NotFound)
                } else {
                    Ok(())
                }
            })
        })
        .await
    }
}
