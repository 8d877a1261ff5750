//! What the owner has set. Flags beat the environment, the environment beats the file,
//! and nothing else in the program reads any of the three.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod database;
mod network;
mod public_url;
mod redis_url;
mod settings;
mod table;

pub use database::{DatabaseConfig, PostgresConfig, SecretUrl};
pub use network::Network;
pub use public_url::PublicUrl;
pub use redis_url::RedisUrl;
pub use settings::{ConfigError, Flags};
pub use table::{SETTINGS, Setting};

use settings::Values;

/// Everything that can be set, parsed.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Port 0 lets the system choose one.
    pub addr: SocketAddr,
    /// The folder of what the server keeps on this machine.
    pub data: PathBuf,
    /// Where the data is.
    pub database: DatabaseConfig,
    /// The address that browsers use.
    pub public_url: PublicUrl,
    public_url_is_given: bool,
    /// The way to other nodes, if there are any.
    pub redis: Option<RedisConfig>,
    /// Threads that serve connections.
    pub threads: usize,
    /// The time between two heartbeats.
    pub heartbeat: Duration,
    /// Whether sockets are compressed for clients that offer it.
    pub deflate: bool,
    /// Proxies whose forwarding headers are believed.
    pub proxies: Vec<Network>,
    /// What people and addresses may do, and how fast.
    pub limits: LimitsConfig,
    /// How long sign-ins and tokens last.
    pub sign_in: SignInConfig,
    /// What is logged.
    pub log: LogConfig,
}

/// The way to other nodes.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// Where it is.
    pub url: RedisUrl,
    /// What every name there begins with.
    pub prefix: String,
}

/// Rates and caps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Messages that one person may send in a second, over time.
    pub send_per_second: u32,
    /// Messages that one person may send at once.
    pub send_burst: u32,
    /// Frames that one connection may send in a second, over time.
    pub frames_per_second: u32,
    /// Frames that one connection may send at once.
    pub frame_burst: u32,
    /// Connections of one person.
    pub connections_per_person: usize,
    /// Connections from one address.
    pub connections_per_address: usize,
    /// Visitor sessions that one address may ask for in a second, over time.
    pub sessions_per_second: u32,
    /// Visitor sessions that one address may ask for at once.
    pub session_burst: u32,
    /// Other requests that one address may make in a second, over time.
    pub requests_per_second: u32,
    /// Other requests that one address may make at once.
    pub request_burst: u32,
    /// Attempts to sign in that one address may make in a second, over time.
    pub sign_ins_per_second: u32,
    /// Attempts to sign in that one address may make at once.
    pub sign_in_burst: u32,
    /// Failed attempts that an account or an address has in 15 minutes.
    pub sign_in_failures: usize,
}

/// How long sign-ins and tokens last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInConfig {
    /// A sign-in that is not used for this long ends.
    pub idle: Duration,
    /// A sign-in ends after this long, used or not.
    pub lifetime: Duration,
    /// A visitor's token is good for this long.
    pub visitor_token: Duration,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// A filter such as `info` or `warn,parlour_server=debug`.
    pub filter: String,
    /// The form of a line.
    pub format: LogFormat,
}

/// The form of a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// Reads flags, environment and file.
    ///
    /// # Errors
    /// A sentence that names the setting, what was given and what is expected.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        Self::from_values(&Values::read(flags, |variable| std::env::var_os(variable))?)
    }

    fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let addr = values.parse(
            "PARLOUR_ADDR",
            "an address and a port, such as 127.0.0.1:8080",
            |text| text.parse().ok(),
        )?;
        let public_url =
            values.optional("PARLOUR_PUBLIC_URL", public_url::EXPECTED, PublicUrl::parse)?;
        let data = values.parse("PARLOUR_DATA", "a folder", |text| {
            (!text.is_empty()).then(|| PathBuf::from(text))
        })?;
        Ok(Self {
            addr,
            database: database(values, &data)?,
            data,
            public_url_is_given: public_url.is_some(),
            public_url: public_url.unwrap_or_else(|| derived(addr)),
            redis: redis(values)?,
            threads: values
                .optional("PARLOUR_THREADS", "a whole number from 1 to 256", |text| {
                    text.parse().ok().filter(|count| (1..=256).contains(count))
                })?
                .unwrap_or_else(threads),
            heartbeat: Duration::from_millis(values.number(
                "PARLOUR_HEARTBEAT_MS",
                500,
                120_000,
            )?),
            deflate: values.parse("PARLOUR_DEFLATE", "on or off", |text| match text {
                "on" => Some(true),
                "off" => Some(false),
                _ => None,
            })?,
            proxies: values.parse(
                "PARLOUR_TRUSTED_PROXIES",
                network::EXPECTED,
                Network::parse_list,
            )?,
            limits: limits(values)?,
            sign_in: sign_in(values)?,
            log: log(values)?,
        })
    }

    /// The same, once the real address of the listener is known.
    #[must_use]
    pub fn listening_on(mut self, bound: SocketAddr) -> Self {
        self.addr = bound;
        if !self.public_url_is_given {
            self.public_url = derived(bound);
        }
        self
    }

    /// Whether the owner has set the public address, or it was derived.
    #[must_use]
    pub fn public_url_is_given(&self) -> bool {
        self.public_url_is_given
    }

    /// Takes the address that a running server has written down, unless the owner has set one.
    #[must_use]
    pub fn with_address_of_server(mut self, address: Option<PublicUrl>) -> Self {
        if let (false, Some(address)) = (self.public_url_is_given, address) {
            self.public_url = address;
        }
        self
    }
}

fn derived(bound: SocketAddr) -> PublicUrl {
    let ip = if bound.ip().is_unspecified() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        bound.ip()
    };
    PublicUrl::plain(SocketAddr::new(ip, bound.port()))
}

fn redis(values: &Values) -> Result<Option<RedisConfig>, ConfigError> {
    let url = values.secret("REDIS_URL", redis_url::EXPECTED, RedisUrl::parse)?;
    let prefix = values.parse(
        "PARLOUR_REDIS_PREFIX",
        "at most 64 characters without spaces",
        |text| {
            let good = text.len() <= 64 && !text.contains(char::is_whitespace);
            good.then(|| text.to_owned())
        },
    )?;
    Ok(url.map(|url| RedisConfig { url, prefix }))
}

fn database(values: &Values, data: &Path) -> Result<DatabaseConfig, ConfigError> {
    let url = values.secret(
        "DATABASE_URL",
        "the address of a PostgreSQL database, such as postgres://user:password@host/name",
        |text| SecretUrl::parse(text, &["postgres", "postgresql"]),
    )?;
    Ok(match url {
        None => DatabaseConfig::Sqlite(data.to_path_buf()),
        Some(url) => DatabaseConfig::Postgres(PostgresConfig {
            url,
            connections: values.number("PARLOUR_DATABASE_CONNECTIONS", 2, 1_000)?,
        }),
    })
}

fn limits(values: &Values) -> Result<LimitsConfig, ConfigError> {
    let rate = |variable| values.number(variable, 1, 1_000_000);
    let cap = |variable| values.number(variable, 1, 10_000_000);
    Ok(LimitsConfig {
        send_per_second: rate("PARLOUR_SEND_RATE")?,
        send_burst: rate("PARLOUR_SEND_BURST")?,
        frames_per_second: rate("PARLOUR_FRAME_RATE")?,
        frame_burst: rate("PARLOUR_FRAME_BURST")?,
        connections_per_person: cap("PARLOUR_CONNECTIONS_PER_PERSON")?,
        connections_per_address: cap("PARLOUR_CONNECTIONS_PER_ADDRESS")?,
        sessions_per_second: rate("PARLOUR_SESSION_RATE")?,
        session_burst: rate("PARLOUR_SESSION_BURST")?,
        requests_per_second: rate("PARLOUR_REQUEST_RATE")?,
        request_burst: rate("PARLOUR_REQUEST_BURST")?,
        sign_ins_per_second: rate("PARLOUR_SIGN_IN_RATE")?,
        sign_in_burst: rate("PARLOUR_SIGN_IN_BURST")?,
        sign_in_failures: values.number("PARLOUR_SIGN_IN_FAILURES", 1, 1_000)?,
    })
}

fn sign_in(values: &Values) -> Result<SignInConfig, ConfigError> {
    const DAY: u64 = 86_400;
    Ok(SignInConfig {
        idle: values.duration("PARLOUR_SIGN_IN_IDLE", 1, 365 * DAY)?,
        lifetime: values.duration("PARLOUR_SIGN_IN_LIFETIME", 1, 365 * DAY)?,
        visitor_token: values.duration("PARLOUR_VISITOR_TOKEN", 5, 3_600)?,
    })
}

fn log(values: &Values) -> Result<LogConfig, ConfigError> {
    let filter = values.parse(
        "PARLOUR_LOG",
        "a filter, such as info or warn,parlour_server=debug",
        |text| {
            tracing_subscriber::EnvFilter::try_new(text)
                .is_ok()
                .then(|| text.to_owned())
        },
    )?;
    let format = values.parse("PARLOUR_LOG_FORMAT", "text or json", |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    })?;
    Ok(LogConfig { filter, format })
}

/// One for every two processors; the others are for the database. A thread that has something to do wakes
/// another one for it, which is much of what a server that is not full spends.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let values = Values::read(&Flags::default(), |variable| {
            environment
                .iter()
                .find(|(name, _)| *name == variable)
                .map(|(_, value)| (*value).into())
        })?;
        Config::from_values(&values)
    }

    #[test]
    fn defaults_are_good() {
        let config = load(&[]).expect("the defaults");
        assert_eq!(config.addr.to_string(), "127.0.0.1:8080");
        assert_eq!(config.public_url.origin(), "http://127.0.0.1:8080");
        assert_eq!(config.heartbeat, Duration::from_secs(25));
        assert_eq!(config.sign_in.idle, Duration::from_secs(14 * 86_400));
        let bound = config.listening_on("0.0.0.0:4567".parse().expect("an address"));
        assert_eq!(bound.public_url.origin(), "http://127.0.0.1:4567");
    }

    #[test]
    fn a_wrong_value_is_one_sentence_with_the_variable_the_value_and_what_is_expected() {
        for (variable, value, expected) in [
            ("PARLOUR_ADDR", "8080", "an address and a port"),
            (
                "PARLOUR_HEARTBEAT_MS",
                "499",
                "a whole number from 500 to 120000",
            ),
            ("PARLOUR_HEARTBEAT_MS", "soon", "a whole number"),
            (
                "PARLOUR_PUBLIC_URL",
                "chat.example.com",
                "https://chat.example.com",
            ),
            (
                "PARLOUR_TRUSTED_PROXIES",
                "10.0.0.0/33",
                "addresses or networks",
            ),
            ("PARLOUR_LOG_FORMAT", "xml", "text or json"),
            ("PARLOUR_DEFLATE", "yes", "on or off"),
            ("PARLOUR_THREADS", "0", "a whole number from 1 to 256"),
            ("PARLOUR_SIGN_IN_IDLE", "0s", "a time from"),
            ("PARLOUR_SEND_RATE", "-1", "a whole number"),
        ] {
            let sentence = load(&[(variable, value)]).expect_err(variable).to_string();
            assert!(
                sentence.contains(variable)
                    && sentence.contains(value)
                    && sentence.contains(expected),
                "{sentence}"
            );
            assert!(!sentence.contains('\n'), "{sentence}");
        }
    }

    #[test]
    fn a_secret_that_cannot_be_used_is_not_repeated() {
        let sentence = load(&[("REDIS_URL", "rdis://:geheim@host")])
            .expect_err("not an address")
            .to_string();
        assert!(
            sentence.contains("REDIS_URL") && sentence.contains("redis://"),
            "{sentence}"
        );
        assert!(!sentence.contains("geheim"), "{sentence}");
        let config = load(&[("REDIS_URL", "redis://:geheim@host")]).expect("an address");
        assert!(!format!("{config:?}").contains("geheim"));
        assert!(
            load(&[("REDIS_URL", " ")])
                .expect("nothing")
                .redis
                .is_none()
        );
    }

    #[test]
    fn a_public_url_that_is_given_stays() {
        let config = load(&[("PARLOUR_PUBLIC_URL", "https://Chat.Example.com:443/")])
            .expect("a good configuration");
        let config = config.listening_on("127.0.0.1:9".parse().expect("an address"));
        assert_eq!(config.public_url.origin(), "https://chat.example.com");
        assert_eq!(config.public_url.socket(), "wss://chat.example.com/socket");
    }
}
