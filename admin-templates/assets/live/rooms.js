// The agent's own rooms, direct and team: what waits in them counts wherever she is, and their rows say what was written last.

import { $, badge, brain, build, onScreen } from "./common.js";
import { counts } from "./counts.js";

const unread = new Map();
const open = (room) => onScreen.has(room) && document.hasFocus();

/** Unread messages in all of them, but for the one that is being read. */
export const inRooms = () => [...unread].reduce((sum, [room, count]) => sum + (open(room) ? 0 : count), 0);

/** Joins those that are hers: their news comes to every page. */
export function joinOwn(rooms) {
  for (const { room, kind } of rooms) {
    if (kind !== "direct" && kind !== "team") continue;
    unread.set(room, unread.get(room) ?? 0);
    brain.desk.join(room);
  }
}

/** So many messages of a room are unread now. */
export function waits(room, count) {
  if (!unread.has(room)) return;
  unread.set(room, count);
  const row = document.getElementById(`r-${room}`);
  if (row) badge($("[data-unread]", row), open(room) ? 0 : count);
  counts();
}

/** Something may have been written: its row says what is newest, and comes to the top. */
export function written(room) {
  const row = document.getElementById(`r-${room}`);
  const newest = row && brain.desk.room(room)?.entries.findLast(({ body }) => body === "text");
  if (!newest || newest.seq <= Number(row.dataset.position)) return;
  row.dataset.position = newest.seq;
  const entry = build(newest.html);
  const time = $("time", entry);
  time.className = "room-time";
  time.dataset.time = "short";
  $(".room-time", row)?.remove();
  $(".room-name", row).after(time);
  $(".room-preview", row).textContent = $(".bubble", entry).textContent.trim().slice(0, 200);
  // It is moved by its neighbours: one that moved itself would lose the focus.
  while (row.previousElementSibling) row.after(row.previousElementSibling);
  document.dispatchEvent(new CustomEvent("parlour:fresh", { detail: row }));
}
