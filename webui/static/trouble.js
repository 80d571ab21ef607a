// What was asked for and refused, or not answered at all, is said where it was asked for; a part of
// a page that comes instead of an answer says it itself.

const LONGEST = 400;
const note = () => document.getElementById("trouble");

// Empty: that nothing answered.
export function say(text, target) {
  const place = target?.closest?.("dialog")?.firstElementChild ?? document.getElementById("main");
  place.prepend(note());
  note().querySelector("[data-words]").textContent = (text || note().dataset.silent).trim().slice(0, LONGEST);
  note().hidden = false;
}

function isPart(xhr) {
  return (xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/html");
}

document.addEventListener("htmx:responseError", ({ detail }) => {
  const text = isPart(detail.xhr) ? "" : detail.xhr.responseText;
  if (!isPart(detail.xhr) || !detail.shouldSwap) say(text || note().dataset.failed, detail.target);
});

for (const event of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(event, ({ detail }) => say("", detail.target));
}

// An answer: what was said before is over.
document.addEventListener("htmx:afterSwap", () => (note().hidden = true));
document.addEventListener("click", ({ target }) => {
  if (target.closest?.("#trouble button")) note().hidden = true;
});
