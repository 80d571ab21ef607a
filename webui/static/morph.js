// Makes an element look like another one and touches only what differs, so that focus, scroll,
// selection and what people have opened stay where they are.
//
// Elements are matched by id, else by place. What an attribute protects:
//   data-keep       the children belong to the browser (a list that was loaded when opened)
//   data-keep-open  `open` belongs to whoever opened it
//   data-since, data-beat   the text is counted up by the browser

const parser = document.createElement("template");

// The element that a piece of HTML describes.
export function parse(html) {
  parser.innerHTML = html;
  return parser.content.firstElementChild;
}

export function morph(from, to) {
  if (from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return;
  }
  if (from.hasAttribute("data-keep") && from.hasAttribute("data-loaded")) return;
  morphAttributes(from, to);
  if (from.hasAttribute("data-since") || from.hasAttribute("data-beat")) return;
  morphChildren(from, to);
}

// Makes the children of an element those of this HTML, in the same way.
export function fill(element, html) {
  const wanted = element.cloneNode(false);
  wanted.innerHTML = html;
  morphChildren(element, wanted);
}

function morphAttributes(from, to) {
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    const ours = name === "open" && from.hasAttribute("data-keep-open");
    if (!to.hasAttribute(name) && !ours) from.removeAttribute(name);
  }
}

function morphChildren(from, to) {
  const byId = new Map();
  for (const child of from.children) if (child.id) byId.set(child.id, child);
  let here = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const known = wanted.nodeType === Node.ELEMENT_NODE && wanted.id ? byId.get(wanted.id) : null;
    if (known) {
      if (known === here) here = here.nextSibling;
      else place(from, known, here);
      morph(known, wanted);
    } else if (here && alike(here, wanted)) {
      const next = here.nextSibling;
      if (here.nodeType === Node.ELEMENT_NODE) morph(here, wanted);
      else if (here.nodeValue !== wanted.nodeValue) here.nodeValue = wanted.nodeValue;
      here = next;
    } else {
      from.insertBefore(wanted, here);
    }
  }
  while (here) {
    const next = here.nextSibling;
    here.remove();
    here = next;
  }
}

// Whether a node without an id may become another one.
function alike(node, wanted) {
  return node.nodeName === wanted.nodeName && !node.id && !wanted.id;
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
