// The thread: entries of one or two rooms in one time line, and what passes in them.

import { $, $$, brain, build, live, onScreen, people, toast } from "./common.js";
import { readHere } from "./counts.js";
import { waits, written } from "./rooms.js";

export const thread = $("[data-live-thread]");
export const scroller = $("[data-scroll]");

export const nearEnd = () => !scroller || scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 64;

export function toEnd() {
  if (scroller) scroller.scrollTop = scroller.scrollHeight;
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

export function event(change) {
  written(change.room);
  if (!thread || !onScreen.has(change.room)) return;
  const stick = nearEnd() || change.own;
  const fresh = place(change);
  held(change.room);
  if (stick) toEnd();
  else if (fresh) $("[data-new-pill]").hidden = false;
  see();
}

// Brings the thread in step with the brain's window of a room.
function reconcile(room) {
  const snapshot = brain.desk.room(room);
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
    if (!isPending(element)) continue;
    const state = message.state !== "failed" ? "sending" : message.code === "unseen" ? "held" : "failed";
    const stopped = state === "held" && element.dataset.state !== "held";
    element.dataset.state = state;
    if (stopped) {
      held(change.room);
      toEnd();
    }
  }
}

// Names the colleague who answered before a message of ours: her answer may come after the refusal.
function held(room) {
  const waiting = $$(`[data-state=held][data-room="${room}"] [data-held]`, thread);
  if (!waiting.length) return;
  const answer = brain.desk.room(room)?.entries.findLast((entry) => entry.author.role === "agent" && !entry.own && entry.body === "text");
  if (answer) waiting.forEach((element) => (element.textContent = `${answer.author.name} answered meanwhile.`));
}

const windows = new Map();

export function room(change) {
  const { room } = change;
  waits(room, change.unread);
  written(room);
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
  if (more && [...onScreen.keys()].every((id) => brain.desk.room(id)?.more === false)) more.parentElement.remove();
  see();
}

function gone() {
  toast("You are not in this room any more.", "danger");
  location.assign("/rooms");
}

export function marks({ room, unread, ticks }) {
  waits(room, unread);
  for (const { cid, tick } of ticks ?? []) {
    const element = document.getElementById(`m-${cid}`);
    if (element) element.dataset.tick = tick;
  }
}

const typers = new Map();

export function typing({ room, who }) {
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

export function presence({ who, state }) {
  people.set(who.id, state);
  for (const element of $$(`[data-presence="${who.id}"]`)) {
    element.dataset.state = state;
    const word = $("[data-presence-word]", element);
    if (word) word.textContent = { online: "Online", away: "Away", offline: "Offline" }[state];
  }
}

/** Whether the thread is being read: on screen, in a visible, focused window. */
export const reading = () => thread && document.visibilityState === "visible" && document.hasFocus() && nearEnd();

export function see() {
  if (!reading()) return;
  for (const [id] of onScreen) {
    const last = brain.desk.room(id)?.last ?? 0;
    if (last > 0) brain.desk.seen(id, last);
    readHere(id, last);
  }
}

/** Loads what lies before the thread, in both rooms of a ticket. */
export function older() {
  if (!thread || !$("[data-older]")) return;
  for (const id of onScreen.keys()) brain.desk.older(id);
}
