// What scripts say to people, in the language of the page: the page brings it along, so that the
// catalogue has it.

export function word(key, value = "") {
  return document.getElementById("words").dataset[key].replace("#", () => value);
}
