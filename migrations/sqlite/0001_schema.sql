-- Parlour on SQLite. Times are microseconds since 1970 in UTC. Ids are UUIDs as 16 bytes.
-- The same names and columns stand in the PostgreSQL folder, once there is one.

-- One row. A restored copy gets a new epoch, which tells every client that its cursors are void.
create table installation (
    one          integer primary key check (one = 1),
    epoch        blob not null,
    created_at   integer not null
) strict;

-- One row while another installation is copied into this database: no server starts on a part of it.
create table copying (
    one          integer primary key check (one = 1),
    epoch        blob not null,                 -- of what is copied
    begun_at     integer not null
) strict;

-- Keys that sign tokens. A retired key is still good for checking until it ends.
create table signing_keys (
    kid          text primary key,
    secret       blob not null,
    created_at   integer not null,
    ends_at      integer
) strict;

create table sites (
    id           blob primary key,
    key          text not null unique,          -- public, stands in the snippet
    name         text not null,
    color        text not null,                 -- #RRGGBB
    greeting     text not null,
    position     text not null check (position in ('left', 'right')),
    locale       text not null,
    created_at   integer not null,
    -- When the widget first asked for a session: turns "waiting for the first visitor" off.
    seen_at      integer
) strict;

-- An allowed origin is a row of its own, so that the check is one look-up and fails closed.
create table origins (
    site         blob not null references sites (id) on delete cascade,
    origin       text not null,                 -- scheme://host[:port], lower case
    primary key (site, origin)
) strict, without rowid;

create table agents (
    id           blob primary key,
    email        text not null,                 -- as typed
    email_key    text not null unique,          -- lower case: one account an address
    name         text not null,
    role         text not null check (role in ('owner', 'admin', 'agent')),
    password     text not null,                 -- $argon2id$…
    created_at   integer not null,
    disabled_at  integer
) strict;

-- There is one owner at most until ownership can be handed over; this holds the race at set-up.
create unique index agents_one_owner on agents (role) where role = 'owner';

-- A sign-in is a cookie's server side. Only a hash of the cookie is stored.
create table sign_ins (
    id           blob primary key,
    agent        blob not null references agents (id) on delete cascade,
    token_hash   blob not null unique,
    created_at   integer not null,
    used_at      integer not null,
    ends_at      integer not null,
    address      text not null,
    browser      text not null
) strict;
create index sign_ins_agent on sign_ins (agent);

-- Set-up, invitation and password reset: one use, an hour at most, only a hash is stored.
create table links (
    token_hash   blob primary key,
    purpose      text not null check (purpose in ('setup', 'invite', 'reset')),
    agent        blob references agents (id) on delete cascade,     -- whose password (reset)
    email        text,                                              -- who is invited
    role         text check (role in ('admin', 'agent')),
    made_by      blob references agents (id) on delete set null,
    created_at   integer not null,
    ends_at      integer not null,
    used_at      integer
) strict;

create table visitors (
    id           blob primary key,
    site         blob not null references sites (id) on delete cascade,
    secret_hash  blob not null unique,          -- of what the browser keeps
    name         text not null default '',
    email        text not null default '',
    created_at   integer not null,
    seen_at      integer not null,
    -- Where she is now; shown to agents only.
    page         text not null default '',
    title        text not null default '',
    referrer     text not null default '',
    browser      text not null default '',
    locale       text not null default '',
    zone         text not null default ''
) strict;
create index visitors_site on visitors (site, seen_at);

create table rooms (
    id           blob primary key,
    kind         text not null check (kind in ('public', 'staff', 'direct', 'team')),
    name         text not null default '',      -- of a team room
    -- The newest sequence number. Only the transaction that stores an entry raises it,
    -- so commit order is sequence order and there are no holes.
    seq          integer not null default 0,
    at           integer not null default 0,    -- of the newest entry
    -- Two agents have one direct room: their ids, the smaller first. Null for the rest.
    pair         blob unique,
    created_at   integer not null
) strict;

-- A ticket's id is the id of its public room. The visitor's browser makes it, so that a
-- repeated first message opens no second ticket.
create table tickets (
    id           blob primary key references rooms (id),
    staff_room   blob not null unique references rooms (id),
    site         blob not null references sites (id),
    visitor      blob not null references visitors (id),
    state        text not null check (state in ('open', 'pending', 'snoozed', 'resolved')),
    assignee     blob references agents (id),
    -- When a snoozed ticket opens again by itself; null in any other state.
    snoozed_until integer check ((snoozed_until is not null) = (state = 'snoozed')),
    -- Raised by every change that a list shows; an older row never replaces a newer one.
    rev          integer not null default 1,
    -- Of the newest entry in either room: the time line of both is ordered by it.
    at           integer not null,
    -- The newest text of the public room, for the list.
    preview      text not null default '',
    preview_by   text not null default 'visitor' check (preview_by in ('visitor', 'agent')),
    preview_name text not null default '',      -- the agent who wrote it
    page         text not null default '',      -- where she opened it
    title        text not null default '',
    created_at   integer not null
) strict;
-- A list is one state, newest first; the id breaks ties, so a page boundary never skips a row.
create index tickets_list on tickets (state, at desc, id desc);
create index tickets_mine on tickets (assignee, state, at desc, id desc);
create index tickets_snoozed on tickets (snoozed_until) where snoozed_until is not null;
create index tickets_visitor on tickets (visitor);              -- few, which are sorted
create index tickets_site on tickets (site, created_at, id);    -- the first one of a site

-- Who may enter a direct or team room, and everybody's marks. A ticket's rooms are open to
-- every agent: there a row only holds marks.
create table members (
    room         blob not null references rooms (id) on delete cascade,
    person       blob not null,
    role         text not null check (role in ('visitor', 'agent')),
    -- Marks only move forward.
    delivered    integer not null default 0,
    read         integer not null default 0,
    joined_at    integer not null,
    -- Removed members lose the room, but their marks and messages stay.
    left_at      integer,
    primary key (room, person)
) strict, without rowid;
create index members_person on members (person, room);

create table messages (
    room         blob not null,                 -- of rooms; nothing deletes one
    seq          integer not null,
    cid          blob not null,
    at           integer not null,
    rev          integer not null default 0,
    kind         text not null check (kind in ('text', 'note', 'happened', 'deleted')),
    author       blob not null,                 -- zeros: the system
    author_role  text not null check (author_role in ('visitor', 'agent', 'system')),
    text         text not null default '',      -- what was typed; becomes runs on the way out
    what         text not null default '',      -- of 'happened'
    whom         blob,                          -- an agent, of 'happened'
    primary key (room, seq)
) strict, without rowid;
-- A repeated send finds the first one by this, whatever node it reaches. Ids begin with their time, so that
-- new entries lie side by side at its end, and not one in a page for each room.
create unique index messages_cid on messages (cid, room);

-- What search finds: store/found.rs. Keys are 16 bytes of an id and 8 of a number: of a message its
-- room and its number, below zero after it was edited; of a visitor zero. They are noted by whatever
-- stores a message, and taken away when they have a place.
create table found_waiting (
    id           integer primary key,
    keys         blob not null
) strict;
-- The 128 keys of each chunk of places, in order, and the times of the messages among them.
create table found_places (
    chunk        integer primary key,
    oldest       integer not null,
    newest       integer not null,
    keys         blob not null,
    stamp        blob not null                    -- another one with each set
) strict;
create index found_places_newest on found_places (newest);
-- The places of a term in a block of 8192, as store/found/postings.rs writes them. What is written at a
-- time is of one block or two, so the block stands first.
create table found_postings (
    term         text not null,
    block        integer not null,
    places       blob not null,
    primary key (block, term)
) strict, without rowid;

create trigger found_message_changed after update of kind, text on messages
when new.kind in ('text', 'note') and (new.text <> old.text or new.kind <> old.kind) begin
    insert into found_waiting (keys) values (unhex(hex(new.room) || printf('%016x', -new.seq)));
end;
create trigger found_visitor_named after insert on visitors when new.name <> '' or new.email <> '' begin
    insert into found_waiting (keys) values (unhex(hex(new.id) || printf('%016x', 0)));
end;
create trigger found_visitor_renamed after update of name, email on visitors
when (new.name <> '' or new.email <> '') and (new.name <> old.name or new.email <> old.email) begin
    insert into found_waiting (keys) values (unhex(hex(new.id) || printf('%016x', 0)));
end;

-- Work for later, written in the transaction that causes it.
create table jobs (
    id           blob primary key,
    kind         text not null,
    payload      text not null,
    due_at       integer not null,
    tries        integer not null default 0,
    claimed_at   integer,
    done_at      integer
) strict;
create index jobs_due on jobs (due_at) where done_at is null;
