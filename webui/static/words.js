// What scripts say to people, in the language of the page: the page brings it along, so that the
// catalogue has it.

export function word(key, value = "") {
  return document.getElementById("words").dataset[key].replace("#", () => value);
}

// A count as the server writes it, in any language: 9999, 10 000.
export function grouped(number) {
  return number < 10_000 ? `${number}` : `${number}`.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}
