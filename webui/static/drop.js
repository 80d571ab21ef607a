// A file that is dropped anywhere on a page with a form for files is as good as chosen there, and
// what it would do is shown at once. Nothing is written by that.

const form = document.querySelector("form[data-drop]");
const chooser = form?.querySelector("input[type=file]");

const bringsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

if (form && chooser) {
  document.addEventListener("dragover", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    form.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    // Leaving the window, and not one element for another.
    if (event.relatedTarget === null) form.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length === 0) return;
    chooser.files = event.dataTransfer.files;
    show();
  });
  chooser.addEventListener("change", show);
}

// By the button that looks, which wants nothing else to be filled in. What is too large is not sent: with
// it the whole form would be refused.
function show() {
  if (chooser.files.length === 0) return;
  const isTooLarge = chooser.files[0].size > Number(form.dataset.most);
  document.getElementById("too-large").hidden = !isTooLarge;
  if (isTooLarge) chooser.value = "";
  else form.requestSubmit(form.querySelector("[data-look]"));
}
