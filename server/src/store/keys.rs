//! Keys that sign tokens.

use super::sql::query;
use super::{Connection, Result, Store};
use crate::clock::Micros;

/// A key, and until when it is good for checking.
#[derive(Clone)]
pub struct SigningKey {
    /// Its name in a token's header.
    pub kid: String,
    /// The key itself.
    pub secret: Vec<u8>,
    /// When it was made. The newest one that has no end signs.
    pub created_at: Micros,
    /// From here on it is not even good for checking.
    pub ends_at: Option<Micros>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("created_at", &self.created_at)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// The keys that have not ended, newest first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn signing_keys(&self, now: Micros) -> Result<Vec<SigningKey>> {
        let rows = query(
            "select kid, secret, created_at, ends_at from signing_keys
             where ends_at is null or ends_at > $1 order by created_at desc, kid",
        )
        .bind(now)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(SigningKey {
                    kid: row.try_get(0)?,
                    secret: row.try_get(1)?,
                    created_at: row.try_get(2)?,
                    ends_at: row.try_get(3)?,
                })
            })
            .collect()
    }
}

/// Puts `key` in use; those before it are good for checking until `others_end`, and those that
/// have ended are forgotten. Nothing is done if another node has put a key in use since `unless_after`.
pub(crate) async fn rotate(
    connection: &mut Connection,
    key: &SigningKey,
    others_end: Micros,
    unless_after: Micros,
) -> Result<()> {
    let made = query(
        "insert into signing_keys (kid, secret, created_at)
         select $1, $2, $3 where not exists (select 1 from signing_keys where ends_at is null and created_at > $4)",
    )
    .bind(&key.kid)
    .bind(&key.secret)
    .bind(key.created_at)
    .bind(unless_after)
    .execute(&mut *connection)
    .await?;
    if made == 0 {
        return Ok(());
    }
    query("update signing_keys set ends_at = $1 where kid <> $2 and ends_at is null")
        .bind(others_end)
        .bind(&key.kid)
        .execute(&mut *connection)
        .await?;
    query("delete from signing_keys where ends_at <= $1")
        .bind(key.created_at)
        .execute(connection)
        .await?;
    Ok(())
}
