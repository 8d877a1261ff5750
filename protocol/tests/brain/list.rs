//! The ticket list on screen is repaired like a thread.

use crate::rig::{Rig, id, welcome};
use parlour_protocol::client::Change;
use parlour_protocol::frame::{ListCounts, ListQuery, RowRev, TicketRow, TicketState, digest};
use parlour_protocol::{ClientFrame, Id, ServerFrame};

fn row(n: u8, rev: u64) -> TicketRow {
    let state = TicketState::Open;
    TicketRow {
        id: id(n),
        rev,
        site: Id::NIL,
        state,
        assignee: None,
        position: 1,
        at: 0,
        html: String::new(),
    }
}

fn revs(rows: &[(u8, u64)]) -> Vec<RowRev> {
    rows.iter()
        .map(|&(n, rev)| RowRev { id: id(n), rev })
        .collect()
}

fn list(order: &[u8], rows: &[(u8, u64)]) -> ServerFrame {
    let order = order.iter().map(|n| id(*n)).collect();
    let rows = rows.iter().map(|&(n, rev)| row(n, rev)).collect();
    ServerFrame::List {
        order,
        rows,
        digest: 0,
        counts: ListCounts::default(),
    }
}

fn beat(digest: Option<u32>) -> ServerFrame {
    ServerFrame::Beat {
        n: 0,
        time: 0,
        rooms: Vec::new(),
        digest,
    }
}

fn synced(frames: &[ClientFrame]) -> Vec<Vec<RowRev>> {
    let rows = frames.iter().filter_map(|frame| match frame {
        ClientFrame::Sync { rows, .. } => Some(rows.clone()),
        _ => None,
    });
    rows.collect()
}

#[test]
fn it_is_compared_now_after_a_resume_and_when_the_digest_differs() {
    let mut rig = Rig::live();
    rig.client
        .list(Some(ListQuery::default()), revs(&[(1, 1), (2, 1)]), rig.now);
    assert_eq!(synced(&rig.sent()), [revs(&[(1, 1), (2, 1)])]);
    rig.frame(beat(Some(0)));
    assert!(synced(&rig.sent()).is_empty(), "one comparison at a time");
    rig.frame(list(&[3, 1], &[(3, 5)]));
    assert!(
        matches!(&rig.changes[..], [.., Change::List { order, rows, .. }] if order.len() == 2 && rows.len() == 1)
    );

    let merged = revs(&[(3, 5), (1, 1)]);
    rig.frame(beat(Some(digest(merged.clone()))));
    assert!(synced(&rig.sent()).is_empty());
    rig.frame(beat(None));
    assert!(synced(&rig.sent()).is_empty());
    rig.frame(beat(Some(1)));
    assert_eq!(synced(&rig.sent()).concat(), merged);
    rig.frame(list(&[3, 1], &[]));

    rig.reconnect();
    assert_eq!(synced(&rig.sent()), [merged]);
}

#[test]
fn a_row_that_comes_by_itself_moves_the_revision() {
    let mut rig = Rig::live();
    rig.client
        .list(Some(ListQuery::default()), revs(&[(1, 1)]), rig.now);
    rig.frame(list(&[1], &[(1, 1)]));
    rig.clear();
    rig.frame(ServerFrame::Ticket(row(1, 3)));
    assert_eq!(rig.changes, [Change::Row(row(1, 3))]);
    rig.frame(beat(Some(digest(revs(&[(1, 3)])))));
    assert!(synced(&rig.sent()).is_empty());
    rig.client.list_rows(revs(&[(2, 1), (1, 3)]));
    rig.frame(beat(Some(digest(revs(&[(2, 1), (1, 3)])))));
    assert!(synced(&rig.sent()).is_empty());
}

#[test]
fn the_answer_for_the_list_before_is_not_taken() {
    let mut rig = Rig::live();
    let mine = ListQuery {
        assigned: "mine".into(),
        ..ListQuery::default()
    };
    rig.client
        .list(Some(ListQuery::default()), Vec::new(), rig.now);
    rig.client.list(Some(mine), Vec::new(), rig.now);
    rig.clear();
    rig.frame(list(&[1], &[(1, 1)]));
    assert!(rig.changes.is_empty());
    rig.frame(list(&[2], &[(2, 1)]));
    assert!(matches!(&rig.changes[..], [Change::List { order, .. }] if *order == [id(2)]));
    rig.client.list(None, Vec::new(), rig.now);
    rig.frame(beat(Some(4)));
    assert!(synced(&rig.sent()).is_empty());
}

#[test]
fn a_comparison_that_was_lost_is_made_again() {
    let mut rig = Rig::live();
    rig.client
        .list(Some(ListQuery::default()), Vec::new(), rig.now);
    rig.clear();
    rig.advance(10_000);
    rig.frame(beat(None));
    assert_eq!(synced(&rig.sent()).len(), 1);
    rig.frame(list(&[1], &[(1, 1)]));
    assert!(matches!(&rig.changes[..], [Change::List { .. }]));
}

#[test]
fn another_epoch_voids_the_revisions() {
    let mut rig = Rig::live();
    rig.client
        .list(Some(ListQuery::default()), revs(&[(1, 9)]), rig.now);
    rig.client.closed(rig.now, 1006);
    rig.advance(600);
    rig.client.opened(rig.now);
    rig.clear();
    rig.frame(welcome(id(10), Vec::new()));
    assert_eq!(synced(&rig.sent()), [Vec::new()]);
}
