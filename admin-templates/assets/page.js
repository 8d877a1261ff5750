// What pages do without a connection. Every page works without this script as well.
// It meets the live script in attributes alone; src/lib.rs lists them.

import { all, keep, one } from "./page/common.js";
import { autosize, watchComposer, watchSite } from "./page/forms.js";
import { beside, copy, watchInstall } from "./page/install.js";
import { mac, shortcut, walk } from "./page/keys.js";
import { watchList, watchThread } from "./page/threads.js";
import { MINUTE, times } from "./page/times.js";
import { fade, toast } from "./page/toasts.js";

const sayFolded = () => one("[data-fold-context]")?.setAttribute("aria-expanded", String(document.documentElement.dataset.context !== "folded"));

function foldContext() {
  const folded = document.documentElement.dataset.context !== "folded";
  if (folded) document.documentElement.dataset.context = "folded";
  else delete document.documentElement.dataset.context;
  keep.set("context", folded ? "folded" : null);
  sayFolded();
}


function choose() {
  const theme = keep.get("theme") ?? "auto";
  for (const input of all("[data-theme-choice] input")) {
    input.checked = input.value === theme;
    input.addEventListener("change", () => {
      keep.set("theme", input.value === "auto" ? null : input.value);
      if (input.value === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = input.value;
    });
  }
  for (const input of all("[data-shortcuts-switch]")) {
    input.checked = keep.get("shortcuts") !== "off";
    input.addEventListener("change", () => {
      keep.set("shortcuts", input.checked ? null : "off");
      for (const other of all("[data-shortcuts-switch]")) other.checked = input.checked;
    });
  }
}

function click(event) {
  const hit = (selector) => event.target.closest(selector);
  const opener = hit("[data-open-dialog]");
  const copier = hit("[data-copy]");
  const link = hit("[data-beside]");
  const folder = hit("[data-fold-context]");
  if (opener) document.getElementById(opener.dataset.openDialog)?.showModal();
  else if (copier) copy(copier);
  else if (folder) foldContext();
  else if (hit("[data-newest]")) { event.preventDefault(); one(".ticket-link")?.click(); }
  else if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) beside(event, link);
  else if (hit("[data-action=dismiss]")) hit(".toast").remove();
  else if (event.target.matches("dialog")) event.target.close();
}

document.addEventListener("click", click);
document.addEventListener("keydown", (event) => {
  document.documentElement.classList.toggle("tips-off", event.key === "Escape");
  walk(event);
  if (!event.defaultPrevented) shortcut(event);
});
// "Tomorrow morning" is where the agent is.
document.addEventListener("formdata", ({ formData }) => {
  if (formData.has("zone")) formData.set("zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
});
document.addEventListener("parlour:fresh", (event) => {
  times(event.detail);
  sayFolded();
});
document.addEventListener("parlour:toast", (event) => toast(event.detail.text, event.detail.tone, event.detail.undo));
if (mac) for (const key of all("kbd[data-mod]")) key.textContent = "⌘";
sayFolded();
all("[data-autosize]").forEach(autosize);
all("[data-composer]").forEach(watchComposer);
all("[data-live-list], [data-live-rooms]").forEach(watchList);
all("[data-site-form]").forEach(watchSite);
all("[data-waiting]:not([data-state=arrived])").forEach(watchInstall);
all(".toast").forEach(fade);
try {
  const done = JSON.parse(sessionStorage.getItem("parlour.done"));
  sessionStorage.removeItem("parlour.done");
  if (done) toast(done.text, "ok", done.undo);
} catch { /* Storage is blocked. */ }
choose();
times(document);
all("[data-live-thread]").forEach(watchThread);
one(".list-scroll [aria-current]")?.scrollIntoView({ block: "nearest" });
setInterval(() => times(document, true), MINUTE);
