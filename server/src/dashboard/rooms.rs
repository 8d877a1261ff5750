//! The agents' own rooms. Every route enters the room first: who is no member, the owner
//! included, gets the same answer as for a room that does not exist.

use axum::extract::{Query as Address, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use parlour_admin_templates::{
    LiveRoom, Moment, NewRoomView, PersonView, Problems, RoomListView, RoomRowView, RoomView,
    RoomsPage, Section, Word,
};
use parlour_protocol::frame::RoomKind;
use serde::Deserialize;
use uuid::Uuid;

use super::answer::{self, Wants};
use super::flash::Flash;
use super::messages::{self, Refused};
use super::shell::{self, Wanted};
use super::thread;
use super::viewer::{Key, Keys, Viewer};
use crate::Shared;
use crate::chat::text;
use crate::error::Error;
use crate::store::rooms::{Kind, Listed, Room};

/// The longest preview in the list, in characters.
const PREVIEW: usize = 140;

/// The routes.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/rooms", get(list).post(create))
        .route("/rooms/direct", post(direct))
        .route("/rooms/{id}", get(show))
        .route("/rooms/{id}/messages", post(write))
        .route("/rooms/{id}/members", post(add))
        .route("/rooms/{id}/members/{agent}/remove", post(remove))
        .route("/rooms/{id}/leave", post(leave))
}

/// The room, if it is the agents' own and the viewer a member.
async fn enter(app: &Shared, viewer: &Viewer, id: Uuid) -> Result<Room, Error> {
    let found = app.chat.enter(&viewer.actor(), id).await?;
    if found.kind.is_private() {
        Ok(found)
    } else {
        Err(Error::NotFound)
    }
}

async fn list(State(app): State<Shared>, viewer: Viewer) -> Result<Response, Error> {
    render_list(&app, &viewer, StatusCode::OK, NewRoomView::default()).await
}

async fn render_list(
    app: &Shared,
    viewer: &Viewer,
    status: StatusCode,
    new: NewRoomView,
) -> Result<Response, Error> {
    let rooms = app.store.rooms_of(viewer.agent.id).await?;
    let page = RoomsPage {
        shell: shell::of(app, viewer, Section::Rooms, Wanted::default()).await?,
        list: list_view(app, viewer, &rooms, None).await?,
        room: None,
        new: NewRoomView {
            agents: colleagues(app, viewer).await?,
            ..new
        },
    };
    Ok(answer::page(app, viewer, status, &page))
}

async fn list_view(
    app: &Shared,
    viewer: &Viewer,
    rooms: &[Listed],
    current: Option<Uuid>,
) -> Result<RoomListView, Error> {
    let news = app.store.room_news(viewer.agent.id).await?;
    let row = |room: &Listed| {
        let news = news.get(&room.id).cloned().unwrap_or_default();
        RoomRowView {
            id: room.id.to_string(),
            kind: kind(room.kind),
            name: room.name.clone(),
            peer: room.other.map(|other| person(app, other, &room.name)),
            preview: text::preview(&text::runs_markdown(&news.newest), PREVIEW),
            at: (room.at > 0).then_some(Moment(room.at)),
            position: crate::unsigned(room.position),
            read: crate::unsigned(room.read),
            unread: crate::unsigned(news.unread),
            current: current == Some(room.id),
        }
    };
    let of = |wanted| rooms.iter().filter(move |room| room.kind == wanted);
    let mut teams: Vec<_> = of(Kind::Team).map(row).collect();
    teams.sort_by_key(|row| row.name.to_lowercase());
    Ok(RoomListView {
        direct: of(Kind::Direct).map(row).collect(),
        teams,
    })
}

fn kind(kind: Kind) -> RoomKind {
    match kind {
        Kind::Public => RoomKind::Public,
        Kind::Staff => RoomKind::Staff,
        Kind::Direct => RoomKind::Direct,
        Kind::Team => RoomKind::Team,
    }
}

fn person(app: &Shared, id: Uuid, name: &str) -> PersonView {
    PersonView::agent(id.to_string(), name).with_presence(app.chat.presence.state(id))
}

/// All other agents who are not disabled.
async fn colleagues(app: &Shared, viewer: &Viewer) -> Result<Vec<PersonView>, Error> {
    let agents = app.store.agent_names().await?;
    Ok(agents
        .iter()
        .filter(|(id, _)| *id != viewer.agent.id)
        .map(|(id, name)| person(app, *id, name))
        .collect())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Params {
    before: String,
}

async fn show(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    Address(params): Address<Params>,
) -> Result<Response, Error> {
    let before = params
        .before
        .parse()
        .ok()
        .filter(|before: &i64| *before > 0);
    render(&app, &viewer, id, before, None).await
}

/// The page of a room; `refused` is a message that was not stored.
async fn render(
    app: &Shared,
    viewer: &Viewer,
    id: Uuid,
    before: Option<i64>,
    refused: Option<(&messages::Form, &Refused)>,
) -> Result<Response, Error> {
    let found = enter(app, viewer, id).await?;
    let thread = thread::of_room(&app.chat, &viewer.actor(), id, before).await?;
    let rooms = app.store.rooms_of(viewer.agent.id).await?;
    let own = rooms
        .iter()
        .find(|room| room.id == id)
        .ok_or(Error::NotFound)?;
    let members = app.store.members_of(id).await?;
    let candidates = colleagues(app, viewer).await?.into_iter();
    let kind = kind(found.kind);
    let live = LiveRoom {
        room: id.to_string(),
        kind: kind.key(),
        seq: crate::unsigned(thread.newest.0),
        read: crate::unsigned(own.read),
    };
    // An older page does not grow at its end.
    let wanted = Wanted {
        rooms: if before.is_none() {
            vec![live]
        } else {
            Vec::new()
        },
        ..Wanted::default()
    };
    let view = RoomView {
        id: id.to_string(),
        kind,
        name: own.name.clone(),
        peer: own.other.map(|other| person(app, other, &own.name)),
        candidates: candidates
            .filter(|agent| {
                members
                    .iter()
                    .all(|member| member.id.to_string() != agent.id)
            })
            .collect(),
        members: members
            .iter()
            .map(|member| person(app, member.id, &member.name))
            .collect(),
        thread: thread.view,
        composer: messages::composer(format!("/rooms/{id}/messages"), thread.newest.0, refused),
    };
    let page = RoomsPage {
        shell: shell::of(app, viewer, Section::Rooms, wanted).await?,
        list: list_view(app, viewer, &rooms, Some(id)).await?,
        room: Some(view),
        new: NewRoomView::default(),
    };
    let status = refused.map_or(StatusCode::OK, |(_, why)| why.status());
    Ok(answer::page(app, viewer, status, &page))
}

async fn write(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    Form(form): Form<messages::Form>,
) -> Result<Response, Error> {
    enter(&app, &viewer, id).await?;
    match messages::send(&app, &viewer, id, &form).await? {
        Ok(cid) => Ok(answer::done(
            &app,
            &viewer,
            &format!("/rooms/{id}#m-{cid}"),
            None,
        )),
        Err(why) if viewer.wants == Wants::Data => Err(why.error()),
        Err(why) => render(&app, &viewer, id, None, Some((&form, &why))).await,
    }
}

/// A new team room. Its members come as repeated fields, which only pairs can hold.
async fn create(
    State(app): State<Shared>,
    viewer: Viewer,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Error> {
    let all = |key: &str| {
        fields
            .iter()
            .filter(|(name, _)| name == key)
            .map(|(_, value)| value.clone())
            .collect::<Vec<_>>()
    };
    let name = all("name").pop().unwrap_or_default();
    let members = all("members");
    let ids = members
        .iter()
        .map(|member| Uuid::try_parse(member))
        .collect::<Result<Vec<_>, _>>();
    let result = match ids {
        Ok(ids) => app.chat.team_room(&viewer.actor(), &name, &ids).await,
        Err(_) => Err(Error::NotFound),
    };
    let problems = match result {
        Ok(room) => return Ok(answer::done(&app, &viewer, &format!("/rooms/{room}"), None)),
        Err(error) if viewer.wants == Wants::Data => return Err(error),
        Err(Error::Invalid {
            field: "name",
            reason,
        }) => Problems::default().with("name", super::forms::sentence(&reason)),
        Err(Error::Invalid { reason, .. }) => Problems::whole(super::forms::sentence(&reason)),
        Err(Error::NotFound) => {
            Problems::whole("One of the members cannot be added. Choose again.")
        }
        Err(error) => return Err(error),
    };
    let new = NewRoomView {
        name,
        members,
        problems,
        ..NewRoomView::default()
    };
    render_list(&app, &viewer, StatusCode::UNPROCESSABLE_ENTITY, new).await
}

#[derive(Deserialize)]
struct AgentForm {
    agent: String,
}

impl AgentForm {
    fn id(&self) -> Result<Uuid, Error> {
        Uuid::try_parse(&self.agent).map_err(|_| Error::NotFound)
    }
}

async fn direct(
    State(app): State<Shared>,
    viewer: Viewer,
    Form(form): Form<AgentForm>,
) -> Result<Response, Error> {
    let room = app.chat.direct(&viewer.actor(), form.id()?).await?;
    Ok(answer::done(&app, &viewer, &format!("/rooms/{room}"), None))
}

async fn add(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    Form(form): Form<AgentForm>,
) -> Result<Response, Error> {
    enter(&app, &viewer, id).await?;
    let result = app.chat.add_member(&viewer.actor(), id, form.id()?).await;
    changed(&app, &viewer, id, result, Flash::MemberAdded)
}

async fn remove(
    State(app): State<Shared>,
    viewer: Viewer,
    Keys(id, agent): Keys,
) -> Result<Response, Error> {
    enter(&app, &viewer, id).await?;
    let result = app.chat.remove_member(&viewer.actor(), id, agent).await;
    if agent == viewer.agent.id {
        result?;
        return Ok(answer::done(&app, &viewer, "/rooms", Some(Flash::LeftRoom)));
    }
    changed(&app, &viewer, id, result, Flash::MemberRemoved)
}

async fn leave(State(app): State<Shared>, viewer: Viewer, Key(id): Key) -> Result<Response, Error> {
    enter(&app, &viewer, id).await?;
    app.chat
        .remove_member(&viewer.actor(), id, viewer.agent.id)
        .await?;
    Ok(answer::done(&app, &viewer, "/rooms", Some(Flash::LeftRoom)))
}

/// Back to the room: the viewer is in it, so that it exists is no secret to her.
fn changed(
    app: &Shared,
    viewer: &Viewer,
    id: Uuid,
    result: Result<(), Error>,
    flash: Flash,
) -> Result<Response, Error> {
    let flash = match result {
        Ok(()) => flash,
        Err(Error::NotFound) if viewer.wants == Wants::Page => Flash::RoomClosed,
        Err(error) => return Err(error),
    };
    Ok(answer::done(
        app,
        viewer,
        &format!("/rooms/{id}"),
        Some(flash),
    ))
}
