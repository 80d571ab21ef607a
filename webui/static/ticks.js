// Rows that are ticked, on this page of a list and on others; a click with shift ticks all between.
// Without this script each page's ticks are those that a form sends.

import { grouped } from "./words.js";

// So long may an address be, in bytes: what stands before the page takes twice of it, as scripts say
// in a field where they are.
const LONGEST = 48_000;
const ticked = new Set(); // ids
let everything = false;
let everythingOf = ""; // the filter that it was said of
let last = null;

const boxes = () => [...document.querySelectorAll("[data-tick]")];
const form = () => document.getElementById("ticked");
const address = () => document.getElementById("list")?.dataset.address ?? "";
const filter = () => new URL(address(), location.href).searchParams.get("q") ?? "";

document.addEventListener("click", (click) => {
  const box = click.target.closest?.("[data-tick]");
  if (box) tick(box, click.shiftKey);
  else if (click.target.closest?.("[data-tick-everything]")) setEverything(true);
  else if (click.target.closest?.("[data-tick-none]")) {
    ticked.clear();
    setEverything(false);
  }
});

document.addEventListener("change", ({ target }) => {
  if (!target.matches?.("[data-tick-all]")) return;
  for (const box of boxes()) keep(box.value, target.checked);
  restoreTicks();
});

// Ticks on other pages go along.
document.addEventListener("submit", (submit) => {
  const { target } = submit;
  if (target !== form()) return;
  for (const other of target.querySelectorAll("[data-elsewhere]")) other.remove();
  if (everything) return;
  const here = new Set(boxes().map((box) => box.value));
  for (const id of ticked) {
    if (here.has(id)) continue;
    const other = document.createElement("input");
    Object.assign(other, { type: "hidden", name: "id", value: id });
    other.dataset.elsewhere = "";
    target.append(other);
  }
  if (String(new URLSearchParams(new FormData(target))).length < LONGEST) return;
  submit.preventDefault();
  target.querySelector("[data-tick-count]").textContent = target.dataset.tooMany;
});

function tick(box, isRange) {
  const all = boxes();
  const from = all.findIndex((each) => each.value === last);
  const to = all.indexOf(box);
  const range = isRange && from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [box];
  for (const each of range) keep(each.value, box.checked);
  last = box.value;
  restoreTicks();
}

function keep(id, isTicked) {
  if (isTicked) ticked.add(id);
  else ticked.delete(id);
}

function setEverything(on) {
  everything = on;
  everythingOf = filter();
  restoreTicks();
}

// Called whenever rows have been drawn anew.
export function restoreTicks() {
  if (filter() !== everythingOf) everything = false; // nobody has seen all of these
  const bar = form();
  if (!bar) return;
  const all = boxes();
  for (const box of all) {
    box.checked = everything || ticked.has(box.value);
    box.disabled = everything;
  }
  const head = document.querySelector("[data-tick-all]");
  head.hidden = false;
  head.disabled = everything;
  head.checked = all.length > 0 && all.every((box) => box.checked);
  head.indeterminate = !head.checked && all.some((box) => box.checked);
  showBar(bar, head.checked);
}

function showBar(bar, isWholePage) {
  const count = bar.querySelector("[data-tick-count]");
  const button = bar.querySelector("[data-tick-everything]");
  const elsewhere = ticked.size - boxes().filter((box) => ticked.has(box.value)).length;
  bar.hidden = ticked.size === 0 && !everything;
  bar.querySelector("[data-everything]").disabled = !everything;
  bar.querySelector("[data-tick-none]").hidden = false;
  const offers = !everything && isWholePage && bar.hasAttribute("data-more");
  if (offers && button.hidden) tellHowMany(button, bar);
  button.hidden = !offers;
  count.textContent = everything
    ? bar.dataset.all
    : bar.dataset.count.replace("#", ticked.size) +
      (elsewhere > 0 ? ` ${bar.dataset.elsewhere.replace("#", elsewhere)}` : "");
}

// Counted only now, for it is seldom asked for.
async function tellHowMany(button, bar) {
  const asked = address();
  const url = new URL(asked, location.href);
  url.searchParams.set("fragment", "count");
  const reply = await fetch(url, { cache: "no-store" }).catch(() => null);
  if (!reply?.ok) return;
  const { count } = await reply.json();
  if (address() !== asked) return;
  button.textContent = bar.dataset.select.replace("#", grouped(count));
}
