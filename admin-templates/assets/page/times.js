// Times, in the reader's own zone and way of counting hours.

import { all } from "./common.js";

export const MINUTE = 60_000;
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

export const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
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
export function day(time) {
  const days = daysAgo(time);
  return days === 0 ? "Today" : days === 1 ? "Yesterday" : longDay.format(time);
}

export function times(root, again) {
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
