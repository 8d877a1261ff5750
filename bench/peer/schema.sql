-- What a support chat needs of a conversation and its messages, and nothing more.
create table conversations (
    id           uuid primary key,
    visitor      uuid not null,
    seq          bigint not null default 0,
    at           bigint not null default 0,
    preview      text not null default ''
);
create index conversations_visitor on conversations (visitor);

create table messages (
    conversation uuid not null references conversations (id),
    seq          bigint not null,
    cid          uuid not null,
    at           bigint not null,
    author       uuid not null,
    text         text not null,
    primary key (conversation, seq),
    unique (conversation, cid)
);
