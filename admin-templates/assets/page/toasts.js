// Toasts: what was done, or went wrong.

import { one } from "./common.js";

// `undo` is `{action, state}`: the form that sets a ticket's state back.
export function toast(text, tone = "ok", undo) {
  const element = document.createElement("div");
  const words = document.createElement("p");
  const close = document.createElement("button");
  element.className = "toast";
  element.dataset.tone = tone;
  words.textContent = text;
  close.className = "icon-button";
  close.type = "button";
  close.dataset.action = "dismiss";
  close.setAttribute("aria-label", "Dismiss");
  close.append(icon("x"));
  element.append(icon(tone === "ok" ? "check-circle" : "alert"), words, ...(undo ? [undoForm(undo)] : []), close);
  one("[data-toasts]")?.append(element);
  fade(element);
}

function undoForm({ action, state }) {
  const form = document.createElement("form");
  const field = document.createElement("input");
  const button = document.createElement("button");
  Object.assign(form, { method: "post", action });
  Object.assign(field, { type: "hidden", name: "state", value: state });
  form.dataset.liveForm = "undo";
  button.className = "link-button";
  button.textContent = "Undo";
  form.append(field, button);
  return form;
}

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// Good news goes by itself; bad news waits for its reader.
export function fade(element) {
  if (element.dataset.tone !== "ok") return;
  setTimeout(() => (element.matches(":hover, :focus-within") ? fade(element) : element.remove()), one("form", element) ? 12_000 : 6000);
}
