// The note of what has just been saved, and the way back from there by a key.

const note = document.querySelector("form[data-saved]");
const [navigation] = performance.getEntriesByType("navigation");

// Only saving leads on to a page with a note. Who loads it again, or follows a link to it, has saved
// nothing just now: it is a quiet line at once.
if (note && !navigation?.redirectCount) note.getAnimations({ subtree: true }).forEach((each) => each.finish());

// As long as the note is loud; after that a key that was hit by mistake must not change the facility:
// the plan is shown first.
export function takeBack() {
  const button = note?.querySelector("[data-undo]");
  if (!button) return;
  if (note.getAnimations().length > 0) {
    button.click();
    return;
  }
  const plan = new URL(note.action);
  plan.searchParams.set("back", note.elements.back.value);
  location.assign(plan);
}
