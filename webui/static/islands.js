// Parts of a page that are read by themselves from `data-src`: the units of a unit server when
// someone opens it, or the main part of a page about one resource. They are read again when
// something that they show has changed.

import { showAges } from "./ages.js";
import { waitMs } from "./busy.js";
import { fill, keepTyped } from "./morph.js";
import { toldSince } from "./told.js";
import { word } from "./words.js";

const TIMEOUT_MS = 8000;
// Between two readings of the same part.
const PAUSE_MS = 1000;
const busy = new WeakMap(); // island → whether it shall be read once more

async function load(island) {
  if (busy.has(island)) {
    busy.set(island, true);
    return;
  }
  busy.set(island, false);
  const asked = performance.now();
  let wait = 0;
  try {
    const reply = await fetch(island.dataset.src, {
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await reply.text();
    if (reply.ok) {
      take(island, text);
      // What has changed meanwhile it may show as it was before.
      if (isAbout(island, toldSince(asked))) busy.set(island, true);
    } else if (reply.status === 404) say(island, text);
    else if (reply.status === 401) document.dispatchEvent(new CustomEvent("mds:out"));
    else {
      wait = waitMs(reply.status, reply.headers.get("Retry-After"));
      fail(island, text);
    }
  } catch (failure) {
    fail(island, failure.message);
  }
  await new Promise((done) => setTimeout(done, Math.max(wait, PAUSE_MS)));
  const again = busy.get(island) || (wait > 0 && isWaitedFor(island));
  busy.delete(island);
  if (again) load(island);
}

function take(island, html) {
  fill(island, html);
  island.dataset.loaded = "";
  delete island.dataset.failed;
  showAges();
}

// What was read before stays, grey; the next change reads it again.
function fail(island, reason) {
  const hasContent = island.hasAttribute("data-loaded") || !island.hasAttribute("data-keep");
  if (!hasContent) say(island, word("unread", reason));
  island.dataset.failed = "";
}

function say(island, text) {
  const note = document.createElement("p");
  note.className = "note";
  note.textContent = text;
  const typed = [...island.querySelectorAll("[data-keep-typed]")].filter(keepTyped);
  island.replaceChildren(note, ...typed);
}

function isShown(island) {
  const details = island.closest("details");
  return details === null || details.open;
}

// Whether somebody still looks at what a busy server has not given yet.
function isWaitedFor(island) {
  return island.isConnected && isShown(island) && !document.hidden;
}

// Reads again what a change concerns. `touched`: names of resources, or null for many;
// `pieces`: ids of the pieces of the page that have changed.
export function refresh(touched, pieces) {
  for (const island of document.querySelectorAll("[data-src]")) {
    if (!isShown(island)) continue;
    const concerned =
      "failed" in island.dataset ||
      isAbout(island, touched) ||
      pieces.some((id) => document.getElementById(id)?.contains(island));
    if (concerned) load(island);
  }
}

// Whether a part shows something that was touched.
function isAbout(island, touched) {
  if (touched === null || isUpon(island, touched)) return true;
  const names = new Set([...island.querySelectorAll("[data-shows]")].map((e) => e.dataset.shows));
  return touched.some((name) => names.has(name));
}

// Whether something was touched of which any may concern all that stands in an element: members of the
// collections in its `data-upon`.
export function isUpon(element, touched) {
  const collections = (element.dataset.upon ?? "").split(" ");
  return touched.some((name) => collections.includes(name.split("/")[0]));
}

// What no event tells of is read again after `data-every` seconds.
let seconds = 0;
setInterval(() => {
  if (document.hidden || document.body.hasAttribute("data-as-of")) return;
  seconds += 1;
  for (const island of document.querySelectorAll("[data-src][data-every]")) {
    if (seconds % Number(island.dataset.every) === 0) load(island);
  }
}, 1000);

// `toggle` does not bubble, so it is caught on its way down.
document.addEventListener(
  "toggle",
  ({ target }) => {
    const island = target.open ? target.querySelector("[data-src]") : null;
    if (island) load(island);
  },
  true,
);

document.addEventListener("click", (click) => {
  const link = click.target.closest?.("[data-more]");
  const island = link?.closest("[data-keep]");
  if (!island || click.ctrlKey || click.metaKey || click.shiftKey) return;
  click.preventDefault();
  island.dataset.src = link.dataset.more;
  load(island);
});
