// Copies a text that stands on the page. Without this script it can be selected.

function offer(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  await navigator.clipboard.writeText(text);
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 2000);
});

if (navigator.clipboard) {
  offer(document);
  // What is drawn anew comes with its buttons hidden.
  new MutationObserver(() => offer(document)).observe(document.body, { childList: true, subtree: true });
}
