"""Which of the formats that there are a caller would rather have."""

from __future__ import annotations

from collections.abc import Sequence

from metadata_server.domain.refused import Refused


def best_of(accept: str, formats: Sequence[str]) -> str:
    """The media type that fits an `Accept` best; the first, where it does not care.

    Raises:
        Refused: NOT_ACCEPTABLE.
    """
    if not accept.strip():
        return formats[0]
    weights = dict(map(weight_of, accept.split(",")))
    best = max(formats, key=lambda each: weight(each, weights))
    if weight(best, weights) <= 0:
        raise Refused.invalid(
            "NOT_ACCEPTABLE",
            f"Accept is {accept[:100]!r}; this path has {', '.join(formats)}.",
            offered=", ".join(formats),
        )
    return best


def weight(media_type: str, weights: dict[str, float]) -> float:
    """How much a media type is wanted: what names it best counts."""
    kind = media_type.partition("/")[0]
    for each in (media_type, f"{kind}/*", "*/*"):
        if each in weights:
            return weights[each]
    return 0.0


def weight_of(part: str) -> tuple[str, float]:
    media_type, *parameters = (each.strip().lower() for each in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return media_type, float(value)
            except ValueError:
                return media_type, 0.0
    return media_type, 1.0
