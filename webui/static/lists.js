// A list stays as somebody looks at it: rows that are shown are read again when something has
// happened to them, or to what else they tell of, in their place; what is new is announced, and comes
// when it is asked for.

import { showAges } from "./ages.js";
import { waitMs } from "./busy.js";
import { isUpon } from "./islands.js";
import { morph, parse } from "./morph.js";
import "./suggest.js";
import { restoreTicks } from "./ticks.js";
import { toldSince } from "./told.js";

const TIMEOUT_MS = 8000;
// Between two readings.
const PAUSE_MS = 1000;
// Names in one address: it has at most some 8,000 characters.
const MOST_NAMES = 50;

let due = new Set();
let allDue = false;
let busy = false;

const list = () => document.getElementById("list");
const shownRows = () => [...document.querySelectorAll("#rows > tr[data-name]")];

document.addEventListener("mds:touched", ({ detail }) => tell(detail));

function tell(touched) {
  if (!list() || list().hasAttribute("data-past")) return;
  if (touched === null || isUpon(list(), touched)) allDue = true;
  else for (const name of touched) due.add(name);
  if (!busy && (allDue || due.size > 0)) readAgain();
}

async function readAgain() {
  busy = true;
  const concerned = due;
  const all = allDue;
  const asked = list().dataset.address;
  let wait = 0;
  due = new Set();
  allDue = false;
  try {
    const names = shownRows()
      .filter((row) => all || toldOf(row).some((name) => concerned.has(name)))
      .map((row) => row.dataset.name);
    for (let i = 0; i < names.length; i += MOST_NAMES) await readRows(asked, names.slice(i, i + MOST_NAMES));
    restoreTicks(); // which are the browser's own
    await announce(asked);
    await countAgain(asked);
    list()?.removeAttribute("data-failed");
    showAges();
  } catch (failure) {
    wait = failure.waitMs ?? 0;
    const isOther = failure instanceof OtherList;
    // The page says itself that it is old; the next change reads these rows again, or a server that is
    // no longer busy.
    if (!isOther) list()?.setAttribute("data-failed", "");
    for (const name of concerned) due.add(name);
    allDue ||= all;
  }
  await new Promise((done) => setTimeout(done, Math.max(wait, PAUSE_MS)));
  busy = false;
  if (!list() || (wait > 0 && document.hidden)) return;
  if ((allDue || due.size > 0) && (wait > 0 || !list().hasAttribute("data-failed"))) readAgain();
}

// Names of what a row tells of: its own, and `data-also`.
function toldOf({ dataset: { name, also = "" } }) {
  return [name, ...also.split(" ")];
}

// Somebody typed on while the list that was there before was read: what it says is about no row of this
// one, which is then read as well.
class OtherList extends Error {}

function address(asked, parameters) {
  const url = new URL(asked, location.href);
  for (const [key, value] of parameters) url.searchParams.append(key, value);
  return url;
}

async function read(asked, parameters) {
  const reply = await fetch(address(asked, parameters), {
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!reply.ok) {
    const failure = new Error(`${reply.status}`);
    failure.waitMs = waitMs(reply.status, reply.headers.get("Retry-After"));
    throw failure;
  }
  const text = await reply.text();
  if (list()?.dataset.address !== asked) throw new OtherList();
  return text;
}

// What is looked at stays where it is on the screen, whatever grows above it. Browsers see to that
// by themselves, but not within a part of the page that scrolls sideways.
function steadily(change) {
  const row = rowLookedAt();
  const top = row?.getBoundingClientRect().top;
  change();
  if (!row?.isConnected) return;
  window.scrollBy({ top: row.getBoundingClientRect().top - top, behavior: "instant" });
}

function rowLookedAt() {
  const seen = shownRows().filter((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return bottom > 0 && top < window.innerHeight;
  });
  const held = seen.find((row) => row.matches(":hover")) ?? seen.find((row) => row.matches(":focus-within"));
  return held ?? (window.scrollY > 0 ? seen[0] : undefined);
}

async function readRows(asked, names) {
  const parser = document.createElement("template");
  parser.innerHTML = await read(asked, [["fragment", "rows"], ...names.map((name) => ["name", name])]);
  const found = new Set();
  steadily(() => {
    for (const wanted of parser.content.querySelectorAll("tr")) {
      found.add(wanted.dataset.name);
      const row = document.getElementById(wanted.id);
      if (row) morph(row, wanted);
    }
  });
  if (list().dataset.identity === "") return; // its things never change
  for (const name of names) {
    if (!found.has(name)) document.getElementById(`row:${name}`)?.classList.add("gone");
  }
}

// How many would be on the first page that are not.
async function announce(asked) {
  const news = document.getElementById("news");
  if (!news || list().hasAttribute("data-later")) return;
  const shown = new Set(shownRows().map((row) => row.dataset.name));
  const names = JSON.parse(await read(asked, [["fragment", "names"]]));
  const count = names.filter((name) => !shown.has(name)).length;
  const link = news.firstElementChild;
  link.textContent = (count === 1 ? link.dataset.one : link.dataset.many).replace("#", count);
  steadily(() => (news.hidden = count === 0));
}

async function countAgain(asked) {
  const statistics = document.getElementById("statistics");
  if (!statistics) return;
  const now = parse(await read(asked, [["fragment", "statistics"]]));
  steadily(() => morph(statistics, now));
  window.htmx?.process(document.getElementById("statistics"));
}

// What no event tells of.
let since = 0;
setInterval(() => {
  const every = Number(list()?.dataset.every ?? 0);
  since = document.hidden ? since : since + 1;
  if (every === 0 || since < every || busy || list().hasAttribute("data-past")) return;
  since = 0;
  allDue = true;
  readAgain();
}, 1000);

// What takes the place of the list was asked for a while ago: of what has changed since, it may show
// what was before.
const asked = new WeakMap(); // request → when
let askedLast = 0;
for (const event of ["htmx:beforeRequest", "htmx:historyCacheMiss"]) {
  document.addEventListener(event, ({ detail }) => {
    askedLast = performance.now();
    asked.set(detail.xhr, askedLast);
  });
}

for (const event of ["htmx:afterSettle", "htmx:historyRestore"]) {
  document.addEventListener(event, ({ detail }) => {
    restoreTicks();
    showAges();
    tell(toldSince(asked.get(detail.xhr) ?? askedLast));
  });
}
restoreTicks();
showAges();
