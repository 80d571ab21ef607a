// What answers a form takes the place of its page. A small form comes back behind the log-in page,
// whichever web process answers; a large one leaves its page only once it has been asked, just now,
// whether it would be taken. If not, all that is typed and chosen stays where it is.

import { loggedOut } from "./access.js";
import { say } from "./trouble.js";

// Each sign may take nine bytes on its way, and every process keeps 1 MB.
const LARGE = 100_000;
const WITHIN_MS = 5000;

const asked = new WeakSet(); // forms that wait for an answer
const taken = new WeakSet(); // forms that are on their way

function isLarge(form, submitter) {
  const values = [...new FormData(form, submitter).values()];
  return values.reduce((sum, value) => sum + (value.size ?? value.length), 0) > LARGE;
}

async function isTaken() {
  try {
    const reply = await fetch("/access?now", { cache: "no-store", signal: AbortSignal.timeout(WITHIN_MS) });
    if (reply.status === 401) loggedOut();
    else if (!reply.ok) say("");
    return reply.ok;
  } catch {
    say("");
    return false;
  }
}

// Before anybody else hears of it: what is not sent has not been submitted.
async function send(event) {
  const { target: form, submitter } = event;
  if (form.method !== "post" || taken.delete(form) || !isLarge(form, submitter)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (asked.has(form)) return;
  asked.add(form);
  const goes = await isTaken();
  asked.delete(form);
  if (!goes) {
    document.querySelector("#out:not([hidden]), #trouble:not([hidden])")?.scrollIntoView({ block: "center" });
    return;
  }
  taken.add(form);
  form.requestSubmit(submitter);
  taken.delete(form); // a field may have stopped it
}

window.addEventListener("submit", send, { capture: true });
