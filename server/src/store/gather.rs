//! Reads that many connections ask for at the same time: whatever waits is one query, without a
//! timer. A quiet server asks for one at once, and one to which everybody comes back for many.

use std::future::Future;

use tokio::sync::{mpsc, oneshot};

use super::writer::PATIENCE;
use super::{Result, StoreError};

/// Questions in one query.
const SET: usize = 128;
/// Questions that wait at most; whoever asks beyond it waits for room.
const QUEUE: usize = 1_024;

/// The queue of one kind of question.
pub(super) struct Gather<Q, A>(mpsc::Sender<(Q, oneshot::Sender<Result<A>>)>);

impl<Q, A> Clone for Gather<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q: Send + 'static, A: Send + 'static> Gather<Q, A> {
    /// Answers with `read`, which gives an answer for each question, in their order. It ends with
    /// the last of its clones.
    pub(super) fn start<F>(read: impl Fn(Vec<Q>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Vec<A>>> + Send,
    {
        let (queue, mut asked) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut set: Vec<(Q, oneshot::Sender<Result<A>>)> = Vec::with_capacity(SET);
            while asked.recv_many(&mut set, SET).await > 0 {
                // Nobody waits for what stood behind a database that says nothing.
                set.retain(|(_, waiting)| !waiting.is_closed());
                if set.is_empty() {
                    continue;
                }
                let (questions, waiting): (Vec<Q>, Vec<oneshot::Sender<Result<A>>>) =
                    set.drain(..).unzip();
                // Whoever asked may be gone.
                match read(questions).await {
                    Ok(answers) => {
                        for (waiting, answer) in waiting.into_iter().zip(answers) {
                            drop(waiting.send(Ok(answer)));
                        }
                    }
                    Err(error) => {
                        for waiting in waiting {
                            drop(waiting.send(Err(error.clone())));
                        }
                    }
                }
            }
        });
        Self(queue)
    }

    /// Asks, and waits for a query that begins after this, but not for long.
    pub(super) async fn ask(&self, question: Q) -> Result<A> {
        let gone = || StoreError::Unavailable("the database is closed".into());
        let asking = async {
            let (waiting, answer) = oneshot::channel();
            self.0.send((question, waiting)).await.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        };
        tokio::time::timeout(PATIENCE, asking)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("it took too long".into())))
    }
}
