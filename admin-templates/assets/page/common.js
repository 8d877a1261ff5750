// Ways to reach elements, and to keep a choice.

export const all = (selector, root = document) => [...root.querySelectorAll(selector)];
export const one = (selector, root = document) => root.querySelector(selector);
export const keep = {
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
