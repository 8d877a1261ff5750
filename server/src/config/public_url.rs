//! The address that browsers use.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::identity::Origin;

pub(super) const EXPECTED: &str =
    "a scheme, a host and perhaps a port, such as https://chat.example.com";

/// Scheme, host and port, without a path. Links, cookies and the checks of origins go by it,
/// and never by a request's `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    https: bool,
    loopback: bool,
    port: u16,
}

impl PublicUrl {
    /// Reads an address; a path other than `/` is refused.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let origin = Origin::parse(text).ok()?.into_string();
        Self::from_origin(origin)
    }

    pub(super) fn plain(address: SocketAddr) -> Self {
        Self {
            origin: if address.port() == 80 {
                format!("http://{}", host(address))
            } else {
                format!("http://{address}")
            },
            https: false,
            loopback: address.ip().to_canonical().is_loopback(),
            port: address.port(),
        }
    }

    fn from_origin(origin: String) -> Option<Self> {
        let url = Url::parse(&origin).ok()?;
        Some(Self {
            https: url.scheme() == "https",
            loopback: is_loopback(&url),
            port: url.port_or_known_default()?,
            origin,
        })
    }

    /// As browsers write it in `Origin`: `https://chat.example.com`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The address of `path`, which begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The address of the WebSocket.
    #[must_use]
    pub fn socket(&self) -> String {
        // http becomes ws, https becomes wss.
        format!("ws{}/socket", self.origin.trim_start_matches("http"))
    }

    /// Whether TLS is on.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether a browser keeps a `Secure` cookie from here: with TLS, or on this machine.
    #[must_use]
    pub fn keeps_cookies(&self) -> bool {
        self.https || self.loopback
    }

    /// Whether a browser's `Origin` is Parlour's own. On this machine its other names, such as
    /// `localhost` for `127.0.0.1`, are the same place if the port is the same.
    #[must_use]
    pub fn owns(&self, origin: &str) -> bool {
        if origin == self.origin {
            return true;
        }
        if !self.loopback || self.https {
            return false;
        }
        let Ok(other) = Url::parse(origin) else {
            return false;
        };
        other.scheme() == "http"
            && is_loopback(&other)
            && other.port_or_known_default() == Some(self.port)
            && other.origin().ascii_serialization() == origin
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.origin)
    }
}

fn host(address: SocketAddr) -> String {
    if address.is_ipv6() {
        format!("[{}]", address.ip())
    } else {
        address.ip().to_string()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_its_own_origin() {
        let public = PublicUrl::parse("https://chat.example.com").expect("an address");
        assert!(public.owns("https://chat.example.com") && public.keeps_cookies());
        for other in [
            "http://chat.example.com",
            "https://chat.example.com:8443",
            "https://chat.example.com.evil.example",
            "null",
            "",
        ] {
            assert!(!public.owns(other), "{other}");
        }
        let local = PublicUrl::plain("127.0.0.1:8080".parse().expect("an address"));
        assert!(
            local.owns("http://localhost:8080")
                && local.owns("http://[::1]:8080")
                && local.keeps_cookies()
        );
        assert!(!local.owns("http://localhost:8081") && !local.owns("http://localhost:8080/"));
        assert_eq!(local.socket(), "ws://127.0.0.1:8080/socket");
        let network = PublicUrl::plain("192.168.1.9:80".parse().expect("an address"));
        assert_eq!(network.origin(), "http://192.168.1.9");
        assert!(!network.keeps_cookies());
    }
}
