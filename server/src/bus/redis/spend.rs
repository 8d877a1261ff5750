//! Allowances that hold over all nodes: counted in Redis, by Redis's own clock.

use std::time::Duration;

use super::{Redis, within};
use crate::bus::Allowance;

/// The answer is on the path of whoever asks, so it must come at once or not at all.
const PATIENCE: Duration = Duration::from_millis(50);

/// The key holds when everything that was spent would have been earned (the generic cell rate
/// algorithm, which governor counts by as well). Microseconds to wait, or 0 if it was spent.
const SCRIPT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local earned = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + tonumber(ARGV[1])
local wait = earned - now - tonumber(ARGV[2])
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.0f', earned), 'PX', math.ceil((earned - now) / 1000))
return 0
";

impl Redis {
    /// Spends of somebody's allowance; how long to wait if it does not suffice. Without an
    /// answer it does: each node counts for itself as well.
    pub(in crate::bus) async fn spend(
        &self,
        what: &str,
        who: &str,
        count: u32,
        allowance: Allowance,
    ) -> Option<Duration> {
        let mut connection = self.shared.connection().clone()?;
        let each = 1_000_000 / u64::from(allowance.per_second.max(1));
        let mut command = ::redis::cmd("EVAL");
        command
            .arg(SCRIPT)
            .arg(1)
            .arg(format!("{}{what}:{who}", self.shared.prefix))
            .arg(each * u64::from(count))
            .arg(each * u64::from(allowance.burst));
        let answer = within(PATIENCE, command.query_async::<u64>(&mut connection)).await;
        match answer {
            Ok(0) => None,
            Ok(wait) => Some(Duration::from_micros(wait)),
            Err(error) => {
                tracing::debug!(%error, "an allowance was counted on this node alone");
                None
            }
        }
    }
}
