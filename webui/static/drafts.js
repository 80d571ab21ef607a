// Keeps what is typed into a form until it is saved: through a reload, a lost server, a closed lid.
// The key names what is edited and the etag it was drawn from: an old draft is never laid over a
// newer declaration.

const PREFIX = "draft ";

function fieldsOf(form) {
  return [...form.elements].filter((each) => each.name && each.type !== "hidden" && each.type !== "radio");
}

function keep(form) {
  const typed = {};
  for (const field of fieldsOf(form)) {
    if (field.value !== drawn.get(field)) typed[field.name] = field.value;
  }
  const key = PREFIX + form.dataset.draft;
  if (Object.keys(typed).length) sessionStorage.setItem(key, JSON.stringify(typed));
  else sessionStorage.removeItem(key);
}

function restore(form) {
  const kept = sessionStorage.getItem(PREFIX + form.dataset.draft);
  if (!kept) return;
  let count = 0;
  for (const [name, value] of Object.entries(JSON.parse(kept))) {
    const field = form.elements.namedItem(name);
    if (!field || field.value === value) continue;
    field.value = value;
    field.closest("details")?.setAttribute("open", "");
    count += 1;
  }
  if (count) say(form);
}

function say(form) {
  const note = document.getElementById("draft-note");
  if (note) note.hidden = false;
  note?.querySelector("button").addEventListener("click", () => {
    sessionStorage.removeItem(PREFIX + form.dataset.draft);
    for (const field of fieldsOf(form)) field.value = drawn.get(field);
    note.hidden = true;
  });
}

const drawn = new Map(); // field → what the server drew
for (const form of document.querySelectorAll("form[data-draft]")) {
  for (const field of fieldsOf(form)) drawn.set(field, field.value);
  restore(form);
  form.addEventListener("input", () => keep(form));
  for (const link of form.querySelectorAll("[data-forget]")) {
    link.addEventListener("click", () => sessionStorage.removeItem(PREFIX + form.dataset.draft));
  }
}

// A page that says that something was saved: the drafts of what it shows are done with.
if (document.querySelector("[data-saved]")) {
  const shown = document.querySelector("h1[data-shows]")?.dataset.shows;
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(`${PREFIX}${shown} `)) sessionStorage.removeItem(key);
  }
}
