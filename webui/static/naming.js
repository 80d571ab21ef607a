// Names of what is there, under a field while one is typed: `data-names` says which collection. A
// field of many lines gets one beside it whose entry becomes the next line.

const DELAY_MS = 150;
let timer = 0;
let asked = 0;

document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("input[data-names]")) return;
  clearTimeout(timer);
  timer = setTimeout(() => ask(target), DELAY_MS);
});

async function ask(field) {
  const number = ++asked;
  const address = `/names/${field.dataset.names}?q=${encodeURIComponent(field.value)}`;
  const reply = await fetch(address, { cache: "no-store" }).catch(() => null);
  if (!reply?.ok || number !== asked) return;
  field.list.innerHTML = await reply.text();
}

// The field that stands hidden behind one of many lines.
function adder(area) {
  const adding = document.getElementById(`add-${area.id}`);
  if (!adding) return;
  const field = adding.querySelector("input");
  const add = () => {
    const name = field.value.trim();
    const lines = area.value.split("\n").filter((line) => line.trim());
    if (name && !lines.includes(name)) area.value = [...lines, name].join("\n");
    field.value = "";
    area.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  };
  adding.hidden = false;
  adding.querySelector("button").addEventListener("click", add);
  field.addEventListener("keydown", (key) => {
    if (key.key !== "Enter") return;
    key.preventDefault();
    add();
  });
}

for (const area of document.querySelectorAll("textarea[data-names]")) adder(area);
