// Copies a text that stands on the page. Without this script it can be selected.

function offer(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

// Browsers give a clipboard only to pages that come encrypted or from this very machine, and may be told
// not to. Anywhere else what is selected can be copied; it stays so, for Ctrl+C where that is refused, too.
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy]");
  if (!button || !(await copy(document.getElementById(button.dataset.copy)))) return;
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 2000);
});

offer(document);
// What is drawn anew comes with its buttons hidden.
new MutationObserver(() => offer(document)).observe(document.body, {
  attributeFilter: ["hidden"],
  childList: true,
  subtree: true,
});
