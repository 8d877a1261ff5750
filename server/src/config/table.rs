//! The table of settings.

/// Something that can be set. One row makes the flag, the variable and the key in the file.
#[derive(Debug)]
pub struct Setting {
    /// The variable; the key in the file is the same in lower case, without `PARLOUR_`.
    pub variable: &'static str,
    /// The flag: the key with hyphens.
    pub flag: &'static str,
    /// What the value stands for, in the help.
    pub value: &'static str,
    /// What holds when nothing is set.
    pub default: Option<&'static str>,
    /// One sentence for the help.
    pub help: &'static str,
    /// Left out of the short help.
    pub rare: bool,
    /// Never repeated in an error; it may also stand in a file that VARIABLE_FILE names.
    pub secret: bool,
}

const fn setting(
    variable: &'static str,
    flag: &'static str,
    value: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        variable,
        flag,
        value,
        default: Some(default),
        help,
        rare: false,
        secret: false,
    }
}

const fn rare(
    variable: &'static str,
    flag: &'static str,
    value: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        variable,
        flag,
        value,
        default: Some(default),
        help,
        rare: true,
        secret: false,
    }
}

/// All settings.
pub const SETTINGS: &[Setting] = &[
    setting(
        "PARLOUR_ADDR",
        "addr",
        "ADDRESS",
        "127.0.0.1:8080",
        "Where to listen; port 0 picks a free one",
    ),
    setting(
        "PARLOUR_DATA",
        "data",
        "FOLDER",
        "./data",
        "The folder of the database, where that is SQLite",
    ),
    Setting {
        variable: "PARLOUR_PUBLIC_URL",
        flag: "public-url",
        value: "URL",
        default: None,
        help: "The address that browsers use; without it, the one that is listened on",
        rare: false,
        secret: false,
    },
    Setting {
        variable: "REDIS_URL",
        flag: "redis-url",
        value: "URL",
        default: None,
        help: "The Redis that several nodes tell one another news through",
        rare: false,
        secret: true,
    },
    Setting {
        variable: "DATABASE_URL",
        flag: "database-url",
        value: "URL",
        default: None,
        help: "A PostgreSQL database, such as postgres://user:password@host/name; without it, SQLite in the data folder",
        rare: false,
        secret: true,
    },
    rare(
        "PARLOUR_DATABASE_CONNECTIONS",
        "database-connections",
        "NUMBER",
        "10",
        "Connections to PostgreSQL that this node keeps at most",
    ),
    setting(
        "PARLOUR_TRUSTED_PROXIES",
        "trusted-proxies",
        "NETWORKS",
        "",
        "Proxies whose X-Forwarded-For is believed, such as 127.0.0.1, 10.0.0.0/8",
    ),
    setting(
        "PARLOUR_LOG",
        "log",
        "FILTER",
        "info",
        "What is logged, such as warn,parlour_server=debug",
    ),
    setting(
        "PARLOUR_LOG_FORMAT",
        "log-format",
        "FORMAT",
        "text",
        "The form of a line in the log: text or json",
    ),
    Setting {
        variable: "PARLOUR_THREADS",
        flag: "threads",
        value: "NUMBER",
        default: None,
        help: "Threads that serve connections; without it, one for every two processors",
        rare: true,
        secret: false,
    },
    rare(
        "PARLOUR_REDIS_PREFIX",
        "redis-prefix",
        "TEXT",
        "parlour:",
        "What names in Redis begin with: installations that share one need different ones",
    ),
    rare(
        "PARLOUR_HEARTBEAT_MS",
        "heartbeat-ms",
        "MILLISECONDS",
        "25000",
        "The time between two heartbeats",
    ),
    rare(
        "PARLOUR_DEFLATE",
        "deflate",
        "on|off",
        "on",
        "Whether large frames are compressed for clients that offer permessage-deflate",
    ),
    rare(
        "PARLOUR_SIGN_IN_IDLE",
        "sign-in-idle",
        "TIME",
        "14d",
        "A sign-in that is not used for this long ends",
    ),
    rare(
        "PARLOUR_SIGN_IN_LIFETIME",
        "sign-in-lifetime",
        "TIME",
        "90d",
        "A sign-in ends after this long, used or not",
    ),
    rare(
        "PARLOUR_VISITOR_TOKEN",
        "visitor-token",
        "TIME",
        "15m",
        "How long a visitor's token is good; it is renewed in the connection",
    ),
    rare(
        "PARLOUR_SEND_RATE",
        "send-rate",
        "NUMBER",
        "5",
        "Messages that one person may send in a second, over time",
    ),
    rare(
        "PARLOUR_SEND_BURST",
        "send-burst",
        "NUMBER",
        "20",
        "Messages that one person may send at once",
    ),
    rare(
        "PARLOUR_FRAME_RATE",
        "frame-rate",
        "NUMBER",
        "30",
        "Frames that one connection may send in a second, over time",
    ),
    rare(
        "PARLOUR_FRAME_BURST",
        "frame-burst",
        "NUMBER",
        "120",
        "Frames that one connection may send at once",
    ),
    rare(
        "PARLOUR_CONNECTIONS_PER_PERSON",
        "connections-per-person",
        "NUMBER",
        "32",
        "Connections of one person",
    ),
    rare(
        "PARLOUR_CONNECTIONS_PER_ADDRESS",
        "connections-per-address",
        "NUMBER",
        "256",
        "Connections from one address",
    ),
    rare(
        "PARLOUR_SESSION_RATE",
        "session-rate",
        "NUMBER",
        "5",
        "Visitor sessions that one address may ask for in a second, over time",
    ),
    rare(
        "PARLOUR_SESSION_BURST",
        "session-burst",
        "NUMBER",
        "50",
        "Visitor sessions that one address may ask for at once",
    ),
    rare(
        "PARLOUR_REQUEST_RATE",
        "request-rate",
        "NUMBER",
        "20",
        "Other requests that one address may make in a second, over time",
    ),
    rare(
        "PARLOUR_REQUEST_BURST",
        "request-burst",
        "NUMBER",
        "200",
        "Other requests that one address may make at once",
    ),
    rare(
        "PARLOUR_SIGN_IN_RATE",
        "sign-in-rate",
        "NUMBER",
        "2",
        "Attempts to sign in that one address may make in a second, over time",
    ),
    rare(
        "PARLOUR_SIGN_IN_BURST",
        "sign-in-burst",
        "NUMBER",
        "20",
        "Attempts to sign in that one address may make at once",
    ),
    rare(
        "PARLOUR_SIGN_IN_FAILURES",
        "sign-in-failures",
        "NUMBER",
        "10",
        "Failed attempts that an account or an address has in 15 minutes",
    ),
];

impl Setting {
    pub(super) fn key(&self) -> String {
        self.variable
            .trim_start_matches("PARLOUR_")
            .to_ascii_lowercase()
    }
}
