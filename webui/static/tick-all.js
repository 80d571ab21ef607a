// A box in the head of a table ticks all in it; a click with shift ticks all between.

let last = null;

const boxes = (table) => [...table.querySelectorAll("tbody input[type=checkbox]")];

function follow(table) {
  const head = table.querySelector("[data-tick-table]");
  const all = boxes(table);
  head.checked = all.length > 0 && all.every((box) => box.checked);
  head.indeterminate = !head.checked && all.some((box) => box.checked);
}

for (const head of document.querySelectorAll("[data-tick-table]")) {
  const table = head.closest("table");
  head.hidden = false;
  head.addEventListener("change", () => {
    for (const box of boxes(table)) box.checked = head.checked;
  });
  table.tBodies[0].addEventListener("click", ({ target, shiftKey }) => {
    const all = boxes(table);
    const to = all.indexOf(target);
    if (to < 0) return;
    const from = all.indexOf(last);
    if (shiftKey && from >= 0) {
      const [first, end] = [Math.min(from, to), Math.max(from, to)];
      for (const box of all.slice(first, end + 1)) box.checked = target.checked;
    }
    last = target;
    follow(table);
  });
  follow(table);
}
