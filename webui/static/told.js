// What was told lately of changes, for answers that were asked for before and come after: they may be
// from before the change, though it was told.

const KEPT_MS = 60000;

let told = []; // the last one last

document.addEventListener("mds:touched", ({ detail }) => {
  const now = performance.now();
  told = told.filter(({ at }) => now - at < KEPT_MS);
  told.push({ at: now, touched: detail });
});

// Names of what has changed since a time of `performance.now()`; null: many, or more than is known.
export function toldSince(time) {
  if (performance.now() - time >= KEPT_MS) return null;
  const since = told.filter(({ at }) => at >= time).map(({ touched }) => touched);
  return since.includes(null) ? null : since.flat();
}
