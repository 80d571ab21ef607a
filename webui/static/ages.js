// What ticks: ages and the clock. They move only with the server's pulse, by its clock, so that
// they stand still when nobody knows how late it is.

import { word } from "./words.js";

// The signs of these are the same in every language.
const STEPS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];
// Something may be so much newer than the last pulse; what is later still has not come yet.
const AHEAD_MS = 5000;
let now = null;
// By unit server when it last gave word, in ms by the server's clock.
const heard = new Map();

// A length of time in its two largest units: "4 s", "3 min", "2 h 5 min", "3 d 4 h".
export function words(seconds) {
  let left = Math.max(0, Math.floor(seconds));
  const parts = [];
  for (const [size, unit] of STEPS) {
    const count = Math.floor(left / size);
    left %= size;
    if (count > 0 || (unit === "s" && parts.length === 0)) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  // Seconds beside minutes only make a page restless.
  return parts[0]?.endsWith("min") ? parts[0] : parts.join(" ");
}

// `ages`: in s, of the heartbeats that are new since the last pulse; null: there is none any more.
// `whole`: nothing else is known.
export function beat({ time, clock, ages = {}, whole = false }) {
  now = time;
  setText(document.getElementById("clock"), clock);
  if (whole) heard.clear();
  for (const [id, age] of Object.entries(ages)) {
    if (age === null) heard.delete(id);
    else heard.set(id, time - age * 1000);
  }
  for (const element of document.querySelectorAll("[data-beat]")) {
    const last = heard.get(element.dataset.beat);
    setText(element, last === undefined ? "" : word("ago", words((now - last) / 1000)));
  }
  showAges();
}

// Whose heartbeats the page shows.
export function shownBeats() {
  return new Set([...document.querySelectorAll("[data-beat]")].map((e) => e.dataset.beat));
}

// Also called after the page has changed: new elements come without their age.
export function showAges() {
  if (now === null) return;
  for (const element of document.querySelectorAll("[data-since]")) {
    const age = now - Date.parse(element.dataset.since);
    setText(element, age < -AHEAD_MS ? "" : words(age / 1000));
  }
}

function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
