//! All that an agent sees: view structs, pages, partials, stylesheet, scripts and icons.
//!
//! No rules and no database stand here. The server fills the structs, and each page renders itself.
//!
//! In reading order:
//! - [`shell`]: what stands around every page, and what the live script is told
//! - [`tickets`], [`rooms`]: the list, the thread, the context
//! - [`message`]: an entry of a room, for the page and for the live fragment
//! - [`search`]: what was found
//! - [`agents`], [`sites`], [`account`]: the settings
//! - [`entry`], [`error`]: the pages before sign-in, and those that could not be shown
//! - [`person`], [`moment`], [`words`], [`form`]: what all of them use
//!
//! Beside them lies `assets/`: what the server delivers under hashed names.
//!
//! # Hooks for the live script
//!
//! `page.js` and its parts in `page/` work on every page without a connection; `dashboard.js` makes
//! pages live.
//! The two meet in attributes alone.
//!
//! | hook | what it is |
//! | --- | --- |
//! | `#live-data[data-live]` | the JSON of [`Live`] |
//! | `body[data-me]` | the agent's id; `page.js` gives the class `own` to her messages |
//! | `[data-connection]` | the banner; set `data-state` to `live`, `connecting`, `waiting` or `stopped`, and put the words into `[data-connection-text]`. Only `waiting` and `stopped` show it |
//! | `[data-action=reconnect]` | in the banner: try now |
//! | `[data-live-list]` | the `<ul>` of ticket rows `#t-{id}`; `[data-live-list-empty]` is shown by CSS when it has none |
//! | `#t-{id}` | `data-id`, `data-rev`, `data-at` (µs), `data-position`, `data-state`, `data-assignee`, `data-site`; on pages also `data-read`, which a fragment lacks: carry it over, and the link's query and `aria-current` too |
//! | `[data-unread]` | a count; the text is the number, `hidden` at 0. In `#t-…`, `#r-…` and the navigation (`[data-nav-unread=tickets|rooms]`) |
//! | `[data-count=open|mine|unassigned|pending|snoozed|resolved]` | the counts on the list's tabs and in its menu; with the unread ones from `/tickets/counts?rows=ID.ID` |
//! | `[data-live-thread]` | the `role="log"` that holds entries; `data-room`, `data-staff-room`. Insert fragments in the order `(data-at, data-room, data-seq)`. `page.js` watches it and adds days, grouping, `own` and local times; so insert, and do no more. Set `aria-busy` while older entries are put in |
//! | `#m-{cid}` | `data-kind` (`message`, `note`, `event`, `deleted`), `data-room`, `data-seq`, `data-at` (µs), `data-rev`, `data-author`, `data-role`; set `data-tick` (`sent`, `delivered`, `read`) on own ones |
//! | `template[data-pending]` | an own message under way: clone, set the id `m-{cid}`, `data-room`, the class `own`, `data-kind` and `.bubble`'s textContent; `data-state` is `sending`, `failed` or, when a colleague answered meanwhile, `held`, with her name in `[data-held]`; its buttons are `[data-action=retry]` and `[data-action=discard]` |
//! | `[data-scroll]` | what scrolls around the thread |
//! | `[data-older]` | the link to older entries; remove it when there are none |
//! | `[data-new-pill]` | "New messages": show it (`hidden`) when the reader is away from the end; a click scrolls down (`page.js`) |
//! | `[data-typing-line]` | set textContent to "Ada is typing…"; empty hides it |
//! | `[data-presence=ID]` | set `data-state` (`online`, `away`, `offline`) and the text of `[data-presence-word]` in it |
//! | `[data-composer]` | the form; radio buttons `room` (`public`, `staff`) for a ticket, hidden `cid`, textarea `text`, `[data-composer-error]`. `page.js` submits it on Mod+Enter by `requestSubmit`, so one `submit` listener is enough. Direct and team rooms have no `room` field |
//! | `form[data-live-form=state|assignee]` | may be sent by fetch instead; `[data-ticket-state]`, `[data-ticket-assignee]` show the outcome |
//! | `.thread-head`, `.thread-notice`, `.context-pane` | `/tickets/{id}/around` renders them again: take over their children, then dispatch `parlour:fresh` with the element as its `detail`, so that `page.js` puts its times right |
//! | `[data-waiting]` | on the install page: `page.js` asks `/sites/{id}/seen` (`{"seen":bool,"ticket":"id"\|null}`) and sets `data-state` to `waiting`, `seen` or `arrived` |
//! | `[data-toasts]` | add toasts by `document.dispatchEvent(new CustomEvent("parlour:toast", {detail: {text, tone, undo}}))`, tone `ok` or `danger`; `undo` (`{action, state}`) may be absent |
//! | `parlour:key` | a CustomEvent of `page.js` before it acts on a shortcut; `detail.action` is `next`, `previous`, `resolve`, `resolve-next`, `assign-me`…; `preventDefault` takes it over |
//! | `link[rel=icon][data-unread-icon]` | the icon with the dot; `data-plain-icon` is the other |

pub mod account;
pub mod agents;
pub mod entry;
pub mod error;
pub mod form;
pub mod message;
pub mod moment;
pub mod person;
pub mod rooms;
pub mod search;
pub mod shell;
pub mod sites;
pub mod ticket_list;
pub mod tickets;
pub mod words;

pub use account::{AccountPage, SignInRow};
pub use agents::{AgentRow, AgentsPage, InvitationRow};
pub use entry::{InvitePage, ResetPage, SetupOwnerPage, SignInPage};
pub use error::ErrorPage;
pub use form::{LinkPurpose, OneTimeLink, Problems};
pub use message::{
    ComposerView, MessageBody, MessageView, SafeHtml, ThreadKind, ThreadView, message_fragment,
};
pub use moment::Moment;
pub use person::PersonView;
pub use rooms::{NewRoomView, RoomListView, RoomRowView, RoomView, RoomsPage, room_row_fragment};
pub use search::{FoundMessage, FoundPerson, FoundTicket, PieceView, SearchPage};
pub use shell::{
    Assets, Bare, Live, LiveList, LiveRoom, Me, NavCounts, Section, Shell, Toast, Tone, Undo,
};
pub use sites::{
    InstallPage, Position, SetupSitePage, SiteForm, SitePage, SiteRow, SitesPage, SnippetView,
    TestPage,
};
pub use ticket_list::{
    Assigned, PreviewBy, RowOnPage, SiteRef, Tick, TicketCounts, TicketListView, TicketRowView,
};
pub use tickets::{
    AroundFragment, ContextView, OtherTicket, PageRef, TicketView, TicketsPage, ticket_row_fragment,
};
pub use words::{Rank, Word};

/// Renders into a string. Templates here hold strings and numbers alone, so nothing in them can fail.
pub(crate) fn render(template: &impl askama::Template) -> String {
    template.render().unwrap_or_default()
}
