"""The checks of a facility: each a function that finds one kind of oddity, a piece at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from metadata_server.domain.audit import Finding, Severity, redundancies
from metadata_server.domain.life.condition import OUT_OF_DATE
from metadata_server.domain.names import BEGINS_AN_ID, DECLARED, Kind
from metadata_server.services.auditing.audit_pieces import Asked, Check, Piece, piece_of
from metadata_server.services.life.configurations import version_of
from metadata_server.services.orchestration.order_checks import (
    dependency_against_level,
    dependency_cycle,
    dependency_not_declared,
)
from metadata_server.store.life import audit
from metadata_server.store.life.audit import Rows
from metadata_server.store.unit_of_work import UnitOfWork

DRAFT_DAYS = 30
NOTICE, WARNING = Severity.NOTICE, Severity.WARNING


def never_seen(unit: UnitOfWork, asked: Asked) -> Piece:
    """Control units that are defined and that no process has ever taken in."""
    rows = audit.units_never_hosted(unit, asked.span)
    return piece_of(
        rows,
        (
            Finding(
                WARNING,
                Kind.CONTROL_UNIT.name_of(row["id"]),
                "It is defined, and was never seen."
                if row["unit_server"]
                else "It is defined, and was never seen: it belongs to no unit server.",
                {"unit_server": row["unit_server"] or ""},
            )
            for row in rows
        ),
    )


def names_gone(unit: UnitOfWork, asked: Asked) -> Piece:
    """Unit lists that name control units which are not there."""
    span = asked.span
    lists = audit.lists_in(unit, span)
    named = {id for each in lists for id in each.control_units}
    there = unit.keys.find(Kind.CONTROL_UNIT, named).keys()
    findings = []
    for each in lists:
        gone = [id for id in each.control_units if id not in there]
        if gone:
            message = f"It names {', '.join(gone[:5])}{more_than(5, gone)}, not there any more."
            findings.append(Finding(NOTICE, each.name, message, {"gone": ", ".join(gone)}))
    return Piece(tuple(findings), asked.following([each.id for each in lists]))


def not_defined(unit: UnitOfWork, asked: Asked) -> Piece:
    """Unit servers that have knocked and that nobody has defined."""
    rows = audit.sightings_undeclared(unit, asked.span)
    return piece_of(
        rows,
        (
            Finding(
                WARNING,
                Kind.UNIT_SERVER.name_of(row["id"]),
                f"It was seen {times(row['count'])}, last from {row['host'] or 'somewhere'} at "
                f"{moment(row['last_time_us'])}, and is not defined.",
                {
                    "host": row["host"],
                    "address": row["address"],
                    "count": str(row["count"]),
                    "last_time": moment(row["last_time_us"]),
                },
            )
            for row in rows
        ),
    )


def unit_server_never_seen(unit: UnitOfWork, asked: Asked) -> Piece:
    """Unit servers that are defined and have never registered."""
    return plain(
        audit.servers_never_seen(unit, asked.span),
        Kind.UNIT_SERVER,
        WARNING,
        "It is defined, and has never registered.",
    )


def unit_server_without_units(unit: UnitOfWork, asked: Asked) -> Piece:
    """Unit servers that host nothing."""
    return plain(
        audit.servers_without_units(unit, asked.span),
        Kind.UNIT_SERVER,
        NOTICE,
        "No control unit belongs to it.",
    )


def unit_without_server(unit: UnitOfWork, asked: Asked) -> Piece:
    """Control units that belong to no unit server."""
    return plain(
        audit.units_without_server(unit, asked.span),
        Kind.CONTROL_UNIT,
        NOTICE,
        "It belongs to no unit server, so that nothing runs it.",
    )


def unused_template(unit: UnitOfWork, asked: Asked) -> Piece:
    """Templates that no control unit is made of."""
    return plain(
        audit.templates_unused(unit, asked.span), Kind.TEMPLATE, NOTICE, "No control unit uses it."
    )


def plain(rows: Rows, kind: Kind, severity: Severity, message: str) -> Piece:
    return piece_of(rows, (Finding(severity, kind.name_of(row["id"]), message) for row in rows))


def draft_forgotten(unit: UnitOfWork, asked: Asked) -> Piece:
    """Drafts of templates that nobody has touched for 30 days."""
    rows = audit.drafts_older_than(unit, asked.span, age_us=DRAFT_DAYS * audit.DAY_US)
    return piece_of(
        rows,
        (
            Finding(
                NOTICE,
                Kind.TEMPLATE.name_of(row["id"]),
                f"Version {row['version']} is a draft since {moment(row['time_us'])}: publish it, "
                "or discard it.",
                {"version": str(row["version"]), "last_edit": moment(row["time_us"])},
            )
            for row in rows
        ),
    )


def restarted_often(unit: UnitOfWork, asked: Asked) -> Piece:
    """Control units that have begun too many lives within the last day."""
    allowed = asked.audited.restarts_a_day
    rows = audit.restarted_more_often(unit, asked.span, than=allowed)
    return piece_of(
        rows,
        (
            Finding(
                WARNING,
                Kind.CONTROL_UNIT.name_of(row["id"]),
                f"It has begun {row['lives']} lives within a day; up to {allowed} are not odd.",
                {"lives": str(row["lives"]), "allowed": str(allowed)},
            )
            for row in rows
        ),
    )


def override_equals_default(unit: UnitOfWork, asked: Asked) -> Piece:
    """Overrides and parameters that are equal to what would hold without them."""
    units = audit.units_that_change_something(unit, asked.span)
    datasets = audit.datasets_by_key(unit, [each.meta.key for each in units])
    starts = [(*version_of(unit, each), datasets.get(each.meta.key, "")) for each in units]
    bases = asked.configurations.bases(unit, starts)
    findings = []
    for each, start in zip(units, starts, strict=True):
        found = list(redundancies(each, bases[start].narrowing))
        if found:
            paths = ", ".join(one.path for one in found[:3]) + more_than(3, found)
            message = f"It says what holds anyway: {paths}."
            details = {one.path: f"{one.value} (without it {one.otherwise})" for one in found}
            findings.append(Finding(NOTICE, each.name, message, details))
    return Piece(tuple(findings), asked.following([each.id for each in units]))


def ids_differ_only_in_case(unit: UnitOfWork, asked: Asked) -> Piece:
    """Ids of one kind that differ in nothing but upper and lower case."""
    word, _, after = asked.after.partition(":")
    kind = Kind(word) if word else DECLARED[0]
    groups = audit.alike_in_lower_case(unit, kind, after=after, limit=asked.span.limit)
    prefix = asked.audited.id_prefix
    findings = tuple(
        Finding(
            WARNING,
            kind.name_of(group[0]),
            f"Its id differs only in case from {', '.join(group[1:6])}{more_than(6, group)}.",
            {"alike": ", ".join(group[1:])},
        )
        for group in groups
        if any(id.startswith(prefix) for id in group)
    )
    if len(groups) == asked.span.limit:
        return Piece(findings, f"{kind}:{groups[-1][0].lower()}")
    following = DECLARED.index(kind) + 1
    return Piece(findings, f"{DECLARED[following]}:" if following < len(DECLARED) else None)


def conditions(unit: UnitOfWork, asked: Asked) -> Piece:
    """How many control units each condition holds of."""
    prefix = asked.audited.id_prefix
    if not BEGINS_AN_ID.match(prefix):
        return Piece(())
    counts = {**audit.condition_counts(unit, prefix), OUT_OF_DATE: audit.count_behind(unit, prefix)}
    return Piece(
        tuple(
            Finding(
                NOTICE if type_ == OUT_OF_DATE else WARNING,
                "",
                f"{type_} holds of {count} control unit{'s' if count > 1 else ''}.",
                {"type": type_, "units": str(count)},
            )
            for type_, count in sorted(counts.items())
            if count
        )
    )


def moment(time_us: int) -> str:
    """A time as people read it: UTC, to the second."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def more_than(shown: int, items: Sequence[object]) -> str:
    return f" and {len(items) - shown} more" if len(items) > shown else ""


CHECKS: Mapping[str, Check] = {
    check.__name__.replace("_", "-"): check
    for check in (
        conditions,
        dependency_against_level,
        dependency_cycle,
        dependency_not_declared,
        draft_forgotten,
        ids_differ_only_in_case,
        names_gone,
        never_seen,
        not_defined,
        override_equals_default,
        restarted_often,
        unit_server_never_seen,
        unit_server_without_units,
        unit_without_server,
        unused_template,
    )
}
"""By name; what a check looks for is its docstring."""
