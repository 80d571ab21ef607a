// The palette: a field, and what is found while one types; the arrows go through it.

import { openDialog } from "./dialogs.js";

/* global htmx */

export async function openPalette() {
  const open = document.querySelector("dialog.palette");
  if (open) {
    open.querySelector("input[name=q]")?.focus();
    return;
  }
  const dialog = await openDialog(withMoment("/palette"), "palette");
  htmx.process(dialog);
  dialog.querySelector("input[name=q]")?.focus();
  dialog.addEventListener("keydown", move);
}

function withMoment(path) {
  const asOf = document.body.dataset.asOf;
  return asOf ? `${path}?as_of=${encodeURIComponent(asOf)}` : path;
}

function move(event) {
  if (event.key === "Enter" && event.target.name === "q") goToFirst(event);
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const places = [...event.currentTarget.querySelectorAll("input[name=q], .finds :is(a, button)")];
  const at = places.indexOf(document.activeElement);
  places[Math.max(0, Math.min(at + by, places.length - 1))].focus();
}

// Enter goes to what stands first, once that is what was found for what is typed; before, and where
// nothing was found, the form leads to its page.
function goToFirst(event) {
  const finds = event.currentTarget.querySelector(".finds");
  const first = finds?.querySelector("a, button");
  if (first?.localName !== "a" || finds.dataset.q !== event.target.value.trim()) return;
  event.preventDefault();
  first.click();
}
