//! The pages of the agents: server-rendered, and kept live over the same protocol as the widget.
//!
//! Every page works without JavaScript; forms answer with a redirect, or with the form again and
//! what is wrong with it. The live script sends the same forms with `Accept: application/json`
//! and gets a status, or a problem document.
//!
//! - [`sign_in`], [`setup`], [`invite`], [`reset`]: before there is somebody
//! - [`tickets`] with [`ticket_list`], [`thread`], [`around`], [`context`], [`states`] and [`counts`]; [`rooms`]; [`messages`]; [`search`]: the daily work
//! - [`agents`], [`sites`], [`account`]: settings
//! - [`live`]: the same views as fragments
//! - [`viewer`], [`shell`], [`answer`], [`forms`], [`flash`], [`errors`]: what all of them use

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;

use crate::Shared;
use crate::http::compression;

pub mod live;

mod account;
mod agents;
mod answer;
mod around;
mod context;
mod counts;
mod errors;
mod flash;
mod forms;
mod invite;
mod messages;
mod reset;
mod rooms;
mod search;
mod setup;
mod shell;
mod sign_in;
mod sites;
mod states;
mod thread;
mod ticket_list;
mod tickets;
mod viewer;

pub use errors::page as error_page;

/// The largest form, in bytes: the longest message, with every character escaped.
const MAX_FORM: usize = 128 * 1024;

/// The routes of who is not signed in yet: whoever guesses passwords or links comes by these.
pub fn doors() -> Router<Shared> {
    dressed(
        Router::new()
            .merge(sign_in::routes())
            .merge(setup::routes())
            .merge(invite::routes())
            .merge(reset::routes()),
    )
}

/// The routes of all other pages.
pub fn router() -> Router<Shared> {
    dressed(
        Router::new()
            .merge(tickets::routes())
            .merge(states::routes())
            .merge(counts::routes())
            .merge(around::routes())
            .merge(rooms::routes())
            .merge(sites::routes())
            .layer(compression::layer())
            .merge(search::routes())
            .merge(agents::routes())
            .merge(account::routes()),
    )
}

fn dressed(routes: Router<Shared>) -> Router<Shared> {
    routes
        .layer(from_fn(errors::dress))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}
