// Hands on the keyboard: whatever has a key is a link, a field or a box of the page as well.

import { closeMenusOutside, openDialog } from "./dialogs.js";
import { openPalette } from "./palette.js";
import { takeBack } from "./saved.js";

const GO_MS = 1500;
let goUntil = 0;

function typing({ target }) {
  return target.isContentEditable || target.matches?.("input:not([type=checkbox]), textarea, select");
}

function rows() {
  return [...document.querySelectorAll("main table.list tbody tr")].filter((row) =>
    row.checkVisibility(),
  );
}

function here() {
  return document.querySelector("tr[data-here]");
}

function step(by) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.indexOf(here());
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(at + by, all.length - 1))];
  here()?.removeAttribute("data-here");
  next.setAttribute("data-here", "");
  next.scrollIntoView({ block: "nearest" });
  // The reader of a screen follows the focus.
  next.querySelector("a[href]")?.focus({ preventScroll: true });
}

function tick() {
  here()?.querySelector("input[type=checkbox]")?.click();
}

function open() {
  const link = here()?.querySelector("th a[href], a[href]");
  if (link && document.activeElement !== link) link.click();
  return Boolean(link);
}

// A row of a list is edited on a page of its own, where its kind has such pages and one may.
function edit() {
  const page = here()?.dataset.row;
  const link = document.querySelector("main [data-edit]");
  if (page && document.querySelector("main [data-edit-rows]")) location.assign(`${page}/edit`);
  else if (link) link.click();
  else if (here()) open();
  else document.querySelector("main form[method=post] :is(input, select, textarea):not([type=hidden])")?.focus();
}

function filter() {
  const field = document.querySelector("main [type=search], main input[name=q]");
  if (field) field.focus();
  else openPalette();
}

function go(key) {
  document.querySelector(`header a[data-key="${CSS.escape(key)}"]`)?.click();
}

const ACTIONS = {
  "/": filter,
  j: () => step(1),
  k: () => step(-1),
  x: tick,
  e: edit,
  u: takeBack,
  "?": () => openDialog("/keys", "keys"),
  g: () => (goUntil = performance.now() + GO_MS),
};

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey) {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (performance.now() < goUntil && event.key !== "g") {
    goUntil = 0;
    event.preventDefault();
    go(event.key);
    return;
  }
  if (event.key === "Enter" && event.target === document.body) {
    if (open()) event.preventDefault();
    return;
  }
  const action = ACTIONS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

document.addEventListener("click", (click) => {
  if (click.ctrlKey || click.metaKey || click.shiftKey || click.button !== 0) return;
  if (click.target.closest("[data-palette]")) {
    click.preventDefault();
    openPalette();
  } else if (click.target.closest("[data-keys]")) {
    click.preventDefault();
    openDialog("/keys", "keys");
  }
  closeMenusOutside(click.target);
});
