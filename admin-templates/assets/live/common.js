// What the parts of the live script share: the page's data, the brain, and a few ways to reach elements.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** What the server tells the script; see `Live` in admin-templates/src/shell.rs. */
export const live = JSON.parse($("#live-data").dataset.live);

/** `desk` is the brain, once it is loaded; see widget-wasm/src/desk.rs. */
export const brain = { desk: undefined };

/** The rooms of this page, by id. */
export const onScreen = new Map(live.rooms.map((room) => [room.room, room]));

/** People and their presence, by id. */
export const people = new Map();

/** An element of the server's own fragment: its text went through the sanitiser, and the policy allows no inline script. */
export function build(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

export function badge(element, count) {
  if (!element) return;
  element.textContent = count > 99 ? "99+" : count;
  element.hidden = count === 0;
}

export const toast = (text, tone, undo) => document.dispatchEvent(new CustomEvent("parlour:toast", { detail: { text, tone, undo } }));
