// Threads and lists, whose entries others put in.

import { one } from "./common.js";
import { MINUTE, day, midnight, times } from "./times.js";

const GROUP_MICROS = 5 * MINUTE * 1000;
const NEAR = 64;
const me = document.body.dataset.me;

// Days, grouping and ownership depend on the reader and on the neighbours, so the
// server's fragment cannot carry them.
function tidy(thread) {
  let before = null;
  let group = null;
  for (const entry of [...thread.children]) {
    if (entry.matches(".day")) continue;
    const at = Number(entry.dataset.at);
    const newDay = at && (!before || midnight(before / 1000) !== midnight(at / 1000));
    if (markDay(entry, newDay && at / 1000)) group = null;
    if (at) before = at;
    group = tidyEntry(entry, group, at || before || 0);
  }
}

// Whether a day's name stands before the entry. One that stands right is left alone: a log is read aloud.
function markDay(entry, time) {
  for (let mark = entry.previousElementSibling; mark?.matches(".day"); mark = entry.previousElementSibling) {
    if (time && mark.dataset.day === String(midnight(time))) return true;
    mark.remove();
  }
  if (!time) return false;
  const mark = document.createElement("p");
  const label = document.createElement("time");
  mark.className = "day";
  mark.dataset.day = midnight(time);
  label.dateTime = new Date(time).toISOString();
  label.textContent = day(time);
  mark.append(label);
  entry.before(mark);
  return true;
}

function tidyEntry(entry, group, at) {
  if (!entry.classList.contains("message")) return null;
  const { author, kind } = entry.dataset;
  if (author) entry.classList.toggle("own", author === me);
  const writer = entry.classList.contains("own") ? me : author;
  const follows = group?.writer === writer && group.kind === kind && at - group.at < GROUP_MICROS;
  entry.classList.toggle("follows", Boolean(follows));
  return { writer, kind, at };
}

export function watchThread(thread) {
  const scroll = thread.closest("[data-scroll]");
  const pill = one("[data-new-pill]");
  const away = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight > NEAR;
  const down = () => { scroll.scrollTop = scroll.scrollHeight; };
  const observer = new MutationObserver(refresh);
  let pinned = true;
  function refresh() {
    observer.disconnect();
    tidy(thread);
    times(thread);
    observer.observe(thread, { childList: true });
    if (pinned) down();
  }
  scroll.addEventListener("scroll", () => {
    pinned = !away();
    if (pinned && pill) pill.hidden = true;
  }, { passive: true });
  pill?.addEventListener("click", down);
  new ResizeObserver(() => { if (pinned) down(); }).observe(scroll);
  refresh();
}

// Lists: a fragment's link lacks the list's query, which belongs to the page.
export function watchList(list) {
  const observer = new MutationObserver(() => times(list));
  observer.observe(list, { childList: true });
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='/tickets/']");
    if (link && !link.search && location.search) link.search = location.search;
  }, { capture: true });
}
