-- Parlour on PostgreSQL. Times are microseconds since 1970 in UTC.
-- The same names and columns stand in the SQLite folder, with the reasons for them.

-- One row. A restored copy gets a new epoch, which tells every client that its cursors are void.
create table installation (
    one          bigint primary key check (one = 1),
    epoch        uuid not null,
    created_at   bigint not null
);

-- One row while another installation is copied into this database: no server starts on a part of it.
create table copying (
    one          bigint primary key check (one = 1),
    epoch        uuid not null,                 -- of what is copied
    begun_at     bigint not null
);

-- Keys that sign tokens. A retired key is still good for checking until it ends.
create table signing_keys (
    kid          text primary key,
    secret       bytea not null,
    created_at   bigint not null,
    ends_at      bigint
);

create table sites (
    id           uuid primary key,
    key          text not null unique,          -- public, stands in the snippet
    name         text not null,
    color        text not null,                 -- #RRGGBB
    greeting     text not null,
    position     text not null check (position in ('left', 'right')),
    locale       text not null,
    created_at   bigint not null,
    -- When the widget first asked for a session: turns "waiting for the first visitor" off.
    seen_at      bigint
);

-- An allowed origin is a row of its own, so that the check is one look-up and fails closed.
create table origins (
    site         uuid not null references sites (id) on delete cascade,
    origin       text not null,                 -- scheme://host[:port], lower case
    primary key (site, origin)
);

create table agents (
    id           uuid primary key,
    email        text not null,                 -- as typed
    email_key    text not null unique,          -- lower case: one account an address
    name         text not null,
    role         text not null check (role in ('owner', 'admin', 'agent')),
    password     text not null,                 -- $argon2id$…
    created_at   bigint not null,
    disabled_at  bigint
);

-- There is one owner at most until ownership can be handed over; this holds the race at set-up.
create unique index agents_one_owner on agents (role) where role = 'owner';

-- A sign-in is a cookie's server side. Only a hash of the cookie is stored.
create table sign_ins (
    id           uuid primary key,
    agent        uuid not null references agents (id) on delete cascade,
    token_hash   bytea not null unique,
    created_at   bigint not null,
    used_at      bigint not null,
    ends_at      bigint not null,
    address      text not null,
    browser      text not null
);
create index sign_ins_agent on sign_ins (agent);

-- Set-up, invitation and password reset: one use, an hour at most, only a hash is stored.
create table links (
    token_hash   bytea primary key,
    purpose      text not null check (purpose in ('setup', 'invite', 'reset')),
    agent        uuid references agents (id) on delete cascade,     -- whose password (reset)
    email        text,                                              -- who is invited
    role         text check (role in ('admin', 'agent')),
    made_by      uuid references agents (id) on delete set null,
    created_at   bigint not null,
    ends_at      bigint not null,
    used_at      bigint
);

create table visitors (
    id           uuid primary key,
    site         uuid not null references sites (id) on delete cascade,
    secret_hash  bytea not null unique,          -- of what the browser keeps
    name         text not null default '',
    email        text not null default '',
    created_at   bigint not null,
    seen_at      bigint not null,
    -- Where she is now; shown to agents only.
    page         text not null default '',
    title        text not null default '',
    referrer     text not null default '',
    browser      text not null default '',
    locale       text not null default '',
    zone         text not null default ''
);
create index visitors_site on visitors (site, seen_at);

-- Domains instead of checks, in the tables that a message writes to: a check's text would be parsed
-- again for each statement.
create domain room_kind as text check (value in ('public', 'staff', 'direct', 'team'));
create domain ticket_state as text check (value in ('open', 'pending', 'snoozed', 'resolved'));
create domain message_kind as text check (value in ('text', 'note', 'happened', 'deleted'));
create domain author_role as text check (value in ('visitor', 'agent', 'system'));

create table rooms (
    id           uuid primary key,
    kind         room_kind not null,
    name         text not null default '',      -- of a team room
    -- The newest sequence number. Only the transaction that stores an entry raises it,
    -- so commit order is sequence order and there are no holes.
    seq          bigint not null default 0,
    at           bigint not null default 0,    -- of the newest entry
    -- Two agents have one direct room: their ids, the smaller first. Null for the rest.
    pair         bytea unique,
    created_at   bigint not null
-- Active rooms and tickets lie side by side, and one set of messages may write all of a page once more. A
-- row that finds no room in its page costs an entry in every index.
) with (fillfactor = 50);

-- A ticket's id is the id of its public room. The visitor's browser makes it, so that a
-- repeated first message opens no second ticket.
create table tickets (
    id           uuid primary key references rooms (id),
    staff_room   uuid not null unique references rooms (id),
    site         uuid not null references sites (id),
    visitor      uuid not null references visitors (id),
    state        ticket_state not null,
    assignee     uuid references agents (id),
    -- When a snoozed ticket opens again by itself; null in any other state.
    snoozed_until bigint,
    -- Raised by every change that a list shows; an older row never replaces a newer one.
    rev          bigint not null default 1,
    -- Of the newest entry in either room: the time line of both is ordered by it.
    at           bigint not null,
    -- The newest text of the public room, for the list.
    preview      text not null default '',
    preview_by   author_role not null default 'visitor',
    preview_name text not null default '',      -- the agent who wrote it
    page         text not null default '',      -- where she opened it
    title        text not null default '',
    created_at   bigint not null,
    -- The 2 s in which the newest entry lies. An update that changes no indexed column writes to no index
    -- at all, so indexes have this and not the time; what lies in the same 2 s is sorted when it is read.
    period       bigint not null generated always as (at >> 21) stored
) with (fillfactor = 50);
-- A list is one state, newest first; the id breaks ties, so a page boundary never skips a row.
create index tickets_list on tickets (state, period desc);
create index tickets_mine on tickets (assignee, state, period desc);
create index tickets_snoozed on tickets (snoozed_until) where snoozed_until is not null;
create index tickets_visitor on tickets (visitor);
create index tickets_site on tickets (site, created_at, id);    -- the first one of a site

-- Who may enter a direct or team room, and everybody's marks. A ticket's rooms are open to
-- every agent: there a row only holds marks.
create table members (
    room         uuid not null references rooms (id) on delete cascade,
    person       uuid not null,
    role         text not null check (role in ('visitor', 'agent')),
    -- Marks only move forward.
    delivered    bigint not null default 0,
    read         bigint not null default 0,
    joined_at    bigint not null,
    -- Removed members lose the room, but their marks and messages stay.
    left_at      bigint,
    primary key (room, person)
);
create index members_person on members (person, room);

create table messages (
    -- No reference to rooms, which would be looked up for each message: the statement that stores it has
    -- raised its room's number.
    room         uuid not null,
    seq          bigint not null,
    cid          uuid not null,
    at           bigint not null,
    rev          bigint not null default 0,
    kind         message_kind not null,
    author       uuid not null,                 -- zeros: the system
    author_role  author_role not null,
    text         text not null default '',      -- what was typed; becomes runs on the way out
    what         text not null default '',      -- of 'happened'
    whom         uuid,                          -- an agent, of 'happened'
    primary key (room, seq)
);
-- A repeated send finds the first one by this, whatever node it reaches. Ids begin with their time, so that
-- new entries lie side by side at its end, and not one in a page for each room.
create unique index messages_cid on messages (cid, room);

-- What search finds: store/found.rs. Keys are 16 bytes of an id and 8 of a number: of a message its
-- room and its number, below zero after it was edited; of a visitor zero. They are noted by whatever
-- stores a message, and taken away when they have a place.
create table found_waiting (
    id           bigint generated always as identity primary key,
    keys         bytea not null
);
-- The 128 keys of each chunk of places, in order, and the times of the messages among them.
create table found_places (
    chunk        bigint primary key,
    oldest       bigint not null,
    newest       bigint not null,
    keys         bytea not null,
    stamp        uuid not null                    -- another one with each set
);
create index found_places_newest on found_places (newest);
-- The places of a term in a block of 8192, as store/found/postings.rs writes them. What is written at a
-- time is of one block or two, so the block stands first.
create table found_postings (
    term         text collate "C" not null,
    block        bigint not null,
    places       bytea not null,
    primary key (block, term)
);
-- At most 3 KB, which is compressed already or cannot be; what is taken out of a row costs more than it saves.
alter table found_waiting alter column keys set storage plain;
alter table found_places alter column keys set storage plain;
alter table found_postings alter column places set storage plain;

create function found_message_changed() returns trigger language plpgsql as $$
begin
    insert into found_waiting (keys) values (uuid_send(new.room) || int8send(-new.seq));
    return null;
end $$;
create trigger found_message_changed after update of kind, text on messages
for each row when (new.kind in ('text', 'note') and (new.text <> old.text or new.kind <> old.kind))
execute function found_message_changed();
create function found_visitor_named() returns trigger language plpgsql as $$
begin
    insert into found_waiting (keys) values (uuid_send(new.id) || int8send(0));
    return null;
end $$;
create trigger found_visitor_named after insert on visitors
for each row when (new.name <> '' or new.email <> '') execute function found_visitor_named();
create trigger found_visitor_renamed after update of name, email on visitors
for each row when ((new.name <> '' or new.email <> '') and (new.name <> old.name or new.email <> old.email))
execute function found_visitor_named();

-- Work for later, written in the transaction that causes it.
create table jobs (
    id           uuid primary key,
    kind         text not null,
    payload      text not null,
    due_at       bigint not null,
    tries        bigint not null default 0,
    claimed_at   bigint,
    done_at      bigint
);
create index jobs_due on jobs (due_at) where done_at is null;

-- What the statement that stores a set of messages calls when a room or ticket is not as it was read:
-- nothing of the set may be written then.
create function append_stale() returns bigint language plpgsql as $$
begin
    raise exception using errcode = 'PL001', message = 'a room was written to meanwhile';
end $$;

-- What numbering a set of messages needs. If it is to be held, the rooms, then their tickets, each in
-- the order of their ids, so that no two nodes wait for each other; only then it looks for what is
-- there already, by a statement with a snapshot of its own: in one statement with the lock, a message
-- that was committed meanwhile would not be seen. Rows are in the order in which the server reads
-- them. One plan serves all: planning anew for each list of ids costs more than the reading. It is one
-- of plain index scans, because only they let go of the dead entries that each message leaves, and it
-- looks up each thing that was asked, whatever statistics of a young table say (lateral).
create function append_load(
    asked uuid[], answered uuid[], seen bigint[], cid_rooms uuid[], cids uuid[], hold boolean) returns text
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set plan_cache_mode = force_generic_plan as $$
begin
    if hold then
        perform from rooms where id = any (asked) order by id for no key update;
        perform from tickets where id in (
            select id from tickets where id = any (asked) union all select id from tickets where staff_room = any (asked))
        order by id for no key update;
    end if;
    return json_build_object(
        'rooms', (
            select coalesce(json_agg(json_build_array(id, kind, seq, at)), '[]') from rooms where id = any (asked)),
        'tickets', (
            select coalesce(json_agg(json_build_array(t.id, t.staff_room, t.visitor, t.at, t.state, v.name)), '[]')
            from (select * from tickets where id = any (asked)
                  union all select * from tickets where staff_room = any (asked)) t join visitors v on v.id = t.visitor),
        'known', (
            select coalesce(json_agg(json_build_array(m.room, m.cid, m.seq, m.at, m.author, m.text)), '[]')
            from unnest(cid_rooms, cids) as sent (room, cid)
            cross join lateral (select * from messages m where m.room = sent.room and m.cid = sent.cid offset 0) m),
        'answers', (
            select coalesce(json_agg(json_build_array(sender.room, m.author, m.seq)), '[]')
            from unnest(answered, seen) as sender (room, seen)
            cross join lateral (select m.author, max(m.seq) as seq from messages m
                                where m.room = sender.room and m.seq > sender.seen and m.author_role = 'agent' and m.kind = 'text'
                                group by m.author) m),
        'members', (
            select coalesce(json_agg(json_build_array(m.room, m.person)), '[]') from rooms r
            cross join lateral (select * from members m where m.room = r.id and m.left_at is null offset 0) m
            where r.id = any (asked) and r.kind in ('direct', 'team')));
end $$;
