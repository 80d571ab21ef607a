// A form that was sent while the server was busy is sent again after the delay that it told; and a
// little later, so that not all come at once.

for (const form of document.querySelectorAll("form[data-again]")) {
  setTimeout(() => form.requestSubmit(), Number(form.dataset.again) * (1000 + 500 * Math.random()));
}
