// Ways to go on with a filter, under its field, while it is being typed: a combobox as ARIA has it.

const DELAY_MS = 120;
let timer = 0;
let asked = 0;

const field = () => document.getElementById("q");
const box = () => document.getElementById("suggestions");
const options = () => [...box().children];
const chosen = () => options().findIndex((each) => each.ariaSelected === "true");

document.addEventListener("input", ({ target }) => {
  if (target !== field()) return;
  clearTimeout(timer);
  timer = setTimeout(ask, DELAY_MS);
});

document.addEventListener("focusout", ({ target }) => {
  if (target === field()) close();
});

document.addEventListener("keydown", (key) => {
  if (key.target !== field()) return;
  if (key.key === "ArrowDown" && box().hidden) ask();
  else if (box().hidden) return;
  else if (key.key === "ArrowDown") choose(chosen() + 1);
  else if (key.key === "ArrowUp") choose(chosen() - 1);
  else if (key.key === "Escape") close();
  else if ((key.key === "Enter" || key.key === "Tab") && chosen() >= 0) take(options()[chosen()]);
  else return;
  key.preventDefault();
});

// Before the field loses the focus.
document.addEventListener("mousedown", (press) => {
  const option = press.target.closest?.("#suggestions > li");
  if (!option) return;
  press.preventDefault();
  take(option);
});

// A whole filter that stands elsewhere: an example, what was perhaps meant.
document.addEventListener("click", (click) => {
  const link = click.target.closest?.("[data-filter]");
  if (!link || !field() || click.ctrlKey || click.metaKey || click.shiftKey) return;
  click.preventDefault();
  write(link.dataset.filter);
  link.closest("details")?.removeAttribute("open");
});

async function ask() {
  const { value, selectionStart, form } = field();
  const number = ++asked;
  const url = new URL(form.action);
  url.searchParams.set("fragment", "suggest");
  url.searchParams.set("text", value.slice(0, selectionStart));
  const reply = await fetch(url, { cache: "no-store" }).catch(() => null);
  if (!reply?.ok || number !== asked || document.activeElement !== field()) return;
  box().innerHTML = await reply.text();
  box().hidden = options().length === 0;
  field().setAttribute("aria-expanded", String(!box().hidden));
  choose(-1);
}

function choose(index) {
  const all = options();
  const at = index < 0 || index >= all.length ? -1 : index;
  all.forEach((each, i) => each.setAttribute("aria-selected", String(i === at)));
  if (at < 0) field().removeAttribute("aria-activedescendant");
  else field().setAttribute("aria-activedescendant", all[at].id);
  all[at]?.scrollIntoView({ block: "nearest" });
}

function take(option) {
  const rest = field().value.slice(field().selectionStart);
  write(option.dataset.text + rest, option.dataset.text.length);
  ask();
}

function write(text, caret = text.length) {
  const input = field();
  input.value = text;
  input.focus();
  input.setSelectionRange(caret, caret);
  close();
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

function close() {
  asked += 1;
  clearTimeout(timer);
  box().hidden = true;
  field().setAttribute("aria-expanded", "false");
  field().removeAttribute("aria-activedescendant");
}
