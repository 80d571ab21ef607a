// A form that was sent while the server was busy is sent again after the delay that it told.

import { delayMs } from "./busy.js";

for (const form of document.querySelectorAll("form[data-again]")) {
  const timer = setTimeout(() => form.requestSubmit(), delayMs(form.dataset.again));
  form.addEventListener("submit", () => clearTimeout(timer)); // somebody was faster
}
