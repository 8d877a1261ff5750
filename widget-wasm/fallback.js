// Frames where no WebSocket gets through: by requests, and beside them by a stream of server-sent
// events or by polls. Widget and dashboard fetch it when they need it, and use it like a WebSocket.
// What goes over the network is told in docs/protocol.md, under "Without a WebSocket".

/** Frames of one request, and their characters together: the server takes 256 KiB. */
const MOST = 16, LONG = 80_000;
/** In milliseconds: the least between two requests for events. */
const PAUSE = 250;
/** How late an entry may come after the answer to its message, or anything after a heartbeat. */
const LATE = 3_000;

/** Something on the way holds back what is streamed: found out once for all. */
let held = false;

/** Gives `socket`, an EventTarget, a connection to `url`. */
export function carry(socket, url, token, polls) {
  const address = url.replace(/^ws/, "http");
  /** The newest number that was heard of each joined room; none before its first page. */
  const heard = new Map();
  const waiting = [], syncs = [];
  let hello, epoch, ended, posting, listening, timer, quiet, heartbeat;
  let active = !document.hidden, known = "";

  const tell = (frame) => ended || socket.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));

  function end(code) {
    if (ended) return;
    socket.close();
    socket.dispatchEvent(new CloseEvent("close", { code }));
  }

  /** What a proxy refuses by itself is a lost connection. */
  function refused({ status, headers }) {
    const ours = /problem/.test(headers.get("content-type"));
    if (status === 429) tell({ t: "bye", reason: "limit", after: 1000 * (headers.get("retry-after") || 5) });
    end((ours && { 401: 4401, 403: 4403, 429: 4029 }[status]) || 1006);
  }

  /** An agent shows her cookie, which goes to her own pages' server only. */
  const ask = (frames, headers, signal) =>
    fetch(address, {
      method: "POST",
      cache: "no-store",
      signal,
      headers: { "content-type": "application/json", ...(hello.view !== "html" && { authorization: `Bearer ${token}` }), ...headers },
      body: `[${frames.map((frame) => (frame.t ? JSON.stringify(frame) : frame))}]`,
    });

  const cursors = () => [...heard].filter(([, seq]) => seq >= 0).map(([room, seq]) => ({ room, seq }));

  /** Has frames executed, a few at a time and one request after the other. */
  async function post() {
    if (posting) return;
    posting = true;
    while (waiting.length && !ended) {
      const batch = [waiting.shift()];
      for (let long = batch[0].length; waiting.length && batch.length < MOST && (long += waiting[0].length) < LONG; ) batch.push(waiting.shift());
      try {
        const answer = await ask([{ ...hello, cursors: [] }, ...batch], {});
        if (answer.ok) (await answer.json()).forEach(answered);
        else refused(answer);
      } catch {
        end(1006);
      }
    }
    posting = false;
  }

  function answered(frame) {
    if (frame.t === "close") return end(frame.code);
    // A request knows of no rooms; the client would join those that it misses again.
    if (frame.t === "beat") frame.rooms = cursors();
    if (frame.t === "ack") for (const { seq } of frame.acks) setTimeout(late, LATE, frame.room, seq);
    tell(frame);
  }

  /** What was stored has to be heard of as well. */
  function late(room, seq) {
    if (heard.get(room) < seq) hold();
  }

  function hold() {
    if (polls || ended) return;
    held = polls = true;
    listen();
  }

  /** A stream is never silent for much longer than a heartbeat. */
  function wait() {
    clearTimeout(quiet);
    if (heartbeat && !polls) quiet = setTimeout(hold, heartbeat + LATE);
  }

  /** Asks for events: at once, if frames wait that are answered there; all that belong together come in one breath. */
  function soon() {
    known = "";
    clearTimeout(timer);
    timer = setTimeout(listen);
  }

  async function listen() {
    clearTimeout(timer);
    wait();
    listening?.abort();
    const { signal } = (listening = new AbortController());
    const joins = [...heard].filter(([, seq]) => !(seq >= 0)).map(([room]) => ({ t: "join", room }));
    const frames = [{ ...hello, cursors: cursors() }, { t: "ping", n: 0, active }, ...joins, ...syncs];
    const headers = { accept: "text/event-stream" };
    if (known) headers["last-event-id"] = known;
    if (polls) headers.prefer = "wait=25";
    try {
      const pause = new Promise((done) => setTimeout(done, PAUSE));
      const answer = await ask(frames, headers, signal);
      if (!answer.ok) return refused(answer);
      // A page that somebody on the way has put in the place of the answer.
      if (!/event-stream/.test(answer.headers.get("content-type"))) return end(1006);
      const reader = answer.body.getReader(), decoder = new TextDecoder();
      for (let text = "", part; !(part = await reader.read()).done; ) {
        const events = (text + decoder.decode(part.value, { stream: true })).split("\n\n");
        text = events.pop();
        for (const event of events) if (!signal.aborted) take(event);
        if (!signal.aborted) wait();
      }
      clearTimeout(quiet);
      await pause;
      if (!signal.aborted) listen();
    } catch {
      if (!signal.aborted) end(1006);
    }
  }

  /** An event: a frame, or the end in the place of one. */
  function take(event) {
    const id = /^id: ?(.*)/m.exec(event), data = /^data: ?(.*)/m.exec(event);
    if (id) known = id[1];
    if (!data) return;
    const frame = JSON.parse(data[1]), { t, room } = frame;
    if (t === "close") return end(frame.code);
    if (t === "welcome") {
      // Other data than before: the client has to begin again.
      if (epoch && epoch !== frame.epoch) return end(1006);
      epoch = hello.epoch = frame.epoch;
      heartbeat = frame.heartbeat;
    }
    if (t === "event" && heard.has(room)) heard.set(room, frame.seq);
    if (t === "page" && frame.live) heard.set(room, frame.live.position);
    if (t === "error" && room && frame.code === "unknown_room") heard.delete(room);
    // Each is answered; the last one says which list is on screen.
    if (t === "list" && syncs.length > 1) syncs.shift();
    tell(frame);
  }

  socket.send = (text) => {
    const frame = JSON.parse(text), { t, room } = frame;
    if (t === "hello") {
      hello = frame;
      for (const cursor of frame.cursors) heard.set(cursor.room, cursor.seq);
    }
    if (t === "join") heard.set(room, frame.after);
    if (t === "leave") return heard.delete(room);
    if (t === "sync") syncs.push(frame);
    if (t === "auth") return (token = frame.token);
    if (t === "hello" || t === "join" || t === "sync" || (t === "ping" && frame.active !== active)) soon();
    if (t === "ping") active = frame.active;
    if (/^(send|receipt|typing|history)$/.test(t) || frame.n) post(waiting.push(text));
  };
  socket.close = () => {
    ended = true;
    clearTimeout(timer);
    clearTimeout(quiet);
    listening?.abort();
  };

  polls ||= held;
  socket.dispatchEvent(new Event("open"));
}
