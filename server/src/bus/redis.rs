//! Redis as the way between nodes: one connection, which publishes, and hears what this node's
//! subscribers want to hear.
//!
//! The hub alone knows which topics have subscribers. [`Followed`] brings Redis's
//! subscriptions in line with that, one command at a time, so that none is lost or left over;
//! after a loss everything is subscribed anew from the hub, and only then the link is up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, PushInfo, PushKind, RedisError, RedisResult, Value};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use super::{Link, Publication, envelope};
use crate::config::RedisConfig;
use crate::hub::{Hub, Topic};

mod follow;
mod publish;
mod spend;

/// Publications that wait at most; beyond it the newest are dropped, and found in the database.
const QUEUE: usize = 4_096;
/// Any other command that takes longer means that the connection is dead.
const COMMAND: Duration = Duration::from_secs(1);
/// How often a silent connection is tested.
const PING: Duration = Duration::from_secs(1);
/// Between two attempts to connect, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The way to other nodes.
pub struct Redis {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Arc<Publication>>,
}

struct Shared {
    hub: Arc<Hub>,
    node: Uuid,
    /// How its own publications begin.
    own: String,
    client: Client,
    prefix: String,
    /// The address, for the log.
    shown: String,
    /// The connection while it is up, for whoever asks something.
    connection: Mutex<Option<MultiplexedConnection>>,
    /// Publications that were given up since the log last said so.
    dropped: AtomicU64,
}

impl Redis {
    /// Begins to connect.
    ///
    /// # Errors
    /// What the library does not like about the address.
    pub(super) fn start(config: &RedisConfig, hub: Arc<Hub>) -> RedisResult<Arc<Self>> {
        let (queue, publications) = mpsc::channel(QUEUE);
        let node = Uuid::new_v4();
        let shared = Arc::new(Shared {
            hub,
            node,
            own: envelope::beginning(node),
            client: config.url.client()?,
            prefix: config.prefix.clone(),
            shown: config.url.to_string(),
            connection: Mutex::default(),
            dropped: AtomicU64::new(0),
        });
        shared.hub.set_link(Link::Down);
        tokio::spawn(run(Arc::clone(&shared), publications));
        Ok(Arc::new(Self { shared, queue }))
    }

    pub(super) fn hub(&self) -> &Arc<Hub> {
        &self.shared.hub
    }

    /// Tells the other nodes, if they can be reached.
    pub(super) fn publish(&self, publication: &Arc<Publication>) {
        if self.shared.hub.is_up() && self.queue.try_send(Arc::clone(publication)).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Connects again and again, until the bus is dropped.
async fn run(shared: Arc<Shared>, mut publications: mpsc::Receiver<Arc<Publication>>) {
    let (mut pause, mut told, mut times) = (PAUSE.0, None, 0);
    while !publications.is_closed() {
        let fault = match shared.connect().await {
            Ok((connection, gone)) => {
                let was = times;
                let fault = shared
                    .serve(connection, &gone, &mut publications, &mut times)
                    .await;
                if times > was {
                    (pause, told) = (PAUSE.0, None);
                }
                fault
            }
            Err(fault) => fault,
        };
        shared.hub.set_link(Link::Down);
        shared.connection().take();
        let refused = matches!(fault.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
        if told != Some(refused) {
            tell(&shared.shown, &fault, refused);
            told = Some(refused);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// Says in one sentence why there is no Redis.
fn tell(redis: &str, fault: &RedisError, refused: bool) {
    if refused {
        tracing::warn!(redis, reason = %fault, "Redis (REDIS_URL) refuses this node: its user needs PUBLISH, SUBSCRIBE, UNSUBSCRIBE, PING, EVAL, TIME, GET and SET under PARLOUR_REDIS_PREFIX; this node goes on alone, looks into the database for what others wrote, and keeps trying");
    } else {
        tracing::warn!(redis, reason = %fault, "Redis (REDIS_URL) does not answer; this node goes on alone, looks into the database for what others wrote, and keeps trying");
    }
}

impl Shared {
    fn connection(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, and what is notified when it is lost.
    async fn connect(self: &Arc<Self>) -> RedisResult<(MultiplexedConnection, Arc<Notify>)> {
        let gone = Arc::new(Notify::new());
        let (shared, lost) = (Arc::clone(self), Arc::clone(&gone));
        // Called where the connection is read, so one publication is heard after the other,
        // and a node that does not keep up is what Redis sees of it.
        let heard = move |push: PushInfo| -> Result<(), RedisError> {
            match push.kind {
                PushKind::Message => shared.heard(&push.data),
                PushKind::Disconnection => lost.notify_one(),
                _ => {}
            }
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(COMMAND))
            .set_response_timeout(None)
            .set_push_sender(heard);
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = within(COMMAND, connecting).await?;
        // Who may not publish would be connected until the first message, again and again.
        let mut trial = ::redis::cmd("PUBLISH");
        trial
            .arg(envelope::channel(&self.prefix, Topic::Nodes))
            .arg("");
        within(COMMAND, trial.exec_async(&mut connection)).await?;
        Ok((connection, gone))
    }

    fn heard(&self, data: &[Value]) {
        let [Value::BulkString(channel), Value::BulkString(text)] = data else {
            return;
        };
        if text.starts_with(self.own.as_bytes()) {
            // Delivered when it was published.
            return;
        }
        let Some(topic) = envelope::topic(&self.prefix, channel) else {
            return;
        };
        match envelope::open(text) {
            Some((node, news)) => {
                for one in news {
                    self.hub.deliver(&Publication::from_node(node, topic, one));
                }
            }
            None => tracing::debug!(?topic, "a publication of another version was skipped"),
        }
    }

    /// Runs until the connection is lost; says why.
    async fn serve(
        &self,
        connection: MultiplexedConnection,
        gone: &Notify,
        publications: &mut mpsc::Receiver<Arc<Publication>>,
        times: &mut u64,
    ) -> RedisError {
        let mut followed = follow::Followed::new(self, connection.clone());
        if let Err(fault) = followed.renew().await {
            return fault;
        }
        *times += 1;
        *self.connection() = Some(connection.clone());
        self.hub.set_link(Link::Up(*times));
        tracing::info!(redis = %self.shown, "Redis is connected");
        tokio::select! {
            fault = followed.run() => fault,
            fault = publish::run(self, connection.clone(), publications) => fault,
            fault = ping(connection) => fault,
            () = gone.notified() => closed(),
        }
    }
}

async fn ping(mut connection: MultiplexedConnection) -> RedisError {
    loop {
        tokio::time::sleep(PING).await;
        let command = ::redis::cmd("PING");
        if let Err(fault) = within(COMMAND, command.exec_async(&mut connection)).await {
            return fault;
        }
    }
}

async fn within<T>(
    time: Duration,
    command: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    tokio::time::timeout(time, command)
        .await
        .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
}

fn closed() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into()
}
