// A support chat on Socket.IO, as its documentation and its community advise to build one.
//
// Settings: HOST, DATABASE_URL, JWT_SECRET, BATCH=1 for inserts of many rows, REDIS_SOCKET for
// several processes, and the limits in LIMITS below. Prints where it listens.
import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import sanitizeHtml from 'sanitize-html';
import { Server } from 'socket.io';
import { Bucket, Connections } from './limits.js';
import { Store } from './store.js';

const env = process.env;
const number = (name, otherwise) => Number(env[name] ?? otherwise);
const MAX_TEXT = 8000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const KEY = createSecretKey(Buffer.from(env.JWT_SECRET));

const store = new Store(env.DATABASE_URL, {
  connections: number('CONNECTIONS', 16),
  batch: env.BATCH === '1',
});
const sends = new Bucket(number('SEND_RATE', 5), number('SEND_BURST', 20));
const frames = new Bucket(number('FRAME_RATE', 30), number('FRAME_BURST', 120));
const connections = new Connections(number('CONNECTIONS_PER_PERSON', 32));
setInterval(() => [sends, frames].forEach((bucket) => bucket.tidy()), 60_000).unref();

const http = createServer((_, response) => response.writeHead(404).end());
const io = new Server(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  maxHttpBufferSize: 64 * 1024,
  pingInterval: 25_000,
  pingTimeout: 26_000,
});
// The first request of each connection is not needed any more, and is most of its memory.
io.engine.on('connection', (socket) => {
  socket.request = null;
});
const redis = env.REDIS_SOCKET ? [new Redis(env.REDIS_SOCKET), new Redis(env.REDIS_SOCKET)] : [];
if (redis.length) io.adapter(createAdapter(...redis));

io.use((socket, next) => {
  try {
    const { sub } = jwt.verify(socket.handshake.auth.token, KEY, {
      algorithms: ['HS256'],
      audience: 'visitor',
      issuer: 'peer',
    });
    socket.data.person = sub;
    next(connections.enter(sub) ? undefined : new Error('too many connections'));
  } catch {
    next(new Error('unauthorized'));
  }
});

/** Plain text: no markup survives. */
function clean(text) {
  if (!/[<>&]/.test(text)) return text;
  return sanitizeHtml(text, { allowedTags: [], allowedAttributes: {}, disallowedTagsMode: 'escape' });
}

// Messages of one conversation are stored one after the other, so that a later one never
// overtakes an earlier one and all readers see the order of the numbers.
const lines = new Map();

function inOrder(conversation, work) {
  const before = lines.get(conversation) ?? Promise.resolve();
  const mine = before.then(work, work);
  lines.set(conversation, mine);
  const done = () => lines.get(conversation) === mine && lines.delete(conversation);
  mine.then(done, done);
  return mine;
}

async function send(socket, asked, answer) {
  const { person } = socket.data;
  const { conversation, cid, text } = asked ?? {};
  if (!UUID.test(conversation) || !UUID.test(cid) || typeof text !== 'string') return answer({ error: 'bad' });
  if (!text.trim()) return answer({ error: 'empty' });
  if (text.length > MAX_TEXT) return answer({ error: 'too long' });
  if (!sends.take(person)) return answer({ error: 'too fast' });
  const message = { conversation, cid, author: person, text: clean(text) };
  const deliver = async () => {
    const { seq, at, dup } = await store.append(message);
    answer({ seq, at, dup });
    if (!dup) socket.to(conversation).emit('message', { ...message, seq, at });
  };
  await (env.BATCH === '1' ? deliver() : inOrder(conversation, deliver));
}

async function join(socket, asked, answer) {
  const { conversation, after } = asked ?? {};
  if (!UUID.test(conversation) || !Number.isSafeInteger(after)) return answer({ error: 'bad' });
  if ((await store.find(conversation, socket.data.person)) === undefined) return answer({ error: 'unknown' });
  // First the room, then what is stored: nothing falls between the two.
  await socket.join(conversation);
  answer({ messages: await store.after(conversation, after) });
}

io.on('connection', (socket) => {
  const { person } = socket.data;
  const on = (name, work) =>
    socket.on(name, (asked, answer) => {
      if (typeof answer !== 'function') return;
      if (!frames.take(person)) return answer({ error: 'too fast' });
      work(socket, asked, answer).catch((error) => answer({ error: error.message }));
    });
  on('send', send);
  on('join', join);
  socket.on('typing', ({ conversation } = {}) => {
    if (socket.rooms.has(conversation)) socket.volatile.to(conversation).emit('typing', { person });
  });
  socket.on('disconnect', () => connections.leave(person));
});

http.listen({ host: env.HOST ?? '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const { address, port } = http.address();
  console.log(`listening ${address}:${port}`);
});
process.on('SIGTERM', () => io.close(() => store.close().then(() => process.exit(0))));
