// Forms: the composer, and a site's with its drawing.

import { one } from "./common.js";

export function watchComposer(form) {
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

export function autosize(text) {
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

export function watchSite(form) {
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
