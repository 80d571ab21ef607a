"""Lines as SVG, for whom no script draws them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

WIDTH, HEIGHT = 600, 100


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines in a box of WIDTH by HEIGHT.

    Attributes:
        top: value at the upper edge; the lower one is 0.
        paths: tone and path of each line.
    """

    top: str
    paths: tuple[tuple[str, str], ...]


def drawing(
    lines: Sequence[tuple[str, Sequence[float | None]]],
    times: Sequence[float],
    span: tuple[float, float],
) -> Drawing:
    """
    Args:
        lines: tone and values of each.
        span: times at the left and the right edge, in s.
    """
    most = max((each for _, values in lines for each in values if each is not None), default=0)
    top = round_up(most)
    begin, end = span
    scale = WIDTH / (end - begin)
    paths = []
    for tone, values in lines:
        words, pen = [], "M"
        for time, value in zip(times, values, strict=True):
            if value is None:
                pen = "M"
                continue
            x = max(0.0, (time - begin) * scale)
            words.append(f"{pen}{x:.1f} {HEIGHT - value / top * HEIGHT:.1f}")
            pen = "L"
        paths.append((tone, "".join(words)))
    return Drawing(f"{top:g}", tuple(paths))


def round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20 … that is not less."""
    if value <= 1:
        return 1.0
    power: float = 10 ** (ceil(log10(value)) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
