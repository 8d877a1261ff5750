// Counts in the navigation, the rows, the title and the icon.

import { renew } from "./around.js";
import { $, $$, badge, live } from "./common.js";
import { list } from "./list.js";
import { inRooms, joinOwn } from "./rooms.js";
import { presence, reading } from "./thread.js";

/** Unread messages of the tickets in the list, by ticket, as the server counted them. */
const unread = new Map();
const navTickets = $('[data-nav-unread="tickets"]');
const title = document.title;
let waiting = Number(navTickets?.dataset.unread ?? 0);

for (const row of list ? $$("[data-rev]", list) : []) unread.set(row.dataset.id, Number($("[data-unread]", row).dataset.unread));

export function counts() {
  const rooms = inRooms();
  badge($('[data-nav-unread="rooms"]'), rooms);
  badge(navTickets, waiting);
  const all = rooms + waiting;
  document.title = all > 0 ? `(${all > 99 ? "99+" : all}) ${title}` : title;
  const icon = $("link[rel=icon][data-unread-icon]");
  if (icon) icon.href = all > 0 ? icon.dataset.unreadIcon : icon.dataset.plainIcon;
}

/** What a row says of its unread messages; none while they are being read. */
export function showUnread(row) {
  const open = row.dataset.id === live.ticket && reading();
  badge($("[data-unread]", row), open ? 0 : (unread.get(row.dataset.id) ?? 0));
}

/** A ticket was read on this page, up to an entry. The server hears of it by a receipt. */
export function readHere(ticket, seq) {
  const row = document.getElementById(`t-${ticket}`);
  if (!row || Number(row.dataset.read ?? 0) >= seq) return;
  row.dataset.read = seq;
  unread.set(ticket, 0);
  showUnread(row);
}

let timer;
let asked = 0;

/** Asks the server for all of these numbers: one question for many changes, and fewer from a hidden page. */
export function recount() {
  timer ??= setTimeout(ask, document.visibilityState === "visible" ? 400 : 2000);
}

async function ask() {
  timer = undefined;
  const number = ++asked;
  const ids = list ? $$("[data-rev]", list).map((row) => row.dataset.id) : [];
  try {
    const answer = await fetch(`/tickets/counts?rows=${ids.join(".")}`, { headers: { accept: "application/json" } });
    if (!answer.ok || number !== asked) return;
    show(await answer.json());
  } catch {
    // Without a connection the numbers stay; the welcome after it asks again.
  }
}

/** As in protocol/src/limits.rs. */
const MOST_COUNTED = 1_000;

function show({ waiting: now, tabs, rows }) {
  waiting = now;
  for (const [name, count] of Object.entries(tabs)) $$(`[data-count="${name}"]`).forEach((element) => (element.textContent = count < MOST_COUNTED ? count : `${MOST_COUNTED - 1}+`));
  for (const [id, own] of Object.entries(rows)) {
    presence({ who: { id: own.visitor }, state: own.presence });
    const row = document.getElementById(`t-${id}`);
    // An answer that knows of less than was read here has crossed the receipt.
    if (!row || Number(row.dataset.read ?? 0) > own.read) continue;
    row.dataset.read = own.read;
    unread.set(id, own.unread);
    showUnread(row);
  }
  counts();
}

export function welcome({ rooms, people: present, limit }) {
  present?.forEach(presence);
  joinOwn(rooms);
  const text = $("[data-composer] textarea");
  if (text && limit) text.maxLength = limit;
  recount();
  renew();
}
