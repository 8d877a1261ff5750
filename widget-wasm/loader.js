// The loader: draws the launcher, and fetches the widget once the visitor means to talk.
// The server puts the site's settings in the place of the token at the end. It may weigh 2 kB
// (brotli), so names are short and everything is said once; what can wait is the widget's.
// The build replaces these variables by letters:
// shorten: win doc queue data make tag cls node up sheet css style host root launcher button badge
// shorten: chat dismiss bubble code widget gone mounted known heard emit detail label prefetch use
// shorten: got attach watch mount text tell order call wrapped answer error module api values calls set
// shorten: options site base name theme locale shown no
(set => {
  const win = window, doc = document, queue = win.Parlour;
  // A second copy of the snippet does nothing: the first one owns the page.
  if (queue && !Array.isArray(queue)) return;

  const site = set.site, base = set.base;
  const data = (doc.currentScript || doc.querySelector(`[src*="/w/${site}.js"]`) || doc.body).dataset;
  set.locale = data.locale || set.locale || navigator.language;
  set.position = data.position || set.position;
  if (data.color) {
    set.color = data.color;
    // Black or white, whichever can be read; the widget computes it exactly.
    set.onColor = `oklch(from ${set.color} calc((.67 - l)*99) 0 0)`;
  }

  const make = (tag, cls, up) => {
    const node = doc.createElement(tag);
    if (up) up.append(node), node.className = cls;
    return node;
  };
  const style = css => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  };
  const host = make("parlour-chat");
  const root = host.attachShadow({mode: "open"});
  // The page's own !important rules lose against those of :host.
  style(`:host{all:initial!important;position:fixed!important;z-index:2147483000!important;font:15px/1.45 system-ui,sans-serif!important;color-scheme:light dark!important;--accent:${set.color};--on:${set.onColor}}
:host([data-theme=light]){color-scheme:light!important}
:host([data-theme=dark]){color-scheme:dark!important}
[hidden],b:empty{display:none!important}
button{font:inherit;cursor:pointer;border:1px solid transparent;border-radius:16px}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.go,.hi{position:fixed;${set.position}:20px;bottom:20px;box-shadow:0 2px 10px #0004}
.go{width:56px;height:56px;padding:15px;border-radius:50%;background:var(--accent);color:var(--on)}
.go:before{content:"";display:block;height:24px;background:currentColor;forced-color-adjust:none;clip-path:path("M3 2h18v15h-9l-6 5v-5H3z")}
.go[aria-expanded=true]:before{clip-path:path("M3 10l2-2 7 7 7-7 2 2-9 9z")}
b{position:absolute;top:-5px;right:-5px;min-width:12px;padding:0 5px;border-radius:16px;font-size:13px;line-height:22px;background:#b4261b;color:#fff}
.hi{display:flex;bottom:88px;border-radius:16px;max-width:280px;background:light-dark(#fff,#1b1d21);color:light-dark(#1d1b18,#ecebe8)}
.hi button{padding:12px;background:none;color:inherit;text-align:start}
@media print{.go,.hi{display:none}}`);

  const launcher = make("div", "", root);
  const button = make("button", "go", launcher);
  const badge = make("b", "", button);
  const [chat, dismiss] = /^de/.test(set.locale) ? ["Chat öffnen", "Schließen"] : ["Open chat", "Dismiss"];
  launcher.hidden = data.launcher == "none";

  let bubble, code, widget, shown, gone, mounted, known;
  try {
    // Reading stores nothing. Only the widget writes this key, when its panel is first opened.
    known = localStorage["parlour:" + site];
  } catch {}

  const heard = {};
  const emit = (name, detail, label) => {
    if (/open|close/.test(name)) shown = name == "open";
    if (name == "unread") badge.textContent = detail > 99 ? "99+" : detail || "";
    button.ariaExpanded = !!shown;
    button.ariaLabel = label || button.ariaLabel;
    // Later, so that a mistake of the page's is reported and stops nothing here.
    heard[name]?.forEach(call => queueMicrotask(() => call(detail)));
  };
  emit("", 0, chat);

  // Fetches and instantiates, once; a failure may be tried again. Nothing is stored.
  const prefetch = () => code ||= Promise.all([
    import(base + set.js).then(async module => {
      await module.default(base + set.wasm);
      return module;
    }),
    fetch(base + set.css).then(answer => answer.text()),
  ]).catch(error => {
    code = 0;
    console.error("Parlour:", error);
    emit("error", {code: "load", message: error + ""});
  });
  const tell = (...order) => widget?.(order);
  // Tells the widget, making it first.
  const use = async (...order) => {
    mount();
    button.ariaBusy = true;
    const got = await prefetch();
    button.ariaBusy = null;
    if (!got || gone) return;
    if (!widget) {
      style(got[1]);
      widget = got[0].widget(root, set, emit);
    }
    widget(order);
  };
  // Pages may replace their body, and an early tag runs before there is one.
  const attach = () => host.isConnected || doc.body?.append(host);
  const watch = new MutationObserver(attach);
  const mount = () => {
    if (mounted) return;
    mounted = 1;
    attach();
    watch.observe(doc.documentElement, {childList: true});
    // Whoever has talked before is told of answers, and is not greeted.
    if (known) (win.requestIdleCallback || setTimeout)(() => use("connect"));
    else if (set.greeting) {
      bubble = make("div", "hi", launcher);
      const text = make("button", "", bubble), no = make("button", "", bubble);
      text.dir = "auto";
      text.textContent = set.greeting;
      text.onclick = api.open;
      no.textContent = "✕";
      no.ariaLabel = dismiss;
      no.onclick = () => {
        bubble.remove();
        button.focus();
      };
    }
  };

  const api = win.Parlour = {
    open(options) {
      use("open", options?.message);
      bubble?.remove();
    },
    close() { shown && tell("close"); },
    toggle() { shown ? api.close() : api.open(); },
    show() { launcher.hidden = false; },
    hide() { launcher.hidden = true; },
    load: mount,
    setLocale(locale) {
      set.locale = locale;
      tell("locale", locale);
    },
    setTheme(theme) { host.dataset.theme = theme || "auto"; },
    logout() {
      (widget || known) && use("logout");
    },
    destroy() {
      gone = mounted = 1;
      watch.disconnect();
      tell("destroy");
      host.remove();
      delete win.Parlour;
    },
    on(name, call, wrapped = call) {
      (heard[name] ||= new Map()).set(call, wrapped);
      name == "ready" && queueMicrotask(wrapped);
      return () => api.off(name, call);
    },
    once(name, call) {
      return api.on(name, call, detail => {
        api.off(name, call);
        call(detail);
      });
    },
    off(name, call) { heard[name]?.delete(call); },
    push(...calls) { calls.forEach(([name, ...values]) => api[name]?.(...values)); },
  };
  button.onclick = api.toggle;
  // A touch enters, too, before it presses.
  button.onpointerenter = button.onfocus = prefetch;
  api.setTheme(data.theme);
  data.autoload == "false" || mount();
  queue && api.push(...queue);
})(__SETTINGS__);
