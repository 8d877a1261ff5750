// The head and the context of a ticket: the server renders them again when something in them may have changed.

import { $, $$, live, people } from "./common.js";
import { presence } from "./thread.js";

const head = $(".thread-head");
const visitor = $("[data-presence]", head ?? document)?.dataset.presence;

let timer;
let shown;

/** A ticket's row changed: the one on screen, or another one of the same visitor. */
export function renew(row) {
  if (!live.ticket || (row && row.id !== live.ticket && !row.html.includes(visitor))) return;
  timer ??= setTimeout(fetchAround, 500);
}

async function fetchAround() {
  timer = undefined;
  if (inHand()) return renew();
  try {
    const answer = await fetch(`/tickets/${live.ticket}/around${location.search}`, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const text = await answer.text();
    if (inHand()) return renew();
    if (text === shown) return;
    shown = text;
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const part of [".thread-head", ".thread-notice", ".context-pane"]) swap($(part), $(part, fresh));
    for (const [id, state] of people) presence({ who: { id }, state });
  } catch {
    // Without a connection it stays as it is; the welcome after it renews it.
  }
}

// What an agent is about to choose from, or is pressing, stays as it is: a button that goes away before it is released does nothing.
const inHand = () => $(".thread-head :popover-open, :is(.thread-head, .context-pane):active");

// Keeps the element, which may be a popover that is open, and the focus in it.
function swap(now, fresh) {
  if (!now || !fresh || now.innerHTML === fresh.innerHTML) return;
  const stops = () => $$("a[href], button, input, select", now);
  const focused = stops().indexOf(document.activeElement);
  now.replaceChildren(...fresh.childNodes);
  stops()[focused]?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("parlour:fresh", { detail: now }));
}
