//! Where the data is.

use std::path::PathBuf;

use url::Url;

/// Which database, and where.
#[derive(Clone, Debug)]
pub enum DatabaseConfig {
    /// SQLite, in this folder.
    Sqlite(PathBuf),
    /// PostgreSQL.
    Postgres(PostgresConfig),
}

impl DatabaseConfig {
    /// Where it is, without a password.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.display().to_string(),
            Self::Postgres(config) => config.url.place(),
        }
    }
}

/// A PostgreSQL server.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// Its address.
    pub url: SecretUrl,
    /// How many connections this node keeps at most.
    pub connections: u32,
}

/// The address of a service; it may hold a password, so it is not printed.
#[derive(Clone)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// Reads an address with one of these schemes.
    #[must_use]
    pub fn parse(text: &str, schemes: &[&str]) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        schemes.contains(&url.scheme()).then_some(Self(url))
    }

    /// All of it, for whoever connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// Host, port and path: what may be logged.
    #[must_use]
    pub fn place(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        let port = self.0.port().map(|port| format!(":{port}"));
        format!("{host}{}{}", port.unwrap_or_default(), self.0.path())
    }
}

impl std::fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SecretUrl").field(&self.place()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_printed() {
        let url = SecretUrl::parse(
            "postgres://ann:canary@db:6543/chat?sslmode=require",
            &["postgres"],
        )
        .expect("an address");
        assert_eq!(url.place(), "db:6543/chat");
        assert!(!format!("{url:?}").contains("canary"));
        assert!(SecretUrl::parse("mysql://db/chat", &["postgres"]).is_none());
    }
}
