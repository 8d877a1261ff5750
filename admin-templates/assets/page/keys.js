// Shortcuts, and arrows in menus.

import { all, keep, one } from "./common.js";
import { toast } from "./toasts.js";

const PLACES = { t: "tickets", r: "rooms", a: "agents", s: "sites", p: "account" };
const KEYS = { j: "next", k: "previous", r: "reply", n: "note", e: "resolve", E: "resolve-next", z: "snooze", a: "assign", i: "assign-me", "/": "search", "?": "help", g: "go" };

function move(step) {
  const found = all(".found-link");
  if (found.length > 0) {
    found[Math.max(0, found.indexOf(document.activeElement) + step)]?.focus();
    return;
  }
  const links = all(".ticket-link, .room-link");
  const at = links.findIndex((link) => link.getAttribute("aria-current"));
  links[at < 0 ? 0 : at + step]?.click();
}

function write(room) {
  const tab = one(`[data-composer] [value=${room}]`);
  if (tab && !tab.checked) tab.click();
  one("[data-composer] textarea")?.focus();
}

async function resolveNext() {
  const button = one("[data-key-target=resolve]");
  const links = all(".ticket-link");
  const next = links[links.findIndex((link) => link.getAttribute("aria-current")) + 1];
  if (!button) return;
  if (!next || button.value !== "resolved") { button.click(); return; }
  const body = new URLSearchParams({ [button.name]: button.value });
  const answer = await fetch(button.form.action, { method: "POST", body });
  if (answer.ok) {
    // The next ticket is another page: what was done is said there.
    const state = one("[data-ticket-state]").dataset.ticketState;
    const undo = state === "snoozed" ? undefined : { action: button.form.action, state };
    try {
      sessionStorage.setItem("parlour.done", JSON.stringify({ text: "The ticket is resolved.", undo }));
    } catch { /* Storage is blocked. */ }
    next.click();
  }
  else toast("That did not work. Try once more.", "danger");
}

const target = (name) => one(`[data-key-target=${name}]`);
const actions = {
  next: () => move(1),
  previous: () => move(-1),
  reply: () => write("public"),
  note: () => write("staff"),
  resolve: () => target("resolve")?.click(),
  "resolve-next": resolveNext,
  assign() {
    target("assign")?.click();
    one("#assign-menu .menu-item")?.focus();
  },
  snooze() {
    target("life")?.click();
    one("#life-menu [name=until]")?.focus();
  },
  "assign-me": () => target("assign-me")?.click(),
  search() {
    const field = one("[data-search]");
    if (!field) return void one("[data-nav=search]")?.click();
    field.focus();
    field.select();
  },
  help: () => document.getElementById("shortcuts")?.showModal(),
};

export const mac = /mac|iphone|ipad/i.test(navigator.platform);
let going = 0;
export function shortcut(event) {
  // With a modifier it is none of the single keys, so it works in a field and cannot be switched off.
  if (/^k$/i.test(event.key) && (mac ? event.metaKey : event.ctrlKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    if (!one("dialog:modal")) actions.search();
    return;
  }
  if (event.key === "Escape" && event.target.matches?.("[data-search]")) {
    event.preventDefault();
    event.target.blur();
    return;
  }
  const busy = event.target.closest?.("input, textarea, select, [contenteditable], dialog, [popover]");
  if (busy || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (keep.get("shortcuts") === "off") return;
  if (Date.now() - going < 1500) {
    going = 0;
    const link = one(`[data-nav=${PLACES[event.key] ?? "none"}]`);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  const action = KEYS[event.key];
  if (action === "go") { going = Date.now(); return; }
  if (!action) return;
  event.preventDefault();
  const taken = !document.dispatchEvent(new CustomEvent("parlour:key", { detail: { action }, cancelable: true }));
  if (!taken) actions[action]();
}

// Arrows walk through an open menu.
export function walk(event) {
  const menu = event.target.closest?.(".menu");
  if (!menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  const items = all(".menu-item", menu);
  const at = items.indexOf(document.activeElement);
  if (items.length === 0 || event.target.matches("select, input")) return;
  event.preventDefault();
  items[(at + (event.key === "ArrowDown" ? 1 : items.length - (at < 0 ? 0 : 1))) % items.length].focus();
}
