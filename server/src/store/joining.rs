//! What a connection reads while it begins and joins rooms, gathered over all that do.

use std::collections::HashMap;
use std::future::Future;

use serde_json::json;
use uuid::Uuid;

use super::gather::Gather;
use super::members::{MARKS, Marks};
use super::messages::{COLUMNS, NAMES, Page, stored};
use super::sql::{Row, query, query_built};
use super::tickets::state_parse;
use super::{Database, Pool, Result, Store, StoreError};
use parlour_protocol::frame::TicketState;

/// A ticket in its visitor's list: itself, the newest number of its public room, and its state.
pub type Own = (Uuid, i64, TicketState);

/// What a room has for whoever joins it.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The entries above the number that was asked for.
    pub page: Page,
    /// The marks of those who have read most.
    pub marks: Vec<Marks>,
}

struct Entering {
    room: Uuid,
    after: i64,
}

/// Entries of one page.
const PAGE: i64 = parlour_protocol::limits::PAGE as i64;
/// Tickets in a visitor's list.
const LISTED: usize = 50;

/// The queues.
#[derive(Clone)]
pub(super) struct Joining {
    origins: Gather<(Uuid, String), bool>,
    names: Gather<Uuid, Option<String>>,
    tickets: Gather<Uuid, Vec<Own>>,
    team: Gather<(), Vec<(Uuid, String)>>,
    entering: Gather<Entering, Option<Entered>>,
}

impl Joining {
    pub(super) fn start(readers: &Pool) -> Self {
        Self {
            origins: gather(readers, origins),
            names: gather(readers, names),
            tickets: gather(readers, tickets),
            team: gather(readers, teams),
            entering: gather(readers, entered),
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
        self.joining.origins.ask((site, origin.to_owned())).await
    }

    /// A visitor's name; empty if she gave none.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and what the database reports.
    pub async fn visitor_name(&self, visitor: Uuid) -> Result<String> {
        let name = self.joining.names.ask(visitor).await?;
        name.ok_or(StoreError::NotFound)
    }

    /// The newest tickets of a visitor, at most 50, the newest first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn own_tickets(&self, visitor: Uuid) -> Result<Vec<Own>> {
        self.joining.tickets.ask(visitor).await
    }

    /// Agents who are not disabled, by name.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn agent_names(&self) -> Result<Vec<(Uuid, String)>> {
        self.joining.team.ask(()).await
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

/// A row's question, by its place.
fn place(row: &Row) -> Result<usize> {
    usize::try_from(row.try_get::<i64, _>("place")?)
        .map_err(|_| StoreError::Failed("a row of no question".into()))
}

async fn origins(readers: Pool, asked: Vec<(Uuid, String)>) -> Result<Vec<bool>> {
    let pairs: Vec<_> = asked
        .iter()
        .map(|(site, origin)| json!([site.simple().to_string(), origin]))
        .collect();
    let rows = query(match readers.database() {
        Database::Sqlite => {
            "select exists (select 1 from origins o where o.site = unhex(value ->> 0) and o.origin = value ->> 1)
             from json_each($1) order by key"
        }
        Database::Postgres => {
            "select exists (select 1 from origins o where o.site = cast(value ->> 0 as uuid) and o.origin = value ->> 1)
             from json_array_elements(cast($1 as json)) with ordinality asked (value, place) order by place"
        }
    })
    .bind(json!(pairs).to_string())
    .fetch_all(&readers)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn names(readers: Pool, asked: Vec<Uuid>) -> Result<Vec<Option<String>>> {
    let ids = readers.database().ids("$1");
    let rows = query_built(format!("select id, name from visitors where id in {ids}"))
        .bind(asked.as_slice())
        .fetch_all(&readers)
        .await?;
    let names = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<HashMap<Uuid, String>>>()?;
    Ok(asked.iter().map(|id| names.get(id).cloned()).collect())
}

async fn tickets(readers: Pool, asked: Vec<Uuid>) -> Result<Vec<Vec<Own>>> {
    let mut lists = vec![Vec::new(); asked.len()];
    // The index gives the newest ones, however many there are.
    let rows = query_built(match readers.database() {
        Database::Sqlite => format!(
            "select a.key as place, t.id, r.seq, t.state from json_each($1) a
             join tickets t on t.id in
                 (select x.id from tickets x where x.visitor = unhex(a.value) order by x.at desc, x.id desc limit {LISTED})
             join rooms r on r.id = t.id order by a.key, t.at desc, t.id desc"
        ),
        Database::Postgres => format!(
            "select a.place - 1 as place, t.id, r.seq, t.state from unnest($1::uuid[]) with ordinality a (visitor, place)
             cross join lateral (select x.id, x.at, x.state from tickets x where x.visitor = a.visitor
                                 order by x.at desc, x.id desc limit {LISTED}) t
             join rooms r on r.id = t.id order by a.place, t.at desc, t.id desc"
        ),
    })
    .bind(asked)
    .fetch_all(&readers)
    .await?;
    for row in &rows {
        if let Some(list) = lists.get_mut(place(row)?) {
            let state = state_parse(row.try_get(3)?).unwrap_or_default();
            list.push((row.try_get(1)?, row.try_get(2)?, state));
        }
    }
    Ok(lists)
}

async fn teams(readers: Pool, asked: Vec<()>) -> Result<Vec<Vec<(Uuid, String)>>> {
    let rows = query("select id, name from agents where disabled_at is null order by name, id")
        .fetch_all(&readers)
        .await?;
    let team = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(vec![team; asked.len()])
}

/// Nothing for a room that is not there.
async fn entered(readers: Pool, asked: Vec<Entering>) -> Result<Vec<Option<Entered>>> {
    let places = match readers.database() {
        Database::Sqlite => {
            "(select key as place, unhex(value ->> 0) as room, value ->> 1 as after from json_each($1))"
        }
        Database::Postgres => {
            "(select place - 1 as place, cast(value ->> 0 as uuid) as room, cast(value ->> 1 as bigint) as after
              from json_array_elements(cast($1 as json)) with ordinality a (value, place))"
        }
    };
    let keys = asked
        .iter()
        .map(|entering| json!([entering.room.simple().to_string(), entering.after]));
    let keys = json!(keys.collect::<Vec<_>>()).to_string();
    // Numbers have no holes, so that they bound the page.
    let pages = format!(
        "select asked.place, r.seq as position, m.seq as entry, {COLUMNS}
         from {places} asked join rooms r on r.id = asked.room
         left join messages m on m.room = r.id and m.seq > asked.after and m.seq <= asked.after + {PAGE} {NAMES}
         order by asked.place, m.seq"
    );
    let marks = format!(
        "select asked.place, m.person, m.delivered, m.read from {places} asked join members m on m.room = asked.room
         order by asked.place, m.read desc, m.person"
    );
    let (pages, marks) = tokio::try_join!(
        query_built(pages).bind(&keys).fetch_all(&readers),
        query_built(marks).bind(&keys).fetch_all(&readers),
    )?;
    let mut found: Vec<Option<Entered>> = vec![None; asked.len()];
    for row in &pages {
        let Some(slot) = found.get_mut(place(row)?) else {
            continue;
        };
        let position = row.try_get("position")?;
        let entered = slot.get_or_insert_with(|| Entered {
            page: Page {
                entries: Vec::new(),
                more: false,
                position,
            },
            marks: Vec::new(),
        });
        if row.try_get::<Option<i64>, _>("entry")?.is_some() {
            let entry = stored(row)?;
            entered.page.more = entry.seq < position;
            entered.page.entries.push(entry);
        }
    }
    for row in &marks {
        if let Some(Some(entered)) = found.get_mut(place(row)?)
            && entered.marks.len() < MARKS as usize
        {
            entered.marks.push(Marks {
                person: row.try_get("person")?,
                delivered: row.try_get("delivered")?,
                read: row.try_get("read")?,
            });
        }
    }
    Ok(found)
}
