"""Jinja2, set up once: everything escaped, nothing undefined, templates from this package."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from webui import vocabulary

# A space that numbers are grouped with and lines never break at.
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("webui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["count"] = grouped
    made.globals["unknown"] = vocabulary.health(0)
    return made


def grouped(number: int) -> str:
    """A count as people read it: `9999`, `10 000`."""
    return str(number) if number < 10_000 else f"{number:,}".replace(",", _NARROW_SPACE)
