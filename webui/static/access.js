// Who is no longer logged in is told so where they are: a page is never left by itself, for
// something may be typed in it.

const banner = document.getElementById("out");

export function loggedOut() {
  if (!banner?.hidden) return;
  // What answers a form has an address that shows nothing.
  const here = document.body.dataset.here ?? location.pathname + location.search;
  banner.querySelector("a").href = `/login?next=${encodeURIComponent(here)}`;
  banner.hidden = false;
}

export function loggedIn() {
  if (banner) banner.hidden = true;
}

export async function askWhetherLoggedIn() {
  try {
    const reply = await fetch("/access", { cache: "no-store" });
    if (reply.status === 401) loggedOut();
  } catch {
    // No answer at all is told by another banner.
  }
}

// A part of the page that was asked for and refused.
document.addEventListener("htmx:responseError", ({ detail }) => {
  if (detail.xhr.status === 401) loggedOut();
});
document.addEventListener("mds:out", loggedOut);
