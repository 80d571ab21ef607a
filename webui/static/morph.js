// Makes an element look like another one and touches only what differs, so that focus, scroll,
// selection and what people have opened stay where they are: idiomorph's work, here and where a
// page says `hx-swap="morph"`. What an attribute protects:
//   data-keep       the children belong to the browser (a list that was loaded when opened)
//   data-keep-open  `open` belongs to whoever opened it
//   data-since, data-beat   the text is counted up by the browser
//   data-here       marks the row that the keyboard is at
//   data-keep-typed a form that is no longer offered stays as long as something is typed into it
// A field that has the focus, or holds something else than the server drew, is left as it is: nothing
// that was typed, ticked or chosen is wiped.

/* global Idiomorph */

const parser = document.createElement("template");

// The element that a piece of HTML describes.
export function parse(html) {
  parser.innerHTML = html;
  return parser.content.firstElementChild;
}

export function morph(from, to) {
  Idiomorph.morph(from, to, { morphStyle: "outerHTML" });
}

// Makes the children of an element those of this HTML, in the same way.
export function fill(element, html) {
  Idiomorph.morph(element, html, { morphStyle: "innerHTML" });
}

// Fields that somebody has changed. Looked at before anything of them is touched: their old values are
// what they were drawn with.
const held = new WeakSet();

Object.assign(Idiomorph.defaults.callbacks, {
  beforeNodeMorphed(from, to) {
    if (from.nodeType !== Node.ELEMENT_NODE) return true;
    if (isSameField(from, to) && isChanged(from)) held.add(from);
    else held.delete(from);
    if (from.hasAttribute("data-keep") && from.hasAttribute("data-loaded")) return false;
    if (counts(from) && to.nodeType === Node.ELEMENT_NODE && counts(to)) {
      for (const name of ["data-since", "data-beat"]) {
        if (to.hasAttribute(name)) from.setAttribute(name, to.getAttribute(name));
      }
      return false;
    }
    return true;
  },
  beforeNodeRemoved(node) {
    return node.nodeType !== Node.ELEMENT_NODE || !keepTyped(node);
  },
  beforeAttributeUpdated(name, element) {
    if (name === "data-here") return false;
    if (name === "open") return !element.hasAttribute("data-keep-open");
    if (name === "checked") return !held.has(element);
    if (name === "selected") return !held.has(element.closest("select"));
    return !(name === "value" && (held.has(element) || element === document.activeElement));
  },
});

// Whether an element is a form that shall stay because somebody has typed into it; nothing can be sent
// with it until it is offered again.
export function keepTyped(form) {
  if (!form.matches("form[data-keep-typed]")) return false;
  if (![...form.querySelectorAll("input, select, textarea")].some(isChanged)) return false;
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  return true;
}

function isSameField(from, to) {
  if (!from.matches("input, select, textarea")) return false;
  if (from.name !== to.name || from.type !== to.type) return false;
  return !isTick(from) || from.value === to.value;
}

// Whether a field holds something else than it was drawn with.
function isChanged(field) {
  if (isTick(field)) return field.checked !== field.defaultChecked;
  if (field.localName !== "select") return field.value !== field.defaultValue;
  const options = [...field.options];
  if (field.multiple) return options.some((each) => each.selected !== each.defaultSelected);
  return field.selectedIndex !== Math.max(0, options.findLastIndex((each) => each.defaultSelected));
}

function isTick(field) {
  return field.type === "checkbox" || field.type === "radio";
}

// What is no page and no part of one is text, and text of the facility never becomes markup.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const type = detail.xhr.getResponseHeader("Content-Type") ?? "";
  if (!type.startsWith("text/html")) detail.shouldSwap = false;
});

// Whether the browser counts up what stands in an element.
function counts(element) {
  return element.hasAttribute("data-since") || element.hasAttribute("data-beat");
}

// Puts the children of a list into this order of ids, makes those that are missing, and removes
// the rest; as few as possible are moved. `html` gives the piece of a new one.
export function arrange(list, ids, html) {
  const wanted = new Set(ids);
  for (const child of [...list.children]) if (!wanted.has(child.id)) child.remove();
  const places = new Map([...list.children].map((child, index) => [child.id, index]));
  const still = longestRising(ids.filter((id) => places.has(id)).map((id) => places.get(id)));
  let before = null;
  for (const id of [...ids].reverse()) {
    const known = places.has(id);
    const child = known ? document.getElementById(id) : parse(html(id));
    if (!known || !still.has(places.get(id))) place(list, child, before);
    before = child;
  }
}

// The members of a longest rising subsequence: those who may stay where they are.
function longestRising(numbers) {
  const ends = []; // ends[n]: index of the smallest end of a rising run of n + 1
  const previous = new Array(numbers.length).fill(-1);
  numbers.forEach((number, index) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[ends[middle]] < number) low = middle + 1;
      else high = middle;
    }
    if (low > 0) previous[index] = ends[low - 1];
    ends[low] = index;
  });
  const members = new Set();
  for (let at = ends.at(-1) ?? -1; at >= 0; at = previous[at]) members.add(numbers[at]);
  return members;
}

// Moves without losing what has the focus; newer browsers do so by themselves.
function place(parent, child, before) {
  const focused = document.activeElement;
  if (parent.moveBefore && child.isConnected) parent.moveBefore(child, before);
  else parent.insertBefore(child, before);
  if (focused && focused !== document.activeElement && child.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}
