//! Who takes part. Person `n` has ticket `n`; all ids can be computed, here and in SQL.

use parlour_protocol::Id;

/// What an id names: its first byte.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A visitor.
    Visitor = 1,
    /// A ticket, and its public room.
    Ticket = 2,
    /// A ticket's staff room.
    Staff = 3,
    /// The one site.
    Site = 4,
    /// A message that was there before the run.
    Message = 5,
}

/// The id of the `n`th of its kind.
#[must_use]
pub fn id(kind: Kind, n: usize) -> Id {
    let mut bytes = [0; 16];
    bytes[0] = kind as u8;
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    bytes[10..].copy_from_slice(&(n as u64).to_be_bytes()[2..]);
    Id(bytes)
}

/// The SQL expression for the id of the `n`th of its kind, where `n` is an expression too.
#[must_use]
pub fn sql(postgres: bool, kind: Kind, n: &str) -> String {
    let kind = kind as u8;
    if postgres {
        format!("cast('0{kind}000000-0000-7000-8000-' || lpad(to_hex({n}), 12, '0') as uuid)")
    } else {
        format!("unhex('0{kind}000000000070008000' || printf('%012x', {n}))")
    }
}

/// The number in a ticket's or visitor's id.
#[must_use]
pub fn number(id: Id) -> usize {
    id.0[10..]
        .iter()
        .fold(0, |number, byte| number << 8 | usize::from(*byte))
}
