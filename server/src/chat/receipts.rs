//! Receipts: two marks per member and room, which only move forward.

use parlour_protocol::frame::Role;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Actor, Chat};
use crate::bus::{News, Publication};
use crate::error::Error;
use crate::hub::Topic;
use crate::store::{StoreError, members, tickets};

impl Chat {
    /// Moves the actor's marks in a room that she may enter, and tells the others. It returns
    /// when that is queued.
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
        self.mark(actor, room, (delivered, read), |_| {}).await
    }

    /// The actor has read a room up to `seq`. It returns when that is stored.
    ///
    /// # Errors
    /// As [`Chat::receipt`].
    pub async fn read(&self, actor: &Actor, room: Uuid, seq: u64) -> Result<(), Error> {
        let (done, stored) = oneshot::channel();
        let then = |result| drop(done.send(result));
        self.mark(actor, room, (seq, seq), then).await?;
        let gone = || StoreError::Unavailable("the writer has stopped".into());
        stored.await.map_err(|_| gone())??;
        Ok(())
    }

    async fn mark(
        &self,
        actor: &Actor,
        room: Uuid,
        (delivered, read): (u64, u64),
        then: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) -> Result<(), Error> {
        let found = self.enter(actor, room).await?;
        let (delivered, read) = (crate::signed(delivered), crate::signed(read));
        let (person, role, chat) = (actor.id, actor.role, self.clone());
        let ticket = found.ticket.map(|(ticket, _, _)| ticket);
        let ticket = ticket.filter(|ticket| *ticket == room);
        self.store
            .write_then(
                move |c| {
                    Box::pin(async move {
                        let marks = members::mark(c, room, person, role, delivered, read).await?;
                        if let (Some(_), Some(ticket), Role::Visitor) = (marks, ticket, role) {
                            // The list shows how far the newest answer came.
                            tickets::touch(c, ticket).await?;
                        }
                        Ok(marks)
                    })
                },
                move |result| {
                    match &result {
                        Ok(Some(marks)) => {
                            let mark = super::rooms::wire_marks(*marks);
                            chat.bus.publish(&Publication::new(
                                Topic::Room(room),
                                News::Receipt(room, mark),
                            ));
                            match (ticket, role) {
                                (Some(ticket), Role::Visitor) => chat.announcer.changed(ticket),
                                (Some(ticket), Role::Agent) if read > 0 => {
                                    chat.announcer.read(ticket, person);
                                }
                                _ => {}
                            }
                        }
                        Ok(None) => {}
                        Err(error) => tracing::warn!(%error, "a receipt was not stored"),
                    }
                    then(result.map(|_| ()));
                },
            )
            .await?;
        Ok(())
    }
}
