"""Forms of a page as a browser without scripts fills them in and sends them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

from tests.webui.conftest import Site


@dataclass
class Form:
    """One form.

    Attributes:
        fields: what it sends, by name; of radio buttons what is chosen.
        more: what else it sends under a name that it has sent already.
        choices: texts of radio buttons and check boxes, by name.
    """

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    more: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._area = ""
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        if not self.forms:
            return
        form, name = self.forms[-1], given.get("name", "")
        if tag == "textarea":
            self._area, form.fields[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            form.fields[self._select] = given.get("value", "")
        elif tag == "input" and name:
            if given.get("type") in ("radio", "checkbox"):
                form.choices.setdefault(name, []).append(given.get("value", "on"))
                if "checked" not in given:
                    return
            if name in form.fields:
                form.more.append((name, given.get("value", "")))
            else:
                form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            fields = self.forms[-1].fields
            fields[self._area] += data if fields[self._area] else data.removeprefix("\n")


def form_in(text: str, action: str) -> Form:
    """The form that is sent there."""
    reader = _Reader()
    reader.feed(text)
    found = [form for form in reader.forms if form.action == action]
    assert found, f"no form leads to {action}; there are {[f.action for f in reader.forms]}"
    return found[0]


async def submit(
    site: Site, form: Form, *, changed: Mapping[str, str] | None = None, status: int = 200
) -> str:
    """Sends it, as somebody has filled it in; the page that it leads to."""
    sent = [*(form.fields | dict(changed or {})).items(), *form.more]
    async with site.http.post(form.action, data=sent) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return text


async def plan_at(site: Site, path: str, *, status: int = 200) -> str:
    """A page that is planned for, as a browser without scripts comes to it."""
    text = await site.text(path)
    (address,) = re.findall(r'<noscript><meta http-equiv="refresh" content="0; url=([^"]+)">', text)
    return await site.text(unescape(address), status=status)
