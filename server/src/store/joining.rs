//! What a connection reads while it begins and joins rooms, gathered over all that do.
//!
//! A set is answered by one row, a JSON text: in `SQLite` each row would wake two threads. On
//! `PostgreSQL` each statement has one plan, by indexes, for sets of every size.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use parlour_protocol::frame::TicketState;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::gather::Gather;
use super::kept::{Changes, Kept};
use super::members::{MARKS, Marks};
use super::messages::{NAMES, Page, Stored};
use super::sql::{Query, array, query, query_built};
use super::{Database, Pool, Result, Store, StoreError};

/// A ticket in its visitor's list: itself, the newest number of its public room, and its state.
pub type Own = (Uuid, i64, TicketState);

/// A visitor who begins.
#[derive(Clone, Debug)]
pub struct Visiting {
    /// Her name; empty if she gave none.
    pub name: String,
    /// Her newest tickets, at most 50, the newest first.
    pub tickets: Vec<Own>,
}

/// What a room has for whoever joins it.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The entries above the number that was asked for.
    pub page: Page,
    /// The marks of those who have read most.
    pub marks: Vec<Marks>,
    /// The state of the ticket whose public room it is.
    pub state: Option<TicketState>,
}

#[derive(Clone, Copy)]
struct Entering {
    room: Uuid,
    after: i64,
}

/// Entries of one page.
const PAGE: i64 = parlour_protocol::limits::PAGE as i64;
/// Tickets in a visitor's list.
const LISTED: usize = 50;

/// Who works here, by name.
pub type Team = Vec<(Uuid, String)>;

/// The queues, and what is kept.
#[derive(Clone)]
pub(super) struct Joining {
    pub(super) changes: Changes,
    pub(super) origins: Kept<HashSet<(Uuid, String)>>,
    team: Kept<Team>,
    visiting: Gather<Uuid, Option<Visiting>>,
    entering: Gather<Entering, Option<Entered>>,
}

impl Joining {
    /// Reads with these connections; of `PostgreSQL` they are the ones with one plan.
    pub(super) fn start(readers: &Pool) -> Self {
        let changes = Changes::default();
        Self {
            origins: Kept::start(readers, &changes, origins),
            team: Kept::start(readers, &changes, team),
            visiting: gather(readers, visiting),
            entering: gather(readers, entered),
            changes,
        }
    }
}

fn gather<Q, A, F>(readers: &Pool, read: fn(Pool, Vec<Q>) -> F) -> Gather<Q, A>
where
    Q: Send + 'static,
    A: Send + 'static,
    F: Future<Output = Result<Vec<A>>> + Send + 'static,
{
    let readers = readers.clone();
    Gather::start(move |questions| read(readers.clone(), questions))
}

impl Store {
    /// Whether `origin`, exactly as the browser writes it, is listed for the site.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn origin_allowed(&self, site: Uuid, origin: &str) -> Result<bool> {
        let origins = self.joining.origins.ask().await?;
        Ok(origins.contains(&(site, origin.to_owned())))
    }

    /// A visitor who begins, and her tickets.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and what the database reports.
    pub async fn visiting(&self, visitor: Uuid) -> Result<Visiting> {
        let visiting = self.joining.visiting.ask(visitor).await?;
        visiting.ok_or(StoreError::NotFound)
    }

    /// Agents who are not disabled, by name; what another node has changed just now may be missing.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn team(&self) -> Result<Arc<Team>> {
        self.joining.team.ask().await
    }

    /// The same, as they are now.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn agent_names(&self) -> Result<Team> {
        team(self.reader().clone()).await
    }

    /// Sites or agents were changed by this node, and the change is committed.
    pub fn changed(&self) {
        self.joining.changes.note();
    }

    /// A page of a room's entries above `after`, and the marks of those who have read most.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such room, and what the database reports.
    pub async fn entered(&self, room: Uuid, after: i64) -> Result<Entered> {
        let entered = self.joining.entering.ask(Entering { room, after }).await?;
        entered.ok_or(StoreError::NotFound)
    }
}

async fn origins(readers: Pool) -> Result<HashSet<(Uuid, String)>> {
    let rows = query("select site, origin from origins")
        .fetch_all(&readers)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

async fn team(readers: Pool) -> Result<Team> {
    let rows = query("select id, name from agents where disabled_at is null order by name, id")
        .fetch_all(&readers)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// How each database writes JSON: a list over rows, a list of values, a list within another, an id.
struct Json {
    rows: &'static str,
    list: &'static str,
    within: &'static str,
    id: fn(&str) -> String,
}

impl Json {
    fn of(database: Database) -> Self {
        match database {
            Database::Sqlite => Self {
                rows: "json_group_array",
                list: "json_array",
                within: "json",
                id: |column| format!("nullif(hex({column}), '')"),
            },
            Database::Postgres => Self {
                rows: "json_agg",
                list: "json_build_array",
                within: "",
                id: str::to_owned,
            },
        }
    }
}

/// The one answer of a query: a list of what was found, each with its place among the questions.
async fn answers<A: DeserializeOwned>(
    readers: &Pool,
    query: Query,
    asked: usize,
) -> Result<Vec<Option<A>>> {
    let row = query.fetch_one(readers).await?;
    let text: Option<&str> = row.try_get(0)?;
    let found: Vec<(usize, A)> = serde_json::from_str(text.unwrap_or("[]"))
        .map_err(|error| StoreError::Failed(error.to_string().into()))?;
    let mut answers: Vec<Option<A>> = Vec::new();
    answers.resize_with(asked, || None);
    for (place, answer) in found {
        if let Some(slot) = answers.get_mut(place) {
            *slot = Some(answer);
        }
    }
    Ok(answers)
}

async fn visiting(readers: Pool, asked: Vec<Uuid>) -> Result<Vec<Option<Visiting>>> {
    let Json {
        rows,
        list,
        within,
        id,
    } = Json::of(readers.database());
    let places = match readers.database() {
        Database::Sqlite => "(select key as place, unhex(value) as visitor from json_each($1))",
        Database::Postgres => {
            "(select place - 1 as place, visitor from unnest($1::uuid[]) with ordinality a (visitor, place))"
        }
    };
    let ticket = id("own.id");
    // The index gives the newest ones, however many there are.
    let query = query_built(format!(
        "select cast({rows}({list}(asked.place, {list}(v.name, {within}((
             select {rows}({list}({ticket}, own.seq, own.state) order by own.at desc, own.id desc) from (
                 select t.id, r.seq, t.state, t.at from tickets t join rooms r on r.id = t.id
                 where t.visitor = v.id order by t.at desc, t.id desc limit {LISTED}) own)))
         )) as text) from {places} asked join visitors v on v.id = asked.visitor"
    ));
    let count = asked.len();
    let found = answers::<(String, Option<Vec<Own>>)>(&readers, query.bind(asked), count).await?;
    let visiting = |(name, tickets): (String, Option<Vec<Own>>)| Visiting {
        name,
        tickets: tickets.unwrap_or_default(),
    };
    Ok(found.into_iter().map(|found| found.map(visiting)).collect())
}

/// A room, as the query answers.
#[derive(Deserialize)]
struct Read {
    position: i64,
    state: Option<TicketState>,
    entries: Option<Vec<Stored>>,
    marks: Option<Vec<Marks>>,
}

/// Nothing for a room that is not there.
async fn entered(readers: Pool, asked: Vec<Entering>) -> Result<Vec<Option<Entered>>> {
    let json = Json::of(readers.database());
    let query = query_built(entered_sql(readers.database(), &json));
    let rooms = asked.iter().map(|entering| entering.room);
    let query = match readers.database() {
        Database::Sqlite => {
            let keys = asked
                .iter()
                .map(|entering| (entering.room.simple(), entering.after));
            query.bind(array(keys))
        }
        Database::Postgres => query.bind(rooms.collect::<Vec<_>>()).bind(
            asked
                .iter()
                .map(|entering| entering.after)
                .collect::<Vec<_>>(),
        ),
    };
    let found = answers::<Read>(&readers, query, asked.len()).await?;
    let entered = |read: Read| {
        let entries = read.entries.unwrap_or_default();
        let more = entries.last().is_some_and(|last| last.seq < read.position);
        Entered {
            page: Page {
                entries,
                more,
                position: read.position,
            },
            marks: read.marks.unwrap_or_default(),
            state: read.state,
        }
    };
    Ok(found.into_iter().map(|found| found.map(entered)).collect())
}

/// In the order of the fields of [`Read`], [`Stored`] and [`Marks`].
fn entered_sql(database: Database, json: &Json) -> String {
    let Json {
        rows,
        list,
        within,
        id,
    } = json;
    let places = match database {
        Database::Sqlite => {
            "(select key as place, unhex(value ->> 0) as room, value ->> 1 as after from jsonb_each($1))"
        }
        Database::Postgres => {
            "(select place - 1 as place, room, after from unnest($1::uuid[], $2::bigint[]) with ordinality a (room, after, place))"
        }
    };
    let ids = ["m.room", "m.cid", "m.author", "m.whom", "p.person"];
    let [room, cid, author, whom, person] = ids.map(id);
    // Numbers have no holes, so that they bound the page.
    format!(
        "select cast({rows}({list}(asked.place, {list}(r.seq, (select t.state from tickets t where t.id = r.id),
             {within}((select {rows}({list}({room}, m.seq, {cid}, m.at, m.rev, m.kind, {author}, m.author_role,
                  coalesce(a.name, v.name, ''), m.text, m.what, {whom}, coalesce(w.name, '')) order by m.seq)
              from messages m {NAMES} where m.room = r.id and m.seq > asked.after and m.seq <= asked.after + {PAGE})),
             {within}((select {rows}({list}({person}, p.delivered, p.read)) from (
                  select * from members where room = r.id order by read desc, person limit {MARKS}) p))
         ))) as text) from {places} asked join rooms r on r.id = asked.room"
    )
}
