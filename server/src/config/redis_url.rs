//! Where Redis is.

use std::fmt;

use redis::{Client, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion};

/// What is expected of the setting.
pub(super) const EXPECTED: &str = "an address such as redis://127.0.0.1:6379, with redis://user:password@ before and /database \
     after the host if need be, or a socket such as unix:///run/redis.sock (TLS is not built in)";

/// How Redis is reached. It may hold a password, so nothing prints it whole.
#[derive(Clone)]
pub struct RedisUrl {
    connection: ConnectionInfo,
    shown: String,
}

impl RedisUrl {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let connection = text.into_connection_info().ok()?;
        // Publications arrive as pushes, which are new in this version of the protocol.
        let settings = connection
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3);
        let tcp = connection.tcp_settings().clone().set_nodelay(true);
        let shown = connection.addr().to_string();
        Some(Self {
            connection: connection
                .set_redis_settings(settings)
                .set_tcp_settings(tcp),
            shown,
        })
    }

    /// A client that is not connected yet.
    ///
    /// # Errors
    /// What the library does not like about the address.
    pub fn client(&self) -> redis::RedisResult<Client> {
        Client::open(self.connection.clone())
    }
}

/// The host and the port, or the socket.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({})", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = RedisUrl::parse("redis://anna:geheim@127.0.0.1:7000/3").expect("an address");
        assert_eq!(url.to_string(), "127.0.0.1:7000");
        assert!(!format!("{url:?}").contains("geheim"));
        let settings = url.connection.redis_settings();
        assert_eq!((settings.password(), settings.db()), (Some("geheim"), 3));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "127.0.0.1:6379",
            "http://127.0.0.1",
            "redis://",
            "redis://h/x",
        ] {
            assert!(RedisUrl::parse(text).is_none(), "{text}");
        }
        for text in [
            "redis://h",
            "redis://h:1/2",
            "redis://:pw@[::1]:7",
            "unix:///tmp/r.sock",
        ] {
            assert!(RedisUrl::parse(text).is_some(), "{text}");
        }
    }
}
