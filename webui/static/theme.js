// Another theme is put on where one is: the page is not left for it, nor what was typed, ticked or
// chosen there, which an answer to what a form sent could not show again.

const WITHIN_MS = 5000;

document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  const isTheme = new URL(form.action).pathname === "/theme" && submitter?.name === "theme";
  if (!isTheme || "leads" in form.dataset) return;
  event.preventDefault();
  if (!(await isKept(form, submitter))) {
    form.dataset.leads = ""; // where somebody reads why not
    form.requestSubmit(submitter);
    return;
  }
  put(submitter.value);
  const menu = form.closest("details");
  menu?.removeAttribute("open");
  menu?.querySelector("summary").focus(); // what is hidden keeps none
  form.closest("dialog")?.close();
});

// The cookie with the theme comes with an answer that leads back.
async function isKept(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  try {
    const signal = AbortSignal.timeout(WITHIN_MS);
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual", signal });
    return answer.type === "opaqueredirect";
  } catch {
    return false;
  }
}

function put(theme) {
  document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll(".menu button[name=theme]")) {
    if (button.value === theme) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  document.dispatchEvent(new CustomEvent("mds:theme"));
}
