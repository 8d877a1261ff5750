// The list of tickets: merged in place, in the server's order.

import { renew } from "./around.js";
import { $, $$, brain, build, live } from "./common.js";
import { recount, showUnread } from "./counts.js";

export const list = $("[data-live-list]");

const query = () => {
  const { state, assigned, site } = live.list ?? {};
  const parts = [state && state !== "open" && `state=${state}`, assigned && assigned !== "all" && `assigned=${assigned}`, site && `site=${site}`].filter(Boolean);
  return parts.length ? `?${parts.join("&")}` : "";
};

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
  showUnread(row);
  return row;
}

const revisions = () => $$("[data-rev]", list).map((row) => ({ id: row.dataset.id, rev: Number(row.dataset.rev) }));

export function merge({ order, rows }) {
  const changed = new Map(rows.map((row) => [row.id, row]));
  if (list && live.list?.first) {
    const wanted = new Set(order.map((id) => `t-${id}`));
    for (const row of $$("[data-rev]", list)) if (!wanted.has(row.id)) row.remove();
    for (const [index, id] of order.entries()) {
      const row = changed.has(id) ? adopt(changed.get(id).html) : document.getElementById(`t-${id}`);
      if (row && list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
    }
    brain.desk.rows(JSON.stringify(revisions()));
  }
  for (const row of rows) {
    brain.desk.delivered(row.id, row.position);
    renew(row);
  }
  recount();
}

function belongs(row) {
  const { state, assigned, site } = live.list;
  const whose = assigned === "mine" ? row.assignee === live.agent : assigned === "unassigned" ? !row.assignee : true;
  return row.state === state && whose && (!site || row.site === site);
}

let asking;

export function row(change) {
  brain.desk.delivered(change.id, change.position);
  recount();
  renew(change);
  if (!list || !live.list) return;
  const known = document.getElementById(`t-${change.id}`);
  if (known && Number(known.dataset.rev) > change.rev) return;
  if (!belongs(change)) {
    known?.remove();
    // The row below the page's end moves up into it.
    if (known) asking ??= setTimeout(() => (asking = undefined, askList()), 400);
  } else if (known || live.list.first) {
    const element = adopt(change.html);
    const newer = (other) => Number(other.dataset.at) > change.at || (Number(other.dataset.at) === change.at && other.dataset.id > change.id);
    const after = [...list.children].find((other) => other !== element && !newer(other));
    if (element.nextElementSibling !== after || !element.isConnected) list.insertBefore(element, after ?? null);
    while (live.list.first && list.children.length > 50) list.lastElementChild.remove();
  }
  brain.desk.rows(JSON.stringify(revisions()));
}

export function askList() {
  if (list && live.list?.first) brain.desk.list(JSON.stringify({ state: live.list.state, assigned: live.list.assigned, ...(live.list.site && { site: live.list.site }), rows: revisions() }));
}
