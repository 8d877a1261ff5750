// Makes the pages of the dashboard live. The brain (cursors, gaps, outbox, receipts, back-off) is the
// widget's, in WebAssembly; this script gives it a token, and puts what it says onto the page.
// The attributes that it meets the pages in are listed in admin-templates/src/lib.rs.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const live = JSON.parse($("#live-data").dataset.live);
const thread = $("[data-live-thread]");
const scroller = $("[data-scroll]");
const list = $("[data-live-list]");
const onScreen = new Map(live.rooms.map((room) => [room.room, room]));
const roomUnread = new Map();
const people = new Map();
let desk;

// ---- the connection ----

async function token() {
  try {
    const answer = await fetch(live.token_url, { method: "POST", headers: { accept: "application/json" } });
    if (answer.ok) return desk.token((await answer.json()).token);
    desk.failed(answer.status === 401 ? 4401 : answer.status === 403 ? 4403 : 1006);
  } catch {
    desk.failed(1006);
  }
}

function link({ link, wait, code }) {
  const banner = $("[data-connection]");
  banner.dataset.state = link;
  const words = {
    waiting: wait > 1500 ? `No connection. Trying again in ${Math.ceil(wait / 1000)} s. What you write is kept.` : "Reconnecting…",
    stopped: code === 4401 ? "You are signed out." : "This page cannot connect any more. Load it again.",
  };
  $("[data-connection-text]", banner).textContent = words[link] ?? "";
  if (link === "stopped" && code === 4401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

// ---- threads ----

const nearEnd = () => !scroller || scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 64;

function toEnd() {
  if (scroller) scroller.scrollTop = scroller.scrollHeight;
}

function build(html) {
  const template = document.createElement("template");
  // The server's own fragment: its text went through the sanitiser, and the policy allows no inline script.
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

const isPending = (element) => element.dataset.state !== undefined && element.dataset.seq === undefined;

function before(one, other) {
  const at = Number(one.dataset.at) - Number(other.dataset.at);
  if (at !== 0) return at < 0;
  if (one.dataset.room !== other.dataset.room) return one.dataset.room < other.dataset.room;
  return Number(one.dataset.seq) < Number(other.dataset.seq);
}

// Puts an entry where it belongs; a newer revision takes the place of an older one. True if it is new.
function place(entry) {
  const known = document.getElementById(`m-${entry.cid}`);
  if (known && !isPending(known)) {
    if (Number(known.dataset.rev) >= entry.rev) return false;
    known.replaceWith(build(entry.html));
    return false;
  }
  known?.remove();
  const element = build(entry.html);
  if (entry.tick) element.dataset.tick = entry.tick;
  const entries = $$("[data-seq]", thread);
  let index = entries.length;
  while (index > 0 && before(element, entries[index - 1])) index -= 1;
  const next = entries[index] ?? $$("[data-state]", thread).find(isPending);
  thread.insertBefore(element, next ?? null);
  return true;
}

function event(change) {
  if (!thread || !onScreen.has(change.room)) return;
  const stick = nearEnd() || change.own;
  const fresh = place(change);
  if (stick) toEnd();
  else if (fresh) $("[data-new-pill]").hidden = false;
  see();
}

// Brings the thread in step with the brain's window of a room.
function reconcile(room) {
  const snapshot = desk.room(room);
  if (!snapshot?.live) return;
  const stick = nearEnd();
  const height = scroller.scrollHeight;
  const held = $$(`[data-seq][data-room="${room}"]`, thread);
  const newest = Math.max(0, ...held.map((element) => Number(element.dataset.seq)));
  // A hole between the page and the window: the page is too old.
  if (newest && newest < snapshot.first - 1) held.forEach((element) => element.remove());
  thread.setAttribute("aria-busy", "true");
  const top = scroller.scrollTop;
  for (const entry of snapshot.entries) place(entry);
  thread.removeAttribute("aria-busy");
  if (stick) toEnd();
  else if (top < 400) scroller.scrollTop = top + scroller.scrollHeight - height;
}

function pending(change) {
  const waiting = new Map(change.pending.map((message) => [`m-${message.cid}`, message]));
  for (const element of $$(`[data-state][data-room="${change.room}"]`, thread)) {
    if (isPending(element) && !waiting.has(element.id)) element.remove();
  }
  for (const [id, message] of waiting) {
    let element = document.getElementById(id);
    if (!element) {
      element = $("template[data-pending]").content.firstElementChild.cloneNode(true);
      element.id = id;
      element.dataset.room = change.room;
      element.dataset.kind = onScreen.get(change.room).kind === "staff" ? "note" : "message";
      $(".bubble", element).textContent = message.text;
      thread.append(element);
      toEnd();
    }
    if (isPending(element)) element.dataset.state = message.state === "failed" ? "failed" : "sending";
  }
}

const windows = new Map();

function room(change) {
  const { room } = change;
  roomUnread.set(room, change.unread);
  const row = document.getElementById(`r-${room}`);
  if (row) badge($("[data-unread]", row), onScreen.has(room) && document.hasFocus() ? 0 : change.unread);
  counts();
  if (!onScreen.has(room) || !thread) return;
  if (change.gone) return gone();
  const window = `${change.first}-${change.last}-${change.live}`;
  if (windows.get(room) !== window) {
    windows.set(room, window);
    reconcile(room);
  }
  pending(change);
  marks(change);
  typing({ room, who: change.typing });
  change.people?.forEach(presence);
  const more = $("[data-older]");
  if (more && [...onScreen.keys()].every((id) => desk.room(id)?.more === false)) more.parentElement.remove();
  see();
}

function gone() {
  toast("You are not in this room any more.", "danger");
  location.assign("/rooms");
}

function marks({ ticks }) {
  for (const { cid, tick } of ticks ?? []) {
    const element = document.getElementById(`m-${cid}`);
    if (element) element.dataset.tick = tick;
  }
}

const typers = new Map();

function typing({ room, who }) {
  if (!onScreen.has(room)) return;
  typers.set(room, who);
  const names = [...new Set([...typers.values()].flat().map((person) => person.name || "Visitor"))];
  const line = $("[data-typing-line]");
  const text = names.length === 0 ? "" : names.length === 1 ? `${names[0]} is typing…` : names.length === 2 ? `${names[0]} and ${names[1]} are typing…` : "Several people are typing…";
  if (!line || line.textContent === text) return;
  const stick = nearEnd();
  line.textContent = text;
  if (stick) toEnd();
}

function presence({ who, state }) {
  people.set(who.id, state);
  for (const element of $$(`[data-presence="${who.id}"]`)) {
    element.dataset.state = state;
    const word = $("[data-presence-word]", element);
    if (word) word.textContent = { online: "Online", away: "Away", offline: "Offline" }[state];
  }
}

// Read means on screen, in a visible, focused window.
function see() {
  if (!thread || document.visibilityState !== "visible" || !document.hasFocus() || !nearEnd()) return;
  for (const [id] of onScreen) {
    const last = desk.room(id)?.last ?? 0;
    if (last > 0) desk.seen(id, last);
    const row = document.getElementById(`t-${id}`);
    if (row && Number(row.dataset.read ?? 0) < last) {
      row.dataset.read = last;
      unread(row);
      counts();
    }
  }
}

// ---- the list ----

const query = () => {
  const { state, assigned, site } = live.list ?? {};
  const parts = [state && state !== "open" && `state=${state}`, assigned && assigned !== "all" && `assigned=${assigned}`, site && `site=${site}`].filter(Boolean);
  return parts.length ? `?${parts.join("&")}` : "";
};

function badge(element, count) {
  if (!element) return;
  element.textContent = count > 99 ? "99+" : count;
  element.hidden = count === 0;
}

function unread(row) {
  const open = row.dataset.id === live.ticket && document.hasFocus();
  const read = row.dataset.read;
  const count = row.dataset.tick || open ? 0 : read === undefined ? 1 : Math.max(0, Number(row.dataset.position) - Number(read));
  badge($("[data-unread]", row), count);
  return count;
}

function adopt(html) {
  const row = build(html);
  const known = document.getElementById(row.id);
  if (known?.dataset.read !== undefined) row.dataset.read = known.dataset.read;
  const anchor = $("a", row);
  anchor.href = `/tickets/${row.dataset.id}${query()}`;
  if (row.dataset.id === live.ticket) anchor.setAttribute("aria-current", "true");
  const focused = known?.contains(document.activeElement);
  known?.replaceWith(row);
  if (focused) anchor.focus();
  for (const element of $$("[data-presence]", row)) if (people.has(element.dataset.presence)) element.dataset.state = people.get(element.dataset.presence);
  unread(row);
  return row;
}

const revisions = () => $$("[data-rev]", list).map((row) => ({ id: row.dataset.id, rev: Number(row.dataset.rev) }));

function merge({ order, rows, counts: numbers }) {
  const changed = new Map(rows.map((row) => [row.id, row]));
  if (list && live.list?.first) {
    const wanted = new Set(order.map((id) => `t-${id}`));
    for (const row of $$("[data-rev]", list)) if (!wanted.has(row.id)) row.remove();
    for (const [index, id] of order.entries()) {
      const row = changed.has(id) ? adopt(changed.get(id).html) : document.getElementById(`t-${id}`);
      if (row && list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
    }
    desk.rows(JSON.stringify(revisions()));
  }
  for (const [name, count] of Object.entries(numbers)) $$(`[data-count="${name}"]`).forEach((element) => (element.textContent = count));
  badge($('[data-nav-unread="tickets"]'), numbers.mine + numbers.unassigned);
  for (const row of rows) {
    desk.delivered(row.id, row.position);
    if (row.id === live.ticket) refreshHead(row);
  }
  counts();
}

function belongs(row) {
  const { state, assigned, site } = live.list;
  const whose = assigned === "mine" ? row.assignee === live.agent : assigned === "unassigned" ? !row.assignee : true;
  return row.state === state && whose && (!site || row.site === site);
}

let recount;

function row(change) {
  desk.delivered(change.id, change.position);
  if (change.id === live.ticket) refreshHead(change);
  if (!list || !live.list) return;
  const known = document.getElementById(`t-${change.id}`);
  if (known && Number(known.dataset.rev) > change.rev) return;
  if (!belongs(change)) known?.remove();
  else if (known || live.list.first) {
    const element = adopt(change.html);
    const newer = (other) => Number(other.dataset.at) > change.at || (Number(other.dataset.at) === change.at && other.dataset.id > change.id);
    const after = [...list.children].find((other) => other !== element && !newer(other));
    if (element.nextElementSibling !== after || !element.isConnected) list.insertBefore(element, after ?? null);
    while (live.list.first && list.children.length > 50) list.lastElementChild.remove();
  }
  desk.rows(JSON.stringify(revisions()));
  counts();
  // The counts on the tabs are the server's; one question for many changes.
  clearTimeout(recount);
  recount = setTimeout(askList, 400);
}

function askList() {
  if (list && live.list?.first) desk.list(JSON.stringify({ state: live.list.state, assigned: live.list.assigned, ...(live.list.site && { site: live.list.site }), rows: revisions() }));
}

// State and assignee stand in the head of the thread: the server renders it again.
let head = { state: $("[data-ticket-state]")?.dataset.ticketState, assignee: $("[data-ticket-assignee]")?.dataset.ticketAssignee };

async function refreshHead({ state, assignee = "" }) {
  if (head.state === state && head.assignee === (assignee ?? "")) return;
  head = { state, assignee: assignee ?? "" };
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [now, fresh] = [$(".thread-head"), $(".thread-head", page)];
    if (now && fresh) now.replaceWith(document.adoptNode(fresh));
  } catch {
    // Without a connection the head stays as it is; the next change renders it again.
  }
}

// ---- counts, title and icon ----

const title = document.title;

function counts() {
  const rooms = [...roomUnread].filter(([id]) => !(onScreen.has(id) && document.hasFocus()) && !document.getElementById(`t-${id}`));
  const waiting = rooms.reduce((sum, [, count]) => sum + count, 0);
  badge($('[data-nav-unread="rooms"]'), rooms.filter(([id]) => kinds.has(id)).reduce((sum, [, count]) => sum + count, 0));
  const tickets = list ? $$("[data-rev]", list).reduce((sum, row) => sum + unread(row), 0) : 0;
  const all = waiting + tickets;
  document.title = all > 0 ? `(${all > 99 ? "99+" : all}) ${title}` : title;
  const icon = $("link[rel=icon][data-unread-icon]");
  if (icon) icon.href = all > 0 ? icon.dataset.unreadIcon : icon.dataset.plainIcon;
}

const kinds = new Map();

function welcome({ rooms, people: present, limit }) {
  present?.forEach(presence);
  for (const { room, kind } of rooms) {
    if (kind !== "direct" && kind !== "team") continue;
    kinds.set(room, kind);
    desk.join(room);
  }
  const text = $("[data-composer] textarea");
  if (text && limit) text.maxLength = limit;
}

const toast = (text, tone) => document.dispatchEvent(new CustomEvent("parlour:toast", { detail: { text, tone } }));

const handlers = { token, link, welcome, rooms: welcome, room, event, marks, typing, presence, list: merge, row };

// ---- what the agent does ----

function target(form) {
  const kind = new FormData(form).get("room");
  return kind === "staff" ? thread.dataset.staffRoom : thread.dataset.room;
}

function composer(form) {
  const text = form.elements.namedItem("text");
  const draft = `parlour-draft:${live.agent}:${location.pathname}`;
  text.value ||= localStorage.getItem(draft) ?? "";
  const keep = () => (text.value ? localStorage.setItem(draft, text.value) : localStorage.removeItem(draft));
  text.addEventListener("input", () => {
    desk.typing(target(form), text.value.trim() !== "");
    keep();
  });
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    const error = $("[data-composer-error]", form);
    error.textContent = "";
    try {
      desk.send(target(form), text.value);
    } catch (reason) {
      error.textContent = { empty: "Write something first.", too_long: "This is too long for one message.", full: "Too many messages wait to be sent." }[reason] ?? "This could not be sent.";
      return;
    }
    text.value = "";
    keep();
    text.dispatchEvent(new Event("input", { bubbles: true }));
    text.focus();
  });
}

async function submitLive(submit) {
  const form = submit.target.closest?.("form[data-live-form]");
  if (!form) return;
  submit.preventDefault();
  const body = new URLSearchParams(new FormData(form, submit.submitter));
  form.closest("[popover]")?.hidePopover();
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
    if (!answer.ok) toast((await answer.json().catch(() => ({}))).detail ?? "This could not be done.", "danger");
  } catch {
    toast("No connection. Try again in a moment.", "danger");
  }
}

function older() {
  if (!thread || !$("[data-older]")) return;
  for (const id of onScreen.keys()) desk.older(id);
}

function click({ target }) {
  const action = target.closest?.("[data-action]")?.dataset.action;
  const cid = target.closest?.("article[id]")?.id.slice(2);
  if (action === "retry") desk.retry(cid);
  if (action === "reconnect") desk.online();
  if (action === "discard") {
    const text = $("[data-composer] textarea");
    const taken = desk.discard(cid);
    if (taken && text && !text.value) text.value = taken;
  }
}

let used = Date.now();

function active() {
  desk.active(document.visibilityState === "visible" && Date.now() - used < 300_000);
}

function listen() {
  const form = $("[data-composer]");
  if (form) composer(form);
  document.addEventListener("submit", submitLive);
  document.addEventListener("click", click);
  $("[data-older]")?.addEventListener("click", (event) => (event.preventDefault(), older()));
  $("[data-new-pill]")?.addEventListener("click", () => (toEnd(), see()));
  scroller?.addEventListener("scroll", () => {
    if (scroller.scrollTop < 160) older();
    if (nearEnd()) $("[data-new-pill]").hidden = true;
    see();
  }, { passive: true });
  for (const name of ["focus", "visibilitychange", "pointerdown", "keydown"]) {
    (name === "focus" ? window : document).addEventListener(name, () => {
      used = Date.now();
      active();
      see();
      counts();
    }, { passive: true });
  }
  setInterval(active, 60_000);
  window.addEventListener("online", () => desk.online());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && desk.online());
  window.addEventListener("pagehide", () => desk.stop());
  window.addEventListener("pageshow", (event) => event.persisted && desk.start(live.socket_url));
}

const glue = await import(live.glue_url);
await glue.default({ module_or_path: live.wasm_url });
desk = new glue.Desk((change) => handlers[change.kind]?.(change), `parlour-desk:${live.agent}`);
for (const id of onScreen.keys()) desk.join(id);
askList();
listen();
toEnd();
desk.start(live.socket_url);
