// Keeps what is typed into a form until it is saved: through a reload, a lost server, a closed lid.
// Kept with it is the etag that it was typed upon. Where somebody else has saved meanwhile, that etag
// is put back together with what was typed, so that saving leads to the choice between both; but only
// into forms that can lead there (`data-merges`): others would be refused again and again.

const PREFIX = "draft ";
// The drafts that were sent last; they are done with where an answer leads on.
const SENT = "sent";
// Those whose answer stands here: who loads it again sends them again.
const ANSWERED = "answered";
// What a form is about besides its name, in its hidden fields.
const ABOUT = ["id", "filter", "all", "like", "unit_server", "verb", "how", "to", "version"];
// How many are meant is typed anew for each plan: it says that somebody has looked at this one.
const CONFIRMED = "typed_count";
const UNTYPED = ["hidden", "radio", "submit", "file", "password"];

const drawn = new WeakMap(); // field → what the server drew
let answered = []; // keys of drafts that led here, and are not saved

const forms = () => document.querySelectorAll("form[data-draft]");

function fieldsOf(form) {
  return [...form.elements].filter(
    (each) => each.name && each.form && !UNTYPED.includes(each.type) && each.name !== CONFIRMED,
  );
}

// Several boxes of one name are told apart by their values.
function nameOf(field) {
  return field.type === "checkbox" ? `${field.name}=${field.value}` : field.name;
}

function stateOf(field) {
  return field.type === "checkbox" ? String(field.checked) : field.value;
}

function drawnIn(field) {
  if (drawn.has(field)) return drawn.get(field);
  return field.type === "checkbox" ? String(field.defaultChecked) : (field.defaultValue ?? "");
}

function put(field, state) {
  if (field.type === "checkbox") field.checked = state === "true";
  else field.value = state;
}

// Hidden fields by which the server knows what was typed upon.
function groundIn(form) {
  const hidden = [...form.querySelectorAll("input[type=hidden]")];
  return hidden.filter(({ name }) => name === "etag" || name === "revision");
}

function groundOf(form) {
  return "merges" in form.dataset ? groundIn(form) : [];
}

function textsOf(fields) {
  return Object.fromEntries(fields.map(({ name, value }) => [name, value]));
}

function keyOf(form) {
  const hidden = [...form.querySelectorAll("input[type=hidden]")];
  // A form about the same may carry an empty field of its own hidden, and say no more by it.
  const telling = hidden.filter(({ name, value }) => ABOUT.includes(name) && value !== "");
  const about = telling.map(({ name, value }) => `${name}=${value}`);
  return PREFIX + [form.dataset.draft, ...about].join(" ");
}

// `typed`: by field what stood there before, and what stands there now; `ground`: what was typed upon.
function draftOf(form) {
  return JSON.parse(sessionStorage.getItem(keyOf(form))) ?? { ground: {}, typed: {} };
}

function store(form, typed) {
  storeUpon({ ...textsOf(groundOf(form)), ...draftOf(form).ground }, form, typed);
}

function storeUpon(ground, form, typed) {
  try {
    if (Object.keys(typed).length) sessionStorage.setItem(keyOf(form), JSON.stringify({ ground, typed }));
    else forget(form);
  } catch {
    // More than a browser keeps: what was kept last stays.
  }
}

// A form that was refused is drawn with what was typed: what was typed before goes on being that.
function keep(form) {
  const { typed } = draftOf(form);
  for (const field of fieldsOf(form)) {
    const name = nameOf(field);
    const was = typed[name]?.[0] ?? drawnIn(field);
    if (was === stateOf(field)) delete typed[name];
    else typed[name] = [was, stateOf(field)];
  }
  store(form, typed);
}

function restore(form) {
  const { ground, typed } = draftOf(form);
  let count = 0;
  for (const field of fieldsOf(form)) {
    const [, state] = typed[nameOf(field)] ?? [];
    if (state === undefined || stateOf(field) === state) continue;
    put(field, state);
    field.closest("details")?.setAttribute("open", "");
    count += 1;
  }
  if (count === 0) return;
  for (const field of groundOf(form)) {
    drawn.set(field, field.value);
    field.value = ground[field.name] ?? field.value;
  }
  say(form);
}

function say(form) {
  const note = document.getElementById("draft-note");
  if (note) note.hidden = false;
  note?.querySelector("button").addEventListener("click", () => {
    forget(form);
    for (const field of [...fieldsOf(form), ...groundOf(form)]) put(field, drawnIn(field));
    note.hidden = true;
  });
}

function forget(form) {
  sessionStorage.removeItem(keyOf(form));
}

// Who was shown mine and theirs has chosen: that takes the place of what was typed, and stands upon
// what is there now. What is chosen of theirs is no draft any more.
function settle(form) {
  const { typed } = draftOf(form);
  const settled = "reason" in typed ? { reason: typed.reason } : {};
  for (const { name, value } of form.querySelectorAll("input[type=radio]:checked")) {
    const [, theirs] = form.elements.namedItem(name);
    if (value === theirs.value) continue;
    const box = Object.keys(typed).find((key) => key.startsWith(`${name}=`));
    const states = [theirs.value, value];
    if (box) settled[box] = states.map((state) => String(box === `${name}=${state}`));
    else settled[name] = states;
  }
  storeUpon(textsOf(groundIn(form)), form, settled);
}

// After an entry was moved by a button all others may have other places: what was typed is told by
// the form that comes back.
function forgetPlaces(form) {
  const typed = Object.entries(draftOf(form).typed);
  store(form, Object.fromEntries(typed.filter(([name]) => !name.endsWith("].place"))));
}

// What has led here; a page that is loaded again sends it again.
function whatWasSent({ type } = {}) {
  const kept = sessionStorage.getItem(SENT) ?? (type === "reload" && sessionStorage.getItem(ANSWERED));
  sessionStorage.removeItem(SENT);
  sessionStorage.removeItem(ANSWERED);
  return JSON.parse(kept || "[]");
}

function send(keys) {
  sessionStorage.setItem(SENT, JSON.stringify(keys));
}

// Whatever is saved leads on to another address; a refusal, or a busy server, does not. Only the next
// page is the answer to what was sent; one that sends it again hands it on.
function forgetWhatWasSaved() {
  const [navigation] = performance.getEntriesByType("navigation");
  const sent = whatWasSent(navigation);
  if (sent.length === 0) return;
  const again = document.querySelector("[data-sends-again]");
  again?.addEventListener("submit", () => send(sent));
  const isDone = navigation?.redirectCount > 0 || document.querySelector("[data-done]");
  if (again || !isDone) {
    answered = sent;
    sessionStorage.setItem(ANSWERED, JSON.stringify(sent));
    return;
  }
  // An import has a draft for each document on its way; all of them end with it.
  const all = `${PREFIX}${new URLSearchParams(location.search).get("saved")} `;
  for (const key of Object.keys(sessionStorage)) {
    if (sent.includes(key) || key.startsWith(all)) sessionStorage.removeItem(key);
  }
}

forgetWhatWasSaved();
for (const form of forms()) {
  for (const field of fieldsOf(form)) drawn.set(field, stateOf(field));
  restore(form);
}

// Forms come and go in a page that is drawn anew.
document.addEventListener("input", ({ target }) => {
  const form = target.form?.closest("form[data-draft]");
  if (!form) return;
  keep(form);
  sessionStorage.removeItem(ANSWERED); // more than was sent
});

document.addEventListener("submit", ({ target, submitter }) => {
  if (!target.matches("form[data-draft], [data-sends-again]")) sessionStorage.removeItem(SENT);
  if (!target.matches("form[data-draft]")) return;
  if (submitter?.name === "redraw") forgetPlaces(target);
  // What is chosen saves also what was typed elsewhere, as into the form for a new one.
  const isChoice = "settles" in target.dataset;
  if (isChoice) settle(target);
  send([keyOf(target), ...(isChoice ? answered : [])]);
});

// Who comes back, or goes elsewhere, does not wait for the answer to what was sent.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) sessionStorage.removeItem(SENT);
});

document.addEventListener("click", ({ target }) => {
  if (target.closest?.("a[href]")) sessionStorage.removeItem(SENT);
  const form = target.closest?.("[data-forget]")?.closest("form[data-draft]");
  if (form) forget(form);
});
