// The page with the snippet: copying it, and waiting for the first visitor.

import { one } from "./common.js";
import { toast } from "./toasts.js";

export async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const label = one("span", button);
  const words = label.textContent;
  try {
    await navigator.clipboard.writeText(source.textContent);
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = words; }, 2000);
  } catch {
    getSelection().selectAllChildren(source);
    toast("Selected. Copy it with the keyboard.", "danger");
  }
}

export function beside(event, link) {
  const width = Math.min(560, Math.round(screen.availWidth / 2));
  const place = `popup,width=${width},height=${screen.availHeight},left=${screen.availWidth - width},top=0`;
  if (window.open(link.href, link.target, place)) event.preventDefault();
}

// The install page asks until the first message is there.
export function watchInstall(card) {
  const ask = async () => {
    if (document.visibilityState !== "visible") return;
    try {
      const answer = await fetch(`/sites/${card.dataset.site}/seen`, { headers: { accept: "application/json" } });
      if (!answer.ok) return;
      const { seen, ticket } = await answer.json();
      if (seen && card.dataset.state === "waiting") card.dataset.state = "seen";
      if (!ticket) return;
      one("[data-waiting-link]", card).href = `/tickets/${ticket}`;
      card.dataset.state = "arrived";
      clearInterval(timer);
    } catch { /* No connection: the next question may find one. */ }
  };
  const timer = setInterval(ask, 1500);
  ask();
}
