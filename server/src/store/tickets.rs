//! Tickets: a visitor's conversation, and its life.

use uuid::Uuid;

use super::append::{self, Author};
use super::messages::Stored;
use super::sql::{Row, query, query_built, query_scalar};
use super::{Connection, Result, Store, StoreError};
use crate::clock::Micros;
use parlour_protocol::frame::TicketState;

mod list;

pub use list::{Assigned, Below, Counts, Filter};

/// A ticket with what its row and its pane show.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The ticket, and its public room.
    pub id: Uuid,
    /// Its staff room.
    pub staff_room: Uuid,
    /// Its revision.
    pub rev: i64,
    /// Its state.
    pub state: TicketState,
    /// If it is snoozed: until when.
    pub snoozed_until: Option<Micros>,
    /// Its site.
    pub site: Uuid,
    /// The site's name.
    pub site_name: String,
    /// Whose it is, and that agent's name.
    pub assignee: Option<(Uuid, String)>,
    /// Its visitor.
    pub visitor: Visitor,
    /// The newest number of the public room.
    pub position: i64,
    /// Of the newest entry.
    pub at: Micros,
    /// The newest text.
    pub preview: String,
    /// The agent who wrote it, or nobody if it was the visitor.
    pub preview_by: Option<String>,
    /// Where it was opened: address and title.
    pub page: (String, String),
    /// When it was opened.
    pub created_at: Micros,
    /// The visitor's marks in the public room: delivered and read up to.
    pub marks: (i64, i64),
}

/// A ticket's visitor; agents only see this.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Her id.
    pub id: Uuid,
    /// Her name; empty if she gave none.
    pub name: String,
    /// Her e-mail address, or empty.
    pub email: String,
    /// Where she is now: address and title.
    pub page: (String, String),
    /// Where she came from.
    pub referrer: String,
    /// Her browser, in words.
    pub browser: String,
    /// Her language.
    pub locale: String,
    /// Her time zone, by IANA name.
    pub zone: String,
    /// When she was first and last here.
    pub seen: (Micros, Micros),
}

/// The word that the database has for a state.
#[must_use]
pub fn state_text(state: TicketState) -> &'static str {
    match state {
        TicketState::Open => "open",
        TicketState::Pending => "pending",
        TicketState::Snoozed => "snoozed",
        TicketState::Resolved => "resolved",
    }
}

/// The state of a word, if there is one.
#[must_use]
pub fn state_parse(text: &str) -> Option<TicketState> {
    match text {
        "open" => Some(TicketState::Open),
        "pending" => Some(TicketState::Pending),
        "snoozed" => Some(TicketState::Snoozed),
        "resolved" => Some(TicketState::Resolved),
        _ => None,
    }
}

const SELECT: &str = "select t.id, t.staff_room, t.rev, t.state, t.snoozed_until, t.site, s.name as site_name, t.assignee, a.name as assignee_name,
        t.visitor, v.name as visitor_name, v.email, v.page as now_page, v.title as now_title, v.referrer, v.browser, v.locale, v.zone,
        v.created_at as first_seen, v.seen_at, r.seq, t.at, t.preview, t.preview_by, t.preview_name, t.page, t.title, t.created_at,
        coalesce(m.delivered, 0) as delivered, coalesce(m.read, 0) as read
     from tickets t join rooms r on r.id = t.id join sites s on s.id = t.site join visitors v on v.id = t.visitor
     left join agents a on a.id = t.assignee left join members m on m.room = t.id and m.person = t.visitor";

fn ticket(row: &Row) -> Result<Ticket> {
    let assignee: Option<Uuid> = row.try_get("assignee")?;
    let by: &str = row.try_get("preview_by")?;
    Ok(Ticket {
        id: row.try_get("id")?,
        staff_room: row.try_get("staff_room")?,
        rev: row.try_get("rev")?,
        state: state_parse(row.try_get("state")?)
            .ok_or_else(|| StoreError::Failed("a ticket in an unknown state".into()))?,
        snoozed_until: row.try_get("snoozed_until")?,
        site: row.try_get("site")?,
        site_name: row.try_get("site_name")?,
        assignee: match assignee {
            Some(id) => Some((
                id,
                row.try_get::<Option<String>, _>("assignee_name")?
                    .unwrap_or_default(),
            )),
            None => None,
        },
        visitor: Visitor {
            id: row.try_get("visitor")?,
            name: row.try_get("visitor_name")?,
            email: row.try_get("email")?,
            page: (row.try_get("now_page")?, row.try_get("now_title")?),
            referrer: row.try_get("referrer")?,
            browser: row.try_get("browser")?,
            locale: row.try_get("locale")?,
            zone: row.try_get("zone")?,
            seen: (row.try_get("first_seen")?, row.try_get("seen_at")?),
        },
        position: row.try_get("seq")?,
        at: row.try_get("at")?,
        preview: row.try_get("preview")?,
        preview_by: if by == "agent" {
            Some(row.try_get("preview_name")?)
        } else {
            None
        },
        page: (row.try_get("page")?, row.try_get("title")?),
        created_at: row.try_get("created_at")?,
        marks: (row.try_get("delivered")?, row.try_get("read")?),
    })
}

impl Store {
    /// A ticket.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and what the database reports.
    pub async fn ticket(&self, id: Uuid) -> Result<Ticket> {
        let sql = format!("{SELECT} where t.id = $1");
        ticket(&query_built(sql).bind(id).fetch_one(self.reader()).await?)
    }

    /// Those of `ids` that exist.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn tickets(&self, ids: &[Uuid]) -> Result<Vec<Ticket>> {
        let asked = self.database().ids("$1");
        let sql = format!("{SELECT} where t.id in {asked}");
        query_built(sql)
            .bind(ids)
            .fetch_all(self.reader())
            .await?
            .iter()
            .map(ticket)
            .collect()
    }

    /// A visitor's tickets, the newest first: id, position, state.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn tickets_of(
        &self,
        visitor: Uuid,
        limit: i64,
    ) -> Result<Vec<(Uuid, i64, TicketState)>> {
        let rows = query(
            "select t.id, r.seq, t.state from tickets t join rooms r on r.id = t.id
             where t.visitor = $1 order by t.at desc, t.id desc limit $2",
        )
        .bind(visitor)
        .bind(limit)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get(0)?,
                    row.try_get(1)?,
                    state_parse(row.try_get(2)?).unwrap_or_default(),
                ))
            })
            .collect()
    }
}

/// Raises a ticket's revision, because something that its row shows has changed.
pub(crate) async fn touch(connection: &mut Connection, id: Uuid) -> Result<()> {
    query("update tickets set rev = rev + 1 where id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives a ticket to an agent, or to nobody; what was recorded, or nothing if it was so already.
pub(crate) async fn assign(
    connection: &mut Connection,
    id: Uuid,
    author: &Author,
    assignee: Option<Uuid>,
) -> Result<Vec<Stored>> {
    append::lock(connection, id).await?;
    let row = query("select staff_room, assignee from tickets where id = $1")
        .bind(id)
        .fetch_one(&mut *connection)
        .await?;
    let staff: Uuid = row.try_get(0)?;
    let before: Option<Uuid> = row.try_get(1)?;
    if before == assignee {
        return Ok(Vec::new());
    }
    let whom = match assignee {
        Some(agent) => {
            let name: String =
                query_scalar("select name from agents where id = $1 and disabled_at is null")
                    .bind(agent)
                    .fetch_one(&mut *connection)
                    .await?;
            Some((agent, name))
        }
        None => None,
    };
    query("update tickets set assignee = $2, rev = rev + 1 where id = $1")
        .bind(id)
        .bind(assignee)
        .execute(&mut *connection)
        .await?;
    let what = if assignee.is_some() {
        "assigned"
    } else {
        "unassigned"
    };
    Ok(vec![
        append::happened(connection, staff, author, what, whom).await?,
    ])
}
