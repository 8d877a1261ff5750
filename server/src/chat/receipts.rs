//! Receipts: two marks per member and room, which only move forward.

use parlour_protocol::frame::Role;
use uuid::Uuid;

use super::{Actor, Chat};
use crate::bus::{News, Publication};
use crate::error::Error;
use crate::hub::Topic;
use crate::store::members;

impl Chat {
    /// Moves the actor's marks in a room that she may enter, and tells the others.
    ///
    /// # Errors
    /// [`Error::NotFound`] if she may not enter, and what the store reports.
    pub async fn receipt(
        &self,
        actor: &Actor,
        room: Uuid,
        delivered: u64,
        read: u64,
    ) -> Result<(), Error> {
        let found = self.enter(actor, room).await?;
        let (delivered, read) = (crate::signed(delivered), crate::signed(read));
        let (person, role, chat) = (actor.id, actor.role, self.clone());
        let ticket = found
            .ticket
            .filter(|(ticket, _, _)| *ticket == room)
            .map(|(ticket, _, _)| ticket);
        self.store
            .write_then(
                move |c| {
                    Box::pin(async move {
                        let marks = members::mark(c, room, person, role, delivered, read).await?;
                        if let (Some(_), Some(ticket), Role::Visitor) = (marks, ticket, role) {
                            // The list shows how far the newest answer came.
                            sqlx::query("update tickets set rev = rev + 1 where id = $1")
                                .bind(ticket)
                                .execute(c)
                                .await?;
                        }
                        Ok(marks)
                    })
                },
                move |result| match result {
                    Ok(Some(marks)) => {
                        chat.bus.publish(&Publication::new(
                            Topic::Room(room),
                            News::Receipt(room, super::rooms::wire_marks(marks)),
                        ));
                        if let (Some(ticket), Role::Visitor) = (ticket, role) {
                            chat.announcer.changed(ticket);
                        }
                    }
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%error, "a receipt was not stored"),
                },
            )
            .await?;
        Ok(())
    }
}
