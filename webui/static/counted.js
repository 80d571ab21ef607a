// The number that is to be typed before units are moved follows their ticks.

const entry = document.getElementById("typed_count");
const field = entry?.closest("[data-more-than]");

function follow() {
  const ticks = entry.form.querySelectorAll("[name=unit]:checked, [name=rest]:checked");
  // The last tick stands for all that are not listed.
  const count = [...ticks].reduce((sum, { dataset }) => sum + Number(dataset.counts ?? 1), 0);
  const [label] = entry.labels;
  label.textContent = label.dataset.words.replace("#", String(count));
  field.hidden = count <= Number(field.dataset.moreThan);
  entry.required = !field.hidden;
}

if (field) {
  entry.form.addEventListener("input", follow);
  // A draft that is discarded, and one that comes back, change ticks without a word.
  document.addEventListener("click", follow);
  window.addEventListener("pageshow", follow);
}
