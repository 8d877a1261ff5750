// Runs before the first paint: says that scripts work, and applies what this browser was told to keep.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("parlour.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("parlour.context") === "folded") root.dataset.context = "folded";
  } catch {
    // Storage is blocked: the system's appearance stands.
  }
})();
