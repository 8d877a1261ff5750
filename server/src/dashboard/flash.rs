//! One sentence that outlives a redirect: a key from a fixed set in a cookie, never free text.

use axum::http::{HeaderMap, HeaderValue};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use parlour_admin_templates::{Toast, Tone};

use crate::Shared;

const COOKIE: &str = "parlour-flash";

macro_rules! flashes {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $tone:ident, $text:literal;)*) => {
        /// What was just done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Flash { $($(#[$doc])* $name,)* }

        impl Flash {
            fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            fn parse(key: &str) -> Option<Self> {
                match key { $($key => Some(Self::$name),)* _ => None }
            }

            /// The sentence, and how it went.
            pub(super) fn toast(self) -> Toast {
                let (tone, text) = match self { $(Self::$name => (Tone::$tone, $text),)* };
                Toast { tone, text: text.to_owned(), undo: None }
            }
        }
    };
}

flashes! {
    /// A ticket.
    Resolved = "resolved", Ok, "The ticket is resolved.";
    /// A ticket.
    Reopened = "reopened", Ok, "The ticket is open again.";
    /// A ticket.
    Pending = "pending", Ok, "The ticket waits for the visitor.";
    /// A ticket.
    Snoozed = "snoozed", Ok, "The ticket is snoozed. It comes back by itself, or when the visitor writes.";
    /// A ticket.
    Assigned = "assigned", Ok, "The ticket is assigned.";
    /// A ticket.
    Unassigned = "unassigned", Ok, "The ticket is nobody's now.";
    /// A room.
    MemberAdded = "member-added", Ok, "The agent is in the room now.";
    /// A room.
    MemberRemoved = "member-removed", Ok, "The agent is out of the room.";
    /// A room.
    LeftRoom = "left-room", Ok, "You have left the room.";
    /// A room.
    RoomClosed = "room-closed", Danger, "That did not work: the agent may be disabled, or out of the room already.";
    /// An agent.
    RoleChanged = "role", Ok, "The role is changed, and the agent must sign in again.";
    /// An agent.
    Disabled = "disabled", Ok, "The agent is disabled and signed out everywhere.";
    /// An agent.
    Enabled = "enabled", Ok, "The agent can sign in again.";
    /// A site.
    SiteAdded = "site-added", Ok, "The site is added.";
    /// A site.
    SiteSaved = "site-saved", Ok, "The site is saved. Open pages show it within a minute.";
    /// The account.
    NameSaved = "name-saved", Ok, "Your name is saved.";
    /// The account.
    PasswordChanged = "password-changed", Ok, "Your password is changed. You are signed out everywhere else.";
    /// The account.
    SignInRevoked = "sign-in-revoked", Ok, "That sign-in is ended.";
    /// Signing in.
    Welcome = "welcome", Ok, "Welcome to Parlour.";
    /// Signing out.
    SignedOut = "signed-out", Ok, "You have signed out.";
}

impl Flash {
    /// What the request's cookie says.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        CookieJar::from_headers(headers)
            .get(COOKIE)
            .and_then(|cookie| Self::parse(cookie.value()))
    }

    /// The header that carries it over a redirect.
    pub(super) fn cookie(self, app: &Shared) -> Option<HeaderValue> {
        header(app, self.key(), 60)
    }

    /// The header that ends it.
    pub(super) fn forget(app: &Shared) -> Option<HeaderValue> {
        header(app, "", 0)
    }
}

fn header(app: &Shared, value: &'static str, seconds: i64) -> Option<HeaderValue> {
    let cookie = Cookie::build((COOKIE, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.config.public_url.keeps_cookies())
        .build();
    HeaderValue::from_str(&format!("{cookie}; Max-Age={seconds}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_keys_say_something() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                "cookie",
                format!("a=b; parlour-flash={value}")
                    .parse()
                    .expect("a header"),
            );
            Flash::of(&headers)
        };
        assert_eq!(with("resolved"), Some(Flash::Resolved));
        assert_eq!(with("Free text"), None);
        assert_eq!(Flash::of(&HeaderMap::new()), None);
    }
}
