// Keeps what is typed into a form until it is saved: through a reload, a lost server, a closed lid.
// The key names what is edited and the etag it was drawn from: an old draft is never laid over a
// newer declaration.

const PREFIX = "draft ";

function fieldsOf(form) {
  return [...form.elements].filter((each) => each.name && each.form && !["hidden", "radio", "submit", "file"].includes(each.type));
}

function stateOf(field) {
  return field.type === "checkbox" ? String(field.checked) : field.value;
}

function put(field, state) {
  if (field.type === "checkbox") field.checked = state === "true";
  else field.value = state;
}

function keep(form) {
  const typed = {};
  for (const field of fieldsOf(form)) {
    if (stateOf(field) !== drawn.get(field)) typed[field.name] = stateOf(field);
  }
  const key = PREFIX + form.dataset.draft;
  try {
    if (Object.keys(typed).length) sessionStorage.setItem(key, JSON.stringify(typed));
    else sessionStorage.removeItem(key);
  } catch {
    // More than a browser keeps: what was kept last stays.
  }
}

function restore(form) {
  const kept = sessionStorage.getItem(PREFIX + form.dataset.draft);
  if (!kept) return;
  const typed = JSON.parse(kept);
  let count = 0;
  for (const field of fieldsOf(form)) {
    if (!(field.name in typed) || stateOf(field) === typed[field.name]) continue;
    put(field, typed[field.name]);
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
    for (const field of fieldsOf(form)) put(field, drawn.get(field));
    note.hidden = true;
  });
}

// After an entry was moved by a button all others may have other places: what was typed is told by
// the form that comes back.
function forgetPlaces(form) {
  const key = PREFIX + form.dataset.draft;
  const typed = Object.entries(JSON.parse(sessionStorage.getItem(key) ?? "{}"));
  const kept = typed.filter(([name]) => !name.endsWith("].place"));
  sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(kept)));
}

const drawn = new Map(); // field → what the server drew
for (const form of document.querySelectorAll("form[data-draft]")) {
  for (const field of fieldsOf(form)) drawn.set(field, stateOf(field));
  restore(form);
  form.addEventListener("input", () => keep(form));
  form.addEventListener("submit", ({ submitter }) => {
    if (submitter?.name === "redraw") forgetPlaces(form);
  });
  for (const link of form.querySelectorAll("[data-forget]")) {
    link.addEventListener("click", () => sessionStorage.removeItem(PREFIX + form.dataset.draft));
  }
}

// A page that says that something was saved: the drafts of what it shows are done with, and of
// something new of its kind.
if (document.querySelector("[data-saved]")) {
  const shown = document.querySelector("h1[data-shows]")?.dataset.shows ?? "";
  const fresh = `${shown.split("/")[0]}/new`;
  const done = new URLSearchParams(location.search).get("saved");
  for (const key of Object.keys(sessionStorage)) {
    if ([shown, fresh, done].some((name) => key.startsWith(`${PREFIX}${name} `))) sessionStorage.removeItem(key);
  }
}
