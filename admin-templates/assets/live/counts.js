// Counts in the navigation, the title and the icon; and the agent's own rooms, which count wherever she is.

import { $, $$, badge, brain, onScreen } from "./common.js";
import { list, unread } from "./list.js";
import { presence } from "./thread.js";

/** Unread messages of rooms that are joined, by room. */
export const roomUnread = new Map();

const title = document.title;

export function counts() {
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

export function welcome({ rooms, people: present, limit }) {
  present?.forEach(presence);
  for (const { room, kind } of rooms) {
    if (kind !== "direct" && kind !== "team") continue;
    kinds.set(room, kind);
    brain.desk.join(room);
  }
  const text = $("[data-composer] textarea");
  if (text && limit) text.maxLength = limit;
}
