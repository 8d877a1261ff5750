// Conversations and messages in PostgreSQL. Every statement is prepared by its name.
import pg from 'pg';

// bigint as a number: sequence numbers and microseconds stay far below 2^53.
pg.types.setTypeParser(20, Number);

const FIND = {
  name: 'find',
  text: 'select seq from conversations where id = $1 and visitor = $2',
};
const AFTER = {
  name: 'after',
  text: `select seq, cid, at, author, text from messages
         where conversation = $1 and seq > $2 order by seq limit 50`,
};
const KNOWN = {
  name: 'known',
  text: 'select seq, at, author, text from messages where conversation = $1 and cid = $2',
};
// One message in one round trip: the row's lock gives the number, in commit order.
const APPEND = {
  name: 'append',
  text: `with bumped as (
           update conversations set seq = seq + 1, at = greatest($5, at + 1), preview = left($4, 200)
           where id = $1 and visitor = $3
             and not exists (select 1 from messages where conversation = $1 and cid = $2)
           returning seq, at)
         insert into messages (conversation, seq, cid, at, author, text)
         select $1, seq, $2, at, $3, $4 from bumped
         returning seq, at`,
};
// Many messages in one round trip: conversations are locked in the order of their ids, the ones
// that are known are left out, the rest is numbered and inserted by one statement.
const APPEND_MANY = {
  name: 'append-many',
  text: `with asked as (
           select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[])
             with ordinality as a (conversation, cid, author, text, place)),
         held as materialized (
           select c.id, c.visitor, c.seq, c.at from conversations c
           where c.id = any ($1) order by c.id for no key update),
         fresh as (
           select a.*, held.seq + row_number() over (partition by a.conversation order by a.place) as seq,
                  greatest($5, held.at + 1) + row_number() over (partition by a.conversation order by a.place) - 1 as at
           from asked a join held on held.id = a.conversation and held.visitor = a.author
           where not exists (select 1 from messages m where m.conversation = a.conversation and m.cid = a.cid)),
         bumped as (
           update conversations c set seq = newest.seq, at = newest.at, preview = left(newest.text, 200)
           from (select distinct on (conversation) conversation, seq, at, text from fresh
                 order by conversation, seq desc) newest
           where c.id = newest.conversation)
         insert into messages (conversation, seq, cid, at, author, text)
         select conversation, seq, cid, at, author, text from fresh
         returning conversation, cid, seq, at`,
};
const UNIQUE_VIOLATION = '23505';
const BATCH = 256;

export class Store {
  #queue = [];
  #busy = false;

  constructor(url, { connections, batch }) {
    this.pool = new pg.Pool({ connectionString: url, max: connections, idleTimeoutMillis: 0 });
    this.append = batch ? (message) => this.#queued(message) : (message) => this.#single(message);
  }

  /** The newest number of a conversation, if it is this visitor's. */
  async find(conversation, visitor) {
    const { rows } = await this.pool.query({ ...FIND, values: [conversation, visitor] });
    return rows[0]?.seq;
  }

  async after(conversation, seq) {
    const { rows } = await this.pool.query({ ...AFTER, values: [conversation, seq] });
    return rows;
  }

  /** Stores one message; what is repeated gets its first number. */
  async #single(message) {
    const { conversation, cid, author, text } = message;
    try {
      const values = [conversation, cid, author, text, Date.now() * 1000];
      const { rows } = await this.pool.query({ ...APPEND, values });
      if (rows.length) return { seq: rows[0].seq, at: rows[0].at, dup: false };
    } catch (error) {
      if (error.code !== UNIQUE_VIOLATION) throw error;
    }
    return this.#known(message);
  }

  async #known({ conversation, cid, author, text }) {
    const { rows } = await this.pool.query({ ...KNOWN, values: [conversation, cid] });
    if (!rows.length) throw new Error('unknown conversation');
    if (rows[0].author !== author || rows[0].text !== text) throw new Error('conflict');
    return { seq: rows[0].seq, at: rows[0].at, dup: true };
  }

  /** Waits in the queue: while one set is written, the next one gathers. */
  #queued(message) {
    return new Promise((resolve, reject) => {
      this.#queue.push({ message, resolve, reject });
      if (!this.#busy) this.#drain();
    });
  }

  async #drain() {
    this.#busy = true;
    while (this.#queue.length) await this.#write(this.#queue.splice(0, BATCH));
    this.#busy = false;
  }

  async #write(set) {
    // The same id twice in one set would be inserted twice: the later one waits for the next set.
    const first = new Map();
    const [now, later] = [[], []];
    for (const job of set) {
      const key = job.message.conversation + job.message.cid;
      (first.has(key) ? later : now).push(job);
      first.set(key, job);
    }
    this.#queue.unshift(...later);
    const column = (name) => now.map(({ message }) => message[name]);
    try {
      const values = [column('conversation'), column('cid'), column('author'), column('text'), Date.now() * 1000];
      const { rows } = await this.pool.query({ ...APPEND_MANY, values });
      const stored = new Map(rows.map((row) => [row.conversation + row.cid, row]));
      for (const job of now) {
        const row = stored.get(job.message.conversation + job.message.cid);
        if (row) job.resolve({ seq: row.seq, at: row.at, dup: false });
        else this.#known(job.message).then(job.resolve, job.reject);
      }
    } catch {
      // Another process was quicker with one of them: each on its own.
      for (const job of now) await this.#single(job.message).then(job.resolve, job.reject);
    }
  }

  close() {
    return this.pool.end();
  }
}
