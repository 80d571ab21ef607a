"""Scripts: their text comes as base64."""

import base64
from collections.abc import Iterator

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.script_pb2 import Script

from control_units.importers.chaos.entries import entries, flag_of, is_empty, text_of
from control_units.importers.chaos.units import take_id
from control_units.importers.findings import Findings
from control_units.importers.json_text import Value

_ID = ("script_name",)


def read_scripts(value: Value, place: str, findings: Findings) -> Iterator[BundleItem]:
    """All scripts of the section that can be taken."""
    for entry in entries(value, place, findings):
        before = len(findings.problems)
        name = f"scripts/{take_id(entry, 'scripts', findings, spellings=_ID)}"
        content = _content(
            entry.text("eudk_script_content"),
            entry.place_of("eudk_script_content"),
            name,
            findings,
        )
        keep_alive = entry.take("eudk_script_keepalive")
        if not is_empty(keep_alive) and flag_of(keep_alive) is None:
            at = entry.place_of("eudk_script_keepalive")
            findings.problem(at, "true or false", value=text_of(keep_alive), name=name)
        script = Script(
            name=name,
            description=entry.text("script_description"),
            language=entry.text("eudk_script_language"),
            content=content,
            default_argument=entry.text("default_argument"),
            group=entry.text("script_group"),
            target=entry.text("script_target"),
            keep_alive=bool(flag_of(keep_alive)),
        )
        script.properties.update(entry.properties(findings))
        if len(findings.problems) == before:
            yield BundleItem(source=entry.place, script=script)


def _content(encoded: str, place: str, name: str, findings: Findings) -> str:
    expected = "base64 of a text in UTF-8"
    try:
        return base64.b64decode("".join(encoded.split()), validate=True).decode()
    except UnicodeDecodeError as error:
        detail = f"its byte {error.start} is 0x{error.object[error.start]:02x}"
    except ValueError as error:
        detail = str(error)
    findings.problem(
        place,
        f"{expected} ({detail})",
        value=encoded,
        reason="INVALID_VALUE",
        name=name,
        field="content",
    )
    return ""
