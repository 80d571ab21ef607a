"""A resource, or all, at a moment: `DAFNE/PL/A@120`, `@'2026-11-15 03:12'`, `@now`."""

from dataclasses import dataclass

import click

from control_units.cli.kinds import ResourceName
from control_units.cli.times import AsOf


@dataclass(frozen=True, slots=True)
class Point:
    """A resource at a moment.

    Attributes:
        name: with its collection; empty: all resources.
        as_of: in the words of the protocol; empty: now.
    """

    name: str
    as_of: str


class PointType(click.ParamType[Point]):
    name = "point"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Point:
        if isinstance(value, Point):
            return value
        # Ids have no such sign.
        name, sign, moment = str(value).partition("@")
        if not sign or not moment:
            self.fail(
                f"{value!r} names no moment; right would be NAME@MOMENT or @MOMENT, with a "
                "revision (120), a time ('2026-11-15 03:12'), how long ago (2h), or now.",
                param,
                ctx,
            )
        resource = ResourceName().convert(name, param, ctx) if name else ""
        return Point(resource, AsOf().convert(moment, param, ctx))
