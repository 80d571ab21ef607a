// A part of a page that a busy server refused is asked for again after the delay that it told, for as
// long as somebody waits for it: not once they type on, ask for something else in its place, or close
// what it stands in.

/* global htmx */

import { waitMs } from "./busy.js";

const waiting = new Map(); // element that asked → where the answer goes, and the timer

document.addEventListener("htmx:responseError", ({ detail: { elt, target, xhr, requestConfig } }) => {
  const ms = waitMs(xhr.status, xhr.getResponseHeader("Retry-After"));
  if (ms === 0 || requestConfig.verb !== "get") return;
  forget(elt);
  waiting.set(elt, { target, timer: setTimeout(() => askAgain(elt, target, requestConfig.path), ms) });
});

function askAgain(elt, target, path) {
  waiting.delete(elt);
  // What nobody sees is not asked for; a page that is shown again is brought up to date by itself.
  if (document.hidden || !elt.isConnected || !elt.checkVisibility()) return;
  htmx.ajax("GET", path, { source: elt, target });
}

function forget(elt) {
  clearTimeout(waiting.get(elt)?.timer);
  waiting.delete(elt);
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  for (const [elt, { target }] of waiting) if (target === detail.target) forget(elt);
});
document.addEventListener("input", ({ target }) => {
  for (const elt of waiting.keys()) if (elt.contains(target)) forget(elt);
});
window.addEventListener("pagehide", () => [...waiting.keys()].forEach(forget));
