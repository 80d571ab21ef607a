// Parts of other pages, shown above this one; without this script their links lead there.

const TIMEOUT_MS = 8000;

// Shows the element with an id of another page. One dialog at a time.
export async function openDialog(address, id) {
  const dialog = made(id);
  try {
    const reply = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const part = page.getElementById(id);
    if (!reply.ok || !part) throw new Error(page.body.textContent);
    const title = page.querySelector("h1")?.cloneNode(true);
    part.removeAttribute("id");
    dialog.firstElementChild.replaceChildren(...[title, part].filter(Boolean));
    if (title) dialog.setAttribute("aria-label", title.textContent);
  } catch (failure) {
    dialog.firstElementChild.textContent = failure.message;
  }
  dialog.showModal();
  return dialog;
}

export function made(name) {
  document.querySelector("dialog[open]")?.close();
  const dialog = document.createElement("dialog");
  dialog.className = name;
  const body = document.createElement("div");
  body.className = "body";
  dialog.append(body);
  dialog.addEventListener("close", () => dialog.remove());
  // A click beside it: the dialog itself is only what surrounds its body.
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  document.body.append(dialog);
  return dialog;
}

export function closeMenusOutside(target) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
}
