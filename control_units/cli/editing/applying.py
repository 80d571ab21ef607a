"""From files to a facility that is as they say."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
from mds.v1.bundle_pb2 import (
    BundleHeader,
    BundleItem,
    ItemAction,
    ItemResult,
    OnConflict,
    Problem,
    PruneScope,
    SeenPlan,
)
from mds.v1.control_unit_pb2 import ControlUnit

from control_units.cli.connection import Connection
from control_units.cli.editing.planning import Change, Source, Wish, carry_out
from control_units.cli.kinds import Reads, parts
from control_units.client import Client
from control_units.client.finding import find_control_units
from control_units.importers.any_file import Content, read_files
from control_units.importers.apply import (
    PATIENCE_S,
    Outcome,
    Progress,
    apply_bundle,
    without_oversized,
)
from control_units.importers.overtaken import TRIES, Overtaken, refuse_overtaken

_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".csv"})
_STANDARD_INPUT = "-"


def apply_files(
    connection: Connection, paths: Sequence[Path], wish: Wish, *, reason: str, is_pruned: bool
) -> None:
    """Reads all files, shows what they would change, asks, and does just that.

    Raises:
        click.UsageError: there are no files, or no scope to prune; nobody can be asked.
        click.ClickException: others change the units of a table again and again.
    """
    content = read_files((str(path), _content(path)) for path in files_of(paths))
    for _try in range(TRIES):
        current = _units(connection, content)
        try:
            _apply(connection, content, current, wish, reason=reason, is_pruned=is_pruned)
        except Overtaken as overtaken:
            name = overtaken.name
        else:
            return
    raise click.ClickException(
        f"Others changed units between reading and planning, {TRIES} times, {name} the last time. "
        "Nothing was written. Try again when they have done."
    )


def _apply(
    connection: Connection,
    content: Content,
    current: Mapping[str, ControlUnit],
    wish: Wish,
    *,
    reason: str,
    is_pruned: bool,
) -> None:
    """Applies what files say over the units that were read.

    Raises:
        Overtaken: the plan is about others than those; nothing has been shown or written.
    """
    reading = content.over(current)
    if is_pruned and not reading.scopes:
        raise click.UsageError(
            "--prune removes only within a scope, and no file declares one. It would be like "
            "`scope: [{kinds: [control_units], prefix: DAFNE/PL/}]` at the top of a file."
        )
    items = without_oversized(reading.items, reading.findings)
    problems = reading.findings.problems
    if is_pruned and problems and wish.skips_invalid:
        raise click.UsageError(
            f"{problems[0].message} What cannot be read cannot be told from what is gone: mend "
            "it, or leave out --prune."
        )
    change = bundle_change(
        items,
        reason=reason,
        # With problems of the files' own the rest is only looked at, so that all is told.
        skips_invalid=wish.skips_invalid or bool(problems),
        prune=reading.scopes if is_pruned and not problems else (),
    )
    unless_overtaken = _over(change, content.names, current)
    source = Source(problems, reading.located, len(items))
    carry_out(connection, unless_overtaken, wish, source=source)


def _units(connection: Connection, content: Content) -> Mapping[str, ControlUnit]:
    """The units of tables that are there."""
    if not content.names:
        return {}

    async def find(client: Client) -> dict[str, ControlUnit]:
        return await find_control_units(client, content.names)

    return connection.run(find, timeout_s=PATIENCE_S)


def _over(change: Change, names: Collection[str], current: Mapping[str, ControlUnit]) -> Change:
    """A change that is only planned for units as they were read; from the plan on the server sees
    to it that just that is done."""

    async def checked(client: Client, progress: Progress, /, *, plan: Outcome | None) -> Outcome:
        outcome = await change(client, progress, plan=plan)
        if plan is None:
            refuse_overtaken(outcome, names, current)
        return outcome

    return checked


def bundle_change(
    items: Sequence[BundleItem],
    *,
    reason: str,
    skips_invalid: bool,
    prune: Sequence[PruneScope] = (),
) -> Change:
    """A bundle that replaces what is there and differs."""

    async def change(client: Client, progress: Progress, *, plan: Outcome | None) -> Outcome:
        header = BundleHeader(
            reason=reason,
            validate_only=plan is None,
            on_conflict=OnConflict.ON_CONFLICT_REPLACE,
            skip_invalid=skips_invalid,
            prune=prune,
            seen_plan=seen(plan) if plan else None,
        )
        return await apply_bundle(client, items, header, progress=progress)

    return change


def removal_change(names: Sequence[str], *, reason: str, skips_invalid: bool) -> Change:
    """Removes resources; one that is not there is a problem, unlike in a bundle that is applied
    again and again."""
    remove = bundle_change(
        [BundleItem(removed=name) for name in dict.fromkeys(names)],
        reason=reason,
        skips_invalid=skips_invalid,
    )

    async def change(client: Client, progress: Progress, /, *, plan: Outcome | None) -> Outcome:
        outcome = await remove(client, progress, plan=plan)
        missing = [_missing(each.name) for each in outcome.results if _is_missing(each)]
        return replace(outcome, problems=[*outcome.problems, *missing])

    return change


def _is_missing(result: ItemResult) -> bool:
    return result.action == ItemAction.ITEM_ACTION_UNCHANGED


def _missing(name: str) -> Problem:
    collection, resource_id = parts(name)
    noun = Reads(collection).noun
    message = f"There is no {noun.replace('_', ' ')} {resource_id!r}."
    return Problem(name=name, reason=f"{noun.upper()}_NOT_FOUND", message=message)


def seen(plan: Outcome) -> SeenPlan:
    """What a call names that shall do just what was seen."""
    return SeenPlan(position=plan.summary.position, plan=plan.summary.plan)


def files_of(paths: Sequence[Path]) -> Iterator[Path]:
    """Files as they are named, and those in folders, sorted; hidden ones are left out.

    Raises:
        click.UsageError: a folder has none.
    """
    for path in paths:
        if str(path) == _STANDARD_INPUT or not path.is_dir():
            yield path
            continue
        found = sorted(each for each in path.rglob("*") if _is_meant(each, path))
        if not found:
            known = ", ".join(sorted(_SUFFIXES))
            raise click.UsageError(f"{path} has no files that end in {known}.")
        yield from found


def _is_meant(path: Path, folder: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix in _SUFFIXES and path.is_file() and not is_hidden


def _content(path: Path) -> bytes:
    return sys.stdin.buffer.read() if str(path) == _STANDARD_INPUT else path.read_bytes()
