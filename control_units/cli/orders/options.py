"""How an order is to be carried out, as people say it."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from control_units.cli.kinds import IdOf
from control_units.cli.times import Span

if TYPE_CHECKING:
    from mds.v1.operation_pb2 import Operation

Command = TypeVar("Command", bound=Callable[..., Any])

FAILURE_WORDS = ("stop", "continue", "roll-back")

_HOW = (
    click.option(
        "--at-once", type=click.IntRange(1), metavar="N", help="Units under way at once, at most."
    ),
    click.option(
        "--at-once-per-unit-server",
        type=click.IntRange(1),
        metavar="N",
        help="Likewise, of one unit server.",
    ),
    click.option(
        "--on-failure",
        type=click.Choice(FAILURE_WORDS),
        default="stop",
        show_default=True,
        help="When a unit fails: begin no more, go on with what does not require it, or take back "
        "what was done.",
    ),
    click.option(
        "--step-timeout",
        type=Span(),
        help="How long a unit may take: 30s, 5m.  [default: 2m]",
    ),
    click.option("--timeout", type=Span(), help="How long all may take; then no more begins."),
    click.option(
        "--attempts", type=click.IntRange(1, 100), metavar="N", help="Tries a unit, at most."
    ),
    click.option(
        "--retry-delay", type=Span(), help="Before the second try, then doubled.  [default: 30s]"
    ),
    click.option(
        "--even-so", is_flag=True, help="Although units that are not selected stand against it."
    ),
    click.option("--with-recover", is_flag=True, help="Have units in error recover first."),
    click.option(
        "--stage", is_flag=True, help="Where a guard forbids it: wait until it is allowed."
    ),
    click.option("--campaign", type=IdOf("campaigns"), help="Count it for this campaign."),
    click.option("--all-or-none", is_flag=True, help="Nothing at all if a unit is blocked."),
    click.option(
        "--pending", is_flag=True, help="Give it as PENDING; mds operation resume begins it."
    ),
)
_WAITING = (
    click.option(
        "--wait/--no-wait",
        default=None,
        help="Follow it to its end; else 1.  [default: at a terminal]",
    ),
    click.option(
        "--within",
        type=click.FloatRange(0.1, 86_400),
        metavar="SECONDS",
        help="How long to follow it.  [default: to its end]",
    ),
)


def order_options(command: Command) -> Command:
    """How an order is carried out, and whether it is followed."""
    for option in reversed([*_HOW, *_WAITING]):
        command = option(command)
    return command


def take_how(operation: "Operation", options: dict[str, Any]) -> None:
    """Puts what `order_options` has read into an operation that is to be created."""
    from mds.v1.operation_pb2 import OnFailure

    words = options["on_failure"].upper().replace("-", "_")
    operation.on_failure = OnFailure.Value(f"ON_FAILURE_{words}")
    operation.at_once = options["at_once"] or 0
    operation.at_once_per_unit_server = options["at_once_per_unit_server"] or 0
    operation.most_attempts = options["attempts"] or 0
    operation.even_so = options["even_so"]
    operation.recover = options["with_recover"]
    operation.stage = options["stage"]
    operation.campaign = options["campaign"] or ""
    for field in ("step_timeout", "timeout", "retry_delay"):
        span: timedelta | None = options[field]
        if span is not None:
            getattr(operation, field).FromTimedelta(span)
