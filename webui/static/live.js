// Keeps the page as the server draws it. Without this script the page is the same, only that it
// is as of when it was loaded.

import { askWhetherLoggedIn, loggedIn, loggedOut } from "./access.js";
import { beat, showAges, shownBeats } from "./ages.js";
import { refresh } from "./islands.js";
import { arrange, morph, parse } from "./morph.js";
import { word } from "./words.js";

// The web server says something every 1.5 s at least; after so long without, it is lost. People
// are told within one heartbeat of a unit server, 5 s.
const SILENCE_MS = 4000;
const LOOK_MS = 500;
// A page that itself stood still for so long reads first what came meanwhile.
const LATE_MS = 1500;
// A break shorter than this is mended before anybody needs to know.
const GRACE_MS = 1500;
const RETRY_MS = 2000;
// A tab in the background gives its connection back: browsers allow only six to one server.
const HIDDEN_MS = 5000;
// A page that shows more heartbeats than this is told of all that there are.
const MOST_BEATS = 8;

const body = document.body;
let picture = body.dataset.picture;
let source = null;
let beats = new Set(); // unit servers whose heartbeats the stream tells of; "*": all
let lastWord = performance.now();
let lastLook = lastWord;
let brokenSince = null;
let hiding = 0;

function connect() {
  source?.close();
  beats = shownBeats();
  if (beats.size > MOST_BEATS) beats = new Set("*");
  const asked = [["picture", picture], ...[...beats].map((id) => ["beat", id])];
  source = new EventSource(`/events?${new URLSearchParams(asked)}`);
  source.onopen = () => {
    heard();
    loggedIn();
  };
  source.onerror = () => {
    brokenSince ??= performance.now();
    // After a refusal the browser does not come back by itself, nor says which one it was.
    if (source.readyState === EventSource.CLOSED) {
      askWhetherLoggedIn();
      setTimeout(connectIfClosed, RETRY_MS);
    }
  };
  source.addEventListener("alive", heard);
  source.addEventListener("out", () => loggedOut());
  source.addEventListener("pulse", ({ data }) => {
    heard();
    beat(JSON.parse(data));
    if (!tellsOfAllShown()) connect();
  });
  source.addEventListener("picture", ({ data, lastEventId }) => {
    heard();
    picture = lastEventId;
    show(JSON.parse(data));
  });
}

// Unit servers that were not shown when the stream was opened are asked for by a new one.
function tellsOfAllShown() {
  return beats.has("*") || [...shownBeats()].every((id) => beats.has(id));
}

function connectIfClosed() {
  if (!document.hidden && source?.readyState === EventSource.CLOSED) connect();
}

function heard() {
  lastWord = performance.now();
  brokenSince = null;
  body.toggleAttribute("data-heard", true);
  setCut(false);
}

function show({ link, pieces, lists, touched }) {
  body.dataset.link = link;
  for (const [id, ids] of Object.entries(lists)) {
    const list = document.getElementById(id);
    if (list) arrange(list, ids, (piece) => pieces[piece]);
  }
  for (const [id, html] of Object.entries(pieces)) {
    const element = document.getElementById(id);
    if (element) morph(element, parse(html));
  }
  showAges();
  showTitle();
  refresh(touched, Object.keys(pieces));
  document.dispatchEvent(new CustomEvent("mds:touched", { detail: touched }));
}

function showTitle() {
  const headline = document.getElementById("headline");
  if (!headline) return;
  const verdict = body.hasAttribute("data-cut") ? word("unknown") : headline.dataset.title;
  document.title = word("title", verdict);
}

function setCut(cut) {
  if (body.hasAttribute("data-cut") === cut) return;
  // Where nobody ever told the time, what is shown is as of when it was drawn.
  const time = document.getElementById("cut-time");
  time.textContent = word("at", document.getElementById("clock").textContent || time.dataset.drawn);
  document.getElementById("cut").hidden = !cut;
  body.toggleAttribute("data-cut", cut);
  showTitle();
}

// Looks now and then whether the connection still lives; a laptop that slept finds out so.
setInterval(() => {
  const now = performance.now();
  const late = now - lastLook > LATE_MS;
  lastLook = now;
  if (late || document.hidden || source === null) return;
  const silent = now - lastWord > SILENCE_MS;
  if (silent || (brokenSince !== null && now - brokenSince > GRACE_MS)) setCut(true);
  if (silent) {
    lastWord = now;
    connect();
  }
}, LOOK_MS);

function followVisibility() {
  clearTimeout(hiding);
  if (document.hidden) {
    hiding = setTimeout(rest, HIDDEN_MS);
  } else if (source === null) {
    lastWord = performance.now();
    connect();
    showTitle();
  }
}

// What nobody sees may grow old; its title must then not say what is no longer known.
function rest() {
  source?.close();
  source = null;
  document.title = word("program");
}

showTitle();
// The past does not change.
if (!body.hasAttribute("data-as-of")) {
  document.addEventListener("visibilitychange", followVisibility);
  connect();
  followVisibility();
}
