// What pages do without a connection. Every page works without this script as well.
// It meets the live script in attributes alone; src/lib.rs lists them.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const keep = {
    get(key) {
      try { return localStorage.getItem(`parlour.${key}`); } catch { return null; }
    },
    set(key, value) {
      try {
        if (value === null) localStorage.removeItem(`parlour.${key}`);
        else localStorage.setItem(`parlour.${key}`, value);
      } catch { /* Storage is blocked: the choice lasts as long as the page. */ }
    },
  };

  // Times ------------------------------------------------------------------

  const MINUTE = 60_000;
  const DAY = 24 * 60 * MINUTE;
  const lang = document.documentElement.lang;
  const locale = navigator.languages?.find((tag) => tag.startsWith(lang)) ?? lang;
  // English words, but the reader's own way of counting hours.
  const hourCycle = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hourCycle;
  const format = (options) => new Intl.DateTimeFormat(locale, { ...options, ...(options.hour && { hourCycle }) });
  const clock = format({ hour: "numeric", minute: "2-digit" });
  const weekday = format({ weekday: "short" });
  const dayMonth = format({ day: "numeric", month: "short" });
  const date = format({ day: "numeric", month: "short", year: "numeric" });
  const longDay = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const full = format({ day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

  const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
  const daysAgo = (time) => Math.round((midnight(Date.now()) - midnight(time)) / DAY);
  const say = {
    clock: (time) => clock.format(time),
    date: (time) => date.format(time),
    full: (time) => full.format(time),
    short(time) {
      const days = daysAgo(time);
      if (days <= 0) return clock.format(time);
      if (days === 1) return "Yesterday";
      if (days < 7) return weekday.format(time);
      return new Date(time).getFullYear() === new Date().getFullYear() ? dayMonth.format(time) : date.format(time);
    },
    // A time to come: "14:00", "tomorrow 09:00", "Mon 09:00", "3 Dec 09:00".
    soon(time) {
      const days = -daysAgo(time);
      if (days < 0) return full.format(time);
      const day = days === 0 ? "" : days === 1 ? "tomorrow" : days < 7 ? weekday.format(time) : dayMonth.format(time);
      return `${day} ${clock.format(time)}`.trim();
    },
    ago(time) {
      const minutes = Math.round((time - Date.now()) / MINUTE);
      if (minutes > -1) return "just now";
      if (minutes > -60) return relative.format(minutes, "minute");
      if (minutes > -24 * 60) return relative.format(Math.round(minutes / 60), "hour");
      return daysAgo(time) < 30 ? relative.format(-daysAgo(time), "day") : date.format(time);
    },
  };
  function day(time) {
    const days = daysAgo(time);
    return days === 0 ? "Today" : days === 1 ? "Yesterday" : longDay.format(time);
  }

  function times(root, again) {
    for (const element of all("time[data-time]", root)) {
      if (!again && element.title) continue;
      const time = Date.parse(element.dateTime);
      if (Number.isNaN(time)) continue;
      const text = say[element.dataset.time]?.(time) ?? full.format(time);
      if (element.textContent !== text) element.textContent = text;
      element.title = full.format(time);
    }
    for (const element of all("time[data-zone]", root)) {
      try {
        element.textContent = format({ hour: "numeric", minute: "2-digit", weekday: "short", timeZone: element.dataset.zone })
          .format(Date.now());
      } catch { /* A zone that this browser does not know: the server's words stay. */ }
    }
  }

  // Threads ----------------------------------------------------------------

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

  function watchThread(thread) {
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
  function watchList(list) {
    const observer = new MutationObserver(() => times(list));
    observer.observe(list, { childList: true });
    list.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='/tickets/']");
      if (link && !link.search && location.search) link.search = location.search;
    }, { capture: true });
  }

  // Forms ------------------------------------------------------------------

  function watchComposer(form) {
    const text = one("textarea", form);
    const draftKey = `draft.${form.getAttribute("action")}`;
    const reply = text.placeholder;
    const note = one("[value=staff]", form);
    const relabel = () => { text.placeholder = note?.checked ? text.dataset.placeholderNote : reply; };
    note?.form.addEventListener("change", relabel);
    relabel();
    // A reload loses nothing that was typed. On live pages the live script sees to it.
    if (!document.getElementById("live-data")) try {
      if (!text.value) text.value = sessionStorage.getItem(draftKey) ?? "";
      text.addEventListener("input", () => sessionStorage.setItem(draftKey, text.value));
      form.addEventListener("submit", () => sessionStorage.removeItem(draftKey));
    } catch { /* Storage is blocked. */ }
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      } else if (event.key === "Escape") {
        text.blur();
        one("[data-scroll]")?.focus({ preventScroll: true });
      }
    });
  }

  function autosize(text) {
    const fit = () => {
      text.style.blockSize = "auto";
      if (text.value) text.style.blockSize = `${text.scrollHeight + text.offsetHeight - text.clientHeight}px`;
      else text.style.removeProperty("block-size");
    };
    text.addEventListener("input", fit);
    text.form?.addEventListener("submit", () => setTimeout(fit));
    if (text.value) fit();
  }

  // Which of black and white stands out more on a colour (WCAG relative luminance).
  function ink(colour) {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#000000";
  }

  function watchSite(form) {
    const preview = one("[data-preview]");
    const value = one("[data-colour-value]", form);
    const show = () => {
      const { colour, greeting, name } = Object.fromEntries(new FormData(form));
      if (value) value.textContent = colour;
      if (!preview) return;
      preview.style.setProperty("--mock", colour);
      preview.style.setProperty("--on-mock", ink(colour));
      one("[data-preview-greeting]", preview).textContent = greeting;
      one("[data-preview-name]", preview).textContent = name || "Your site";
      one(".preview-face", preview).textContent = [...(name || "Your site")][0];
    };
    form.addEventListener("input", show);
    show();
  }

  // Small things -----------------------------------------------------------

  // `undo` is `{action, state}`: the form that sets a ticket's state back.
  function toast(text, tone = "ok", undo) {
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
  function fade(element) {
    if (element.dataset.tone !== "ok") return;
    setTimeout(() => (element.matches(":hover, :focus-within") ? fade(element) : element.remove()), one("form", element) ? 12_000 : 6000);
  }

  async function copy(button) {
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

  function beside(event, link) {
    const width = Math.min(560, Math.round(screen.availWidth / 2));
    const place = `popup,width=${width},height=${screen.availHeight},left=${screen.availWidth - width},top=0`;
    if (window.open(link.href, link.target, place)) event.preventDefault();
  }

  // The install page asks until the first message is there.
  function watchInstall(card) {
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

  const sayFolded = () => one("[data-fold-context]")?.setAttribute("aria-expanded", String(document.documentElement.dataset.context !== "folded"));

  function foldContext() {
    const folded = document.documentElement.dataset.context !== "folded";
    if (folded) document.documentElement.dataset.context = "folded";
    else delete document.documentElement.dataset.context;
    keep.set("context", folded ? "folded" : null);
    sayFolded();
  }

  // Shortcuts --------------------------------------------------------------

  const PLACES = { t: "tickets", r: "rooms", a: "agents", s: "sites", p: "account" };
  const KEYS = { j: "next", k: "previous", r: "reply", n: "note", e: "resolve", E: "resolve-next", z: "snooze", a: "assign", i: "assign-me", "/": "search", "?": "help", g: "go" };

  function move(step) {
    const found = all(".found-link");
    if (found.length > 0) {
      found[Math.max(0, found.indexOf(document.activeElement) + step)]?.focus();
      return;
    }
    const links = all(".ticket-link, .room-link");
    const at = links.findIndex((link) => link.getAttribute("aria-current"));
    links[at < 0 ? 0 : at + step]?.click();
  }

  function write(room) {
    const tab = one(`[data-composer] [value=${room}]`);
    if (tab && !tab.checked) tab.click();
    one("[data-composer] textarea")?.focus();
  }

  async function resolveNext() {
    const button = one("[data-key-target=resolve]");
    const links = all(".ticket-link");
    const next = links[links.findIndex((link) => link.getAttribute("aria-current")) + 1];
    if (!button) return;
    if (!next || button.value !== "resolved") { button.click(); return; }
    const body = new URLSearchParams({ [button.name]: button.value });
    const answer = await fetch(button.form.action, { method: "POST", body });
    if (answer.ok) {
      // The next ticket is another page: what was done is said there.
      const state = one("[data-ticket-state]").dataset.ticketState;
      const undo = state === "snoozed" ? undefined : { action: button.form.action, state };
      try {
        sessionStorage.setItem("parlour.done", JSON.stringify({ text: "The ticket is resolved.", undo }));
      } catch { /* Storage is blocked. */ }
      next.click();
    }
    else toast("That did not work. Try once more.", "danger");
  }

  const target = (name) => one(`[data-key-target=${name}]`);
  const actions = {
    next: () => move(1),
    previous: () => move(-1),
    reply: () => write("public"),
    note: () => write("staff"),
    resolve: () => target("resolve")?.click(),
    "resolve-next": resolveNext,
    assign() {
      target("assign")?.click();
      one("#assign-menu .menu-item")?.focus();
    },
    snooze() {
      target("life")?.click();
      one("#life-menu [name=until]")?.focus();
    },
    "assign-me": () => target("assign-me")?.click(),
    search() {
      const field = one("[data-search]");
      if (!field) return void one("[data-nav=search]")?.click();
      field.focus();
      field.select();
    },
    help: () => document.getElementById("shortcuts")?.showModal(),
  };

  const mac = /mac|iphone|ipad/i.test(navigator.platform);
  let going = 0;
  function shortcut(event) {
    // With a modifier it is none of the single keys, so it works in a field and cannot be switched off.
    if (/^k$/i.test(event.key) && (mac ? event.metaKey : event.ctrlKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      if (!one("dialog:modal")) actions.search();
      return;
    }
    if (event.key === "Escape" && event.target.matches?.("[data-search]")) {
      event.preventDefault();
      event.target.blur();
      return;
    }
    const busy = event.target.closest?.("input, textarea, select, [contenteditable], dialog, [popover]");
    if (busy || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (keep.get("shortcuts") === "off") return;
    if (Date.now() - going < 1500) {
      going = 0;
      const link = one(`[data-nav=${PLACES[event.key] ?? "none"}]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    const action = KEYS[event.key];
    if (action === "go") { going = Date.now(); return; }
    if (!action) return;
    event.preventDefault();
    const taken = !document.dispatchEvent(new CustomEvent("parlour:key", { detail: { action }, cancelable: true }));
    if (!taken) actions[action]();
  }

  // Arrows walk through an open menu.
  function walk(event) {
    const menu = event.target.closest?.(".menu");
    if (!menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    const items = all(".menu-item", menu);
    const at = items.indexOf(document.activeElement);
    if (items.length === 0 || event.target.matches("select, input")) return;
    event.preventDefault();
    items[(at + (event.key === "ArrowDown" ? 1 : items.length - (at < 0 ? 0 : 1))) % items.length].focus();
  }

  // ------------------------------------------------------------------------

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
})();
