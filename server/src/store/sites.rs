//! Sites, and the origins they allow.

use uuid::Uuid;

use super::sql::{Row, query, query_built, query_scalar};
use super::{Connection, Result, Store, StoreError};
use crate::clock::Micros;

/// A website that has the widget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its id.
    pub id: Uuid,
    /// Its public key, which stands in the snippet.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The accent, `#RRGGBB`.
    pub color: String,
    /// What the widget says first.
    pub greeting: String,
    /// `left` or `right`.
    pub position: String,
    /// The language of the widget where the page says nothing, such as `en`.
    pub locale: String,
    /// When it was made.
    pub created_at: Micros,
    /// When its widget first asked for a session.
    pub seen_at: Option<Micros>,
    /// Origins that may carry the widget, in order.
    pub origins: Vec<String>,
}

const COLUMNS: &str = "id, key, name, color, greeting, position, locale, created_at, seen_at";

impl Store {
    /// All sites, oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn sites(&self) -> Result<Vec<Site>> {
        let rows = query_built(format!(
            "select {COLUMNS} from sites order by created_at, id"
        ))
        .fetch_all(self.reader())
        .await?;
        let mut sites = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        let origins = query("select site, origin from origins order by origin")
            .fetch_all(self.reader())
            .await?;
        for row in &origins {
            let id: Uuid = row.try_get(0)?;
            if let Some(site) = sites.iter_mut().find(|site| site.id == id) {
                site.origins.push(row.try_get(1)?);
            }
        }
        Ok(sites)
    }

    /// A site by its id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn site(&self, id: Uuid) -> Result<Site> {
        let row = query_built(format!("select {COLUMNS} from sites where id = $1"))
            .bind(id)
            .fetch_one(self.reader())
            .await?;
        self.with_origins(read(&row)?).await
    }

    /// A site by its public key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn site_by_key(&self, key: &str) -> Result<Site> {
        let row = query_built(format!("select {COLUMNS} from sites where key = $1"))
            .bind(key)
            .fetch_one(self.reader())
            .await?;
        self.with_origins(read(&row)?).await
    }

    async fn with_origins(&self, mut site: Site) -> Result<Site> {
        site.origins = query_scalar("select origin from origins where site = $1 order by origin")
            .bind(site.id)
            .fetch_all(self.reader())
            .await?;
        Ok(site)
    }

    /// Whether `origin` is listed for any site: what can be asked before the site is known.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn origin_known(&self, origin: &str) -> Result<bool> {
        let origins = self.joining.origins.ask().await?;
        Ok(origins.iter().any(|(_, listed)| listed == origin))
    }

    /// Stores a site with its origins.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the key is taken, or what the database reports.
    pub async fn insert_site(&self, site: Site) -> Result<()> {
        self.write(move |connection| Box::pin(async move { insert(connection, &site).await }))
            .await?;
        self.changed();
        Ok(())
    }

    /// Replaces what can be changed of a site: all but id, key and times.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn update_site(&self, site: Site) -> Result<()> {
        self.write(move |connection| Box::pin(async move { update(connection, &site).await }))
            .await?;
        self.changed();
        Ok(())
    }

    /// Notes the first session of a site's widget; whether this was the first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn mark_site_seen(&self, id: Uuid, now: Micros) -> Result<bool> {
        self.write(move |connection| {
            Box::pin(async move {
                let done = query("update sites set seen_at = $1 where id = $2 and seen_at is null")
                    .bind(now)
                    .bind(id)
                    .execute(connection)
                    .await?;
                Ok(done == 1)
            })
        })
        .await
    }
}

fn read(row: &Row) -> Result<Site> {
    Ok(Site {
        id: row.try_get(0)?,
        key: row.try_get(1)?,
        name: row.try_get(2)?,
        color: row.try_get(3)?,
        greeting: row.try_get(4)?,
        position: row.try_get(5)?,
        locale: row.try_get(6)?,
        created_at: row.try_get(7)?,
        seen_at: row.try_get(8)?,
        origins: Vec::new(),
    })
}

async fn insert(connection: &mut Connection, site: &Site) -> Result<()> {
    query(
        "insert into sites (id, key, name, color, greeting, position, locale, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(site.id)
    .bind(&site.key)
    .bind(&site.name)
    .bind(&site.color)
    .bind(&site.greeting)
    .bind(&site.position)
    .bind(&site.locale)
    .bind(site.created_at)
    .execute(&mut *connection)
    .await?;
    insert_origins(connection, site).await
}

async fn update(connection: &mut Connection, site: &Site) -> Result<()> {
    let done = query("update sites set name = $1, color = $2, greeting = $3, position = $4, locale = $5 where id = $6")
        .bind(&site.name)
        .bind(&site.color)
        .bind(&site.greeting)
        .bind(&site.position)
        .bind(&site.locale)
        .bind(site.id)
        .execute(&mut *connection)
        .await?;
    if done == 0 {
        return Err(StoreError::NotFound);
    }
    query("delete from origins where site = $1")
        .bind(site.id)
        .execute(&mut *connection)
        .await?;
    insert_origins(connection, site).await
}

async fn insert_origins(connection: &mut Connection, site: &Site) -> Result<()> {
    for origin in &site.origins {
        query("insert into origins (site, origin) values ($1, $2) on conflict do nothing")
            .bind(site.id)
            .bind(origin)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
