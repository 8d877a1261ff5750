// Makes the pages of the dashboard live. The brain (cursors, gaps, outbox, receipts, back-off) is the
// widget's, in WebAssembly; this script gives it a token, and puts what it says onto the page.
// The attributes that it meets the pages in are listed in admin-templates/src/lib.rs.

import { $, $$, brain, live, onScreen, toast } from "./live/common.js";
import { counts, welcome } from "./live/counts.js";
import { askList, merge, row } from "./live/list.js";
import { event, marks, nearEnd, older, presence, room, scroller, see, thread, toEnd, typing } from "./live/thread.js";

async function token() {
  try {
    const answer = await fetch(live.token_url, { method: "POST", headers: { accept: "application/json" } });
    if (answer.ok) return brain.desk.token((await answer.json()).token);
    brain.desk.failed(answer.status === 401 ? 4401 : answer.status === 403 ? 4403 : 1006);
  } catch {
    brain.desk.failed(1006);
  }
}

// What got through where no WebSocket did, and since when: the next page need not find it out again.
const WAY = "parlour-transport";
const KEPT = 5 * 60_000;

function remember(transport) {
  if (!transport) return sessionStorage.removeItem(WAY);
  const [known] = (sessionStorage.getItem(WAY) ?? "").split(" ");
  if (Number(known) !== transport) sessionStorage.setItem(WAY, `${transport} ${Date.now()}`);
}

function recall() {
  const [transport, since] = (sessionStorage.getItem(WAY) ?? "").split(" ");
  if (Date.now() - since < KEPT) brain.desk.prefer(Number(transport));
  else remember(0);
}

function link({ link, wait, code, transport }) {
  if (link === "live") remember(transport);
  const banner = $("[data-connection]");
  banner.dataset.state = link;
  const words = {
    waiting: wait > 1500 ? `No connection. Trying again in ${Math.ceil(wait / 1000)} s. What you write is kept.` : "Reconnecting…",
    stopped: code === 4401 ? "You are signed out." : "This page cannot connect any more. Load it again.",
  };
  $("[data-connection-text]", banner).textContent = words[link] ?? "";
  if (link === "stopped" && code === 4401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

const handlers = { token, link, welcome, rooms: welcome, room, event, marks, typing, presence, list: merge, row };

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
    brain.desk.typing(target(form), text.value.trim() !== "");
    keep();
  });
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    const error = $("[data-composer-error]", form);
    error.textContent = "";
    try {
      brain.desk.send(target(form), text.value);
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

const sentence = (reason) => `${reason[0].toUpperCase()}${reason.slice(1)}${/[.?…]$/.test(reason) ? "" : "."}`;

const done = { resolved: "The ticket is resolved.", pending: "The ticket waits for the visitor.", snoozed: "The ticket is snoozed." };

// What took the ticket out of the list can be taken back. The time of an earlier snooze is gone.
function said(action, before, state) {
  if (done[state] && before !== state) toast(done[state], "ok", before === "snoozed" ? undefined : { action, state: before });
}

async function submitLive(submit) {
  const form = submit.target.closest?.("form[data-live-form]");
  if (!form) return;
  submit.preventDefault();
  const body = new URLSearchParams(new FormData(form, submit.submitter));
  const before = $("[data-ticket-state]")?.dataset.ticketState;
  form.closest("[popover]")?.hidePopover();
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
    if (!answer.ok) return toast(sentence((await answer.json().catch(() => ({}))).detail ?? "this could not be done"), "danger");
    // What went wrong before is mended.
    for (const old of $$(".toast[data-tone=danger]")) old.remove();
    if (form.dataset.liveForm === "undo") form.closest(".toast")?.remove();
    else said(form.action, before, body.get("state"));
  } catch {
    toast("No connection. Try again in a moment.", "danger");
  }
}

function click({ target }) {
  const action = target.closest?.("[data-action]")?.dataset.action;
  const cid = target.closest?.("article[id]")?.id.slice(2);
  if (action === "retry") brain.desk.retry(cid);
  if (action === "reconnect") brain.desk.online();
  if (action === "discard") {
    const text = $("[data-composer] textarea");
    const taken = brain.desk.discard(cid);
    if (taken && text && !text.value) text.value = taken;
  }
}

let used = Date.now();

function active() {
  brain.desk.active(document.visibilityState === "visible" && Date.now() - used < 300_000);
}

function listen() {
  const form = $("[data-composer]");
  if (form) composer(form);
  document.addEventListener("submit", submitLive);
  document.addEventListener("click", click);
  // An older page has no live rooms: there the link is followed.
  if (onScreen.size) $("[data-older]")?.addEventListener("click", (event) => (event.preventDefault(), older()));
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
  window.addEventListener("online", () => brain.desk.online());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && brain.desk.online());
  window.addEventListener("pagehide", () => brain.desk.stop());
  window.addEventListener("pageshow", (event) => event.persisted && brain.desk.start(live.socket_url));
}

const glue = await import(live.glue_url);
await glue.default({ module_or_path: live.wasm_url });
brain.desk = new glue.Desk((change) => handlers[change.kind]?.(change), `parlour-desk:${live.agent}`);
for (const id of onScreen.keys()) brain.desk.join(id);
askList();
listen();
toEnd();
recall();
brain.desk.start(live.socket_url);
