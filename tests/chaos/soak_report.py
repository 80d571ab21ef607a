"""What processes held for hours, as Markdown: how fast it grew, and of whom nothing is known."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.chaos.samples import JUDGED_S, SURE, WARM_UP, WHAT, Life
from tests.chaos.soak import Healed, Soak

_TITLE = """# What processes of the cluster hold, for hours and under faults

Made by `python -m tests.chaos soak --minutes 120 --report docs/reference/soak.md`.
"""
_READING = f"""Of each process what it held in the mean, and how much more after an hour: the slope of a line through the
means of twelve pieces of its life, without the first {WARM_UP * 100:.0f} % of it, with its {SURE} interval. *Flat* is what cannot be told from
0, or would come to less than 5 % in a day; the interval says how much may have grown unseen. Judged is who lived for
{JUDGED_S / 60:.0f} minutes or more of a part of the time; whom a fault kills again and again lives for less. A database's memory is
flat up to 1,400 MiB: it fills what it was given.
"""
_HEAD = (
    f"| process | life | {' | '.join(f'{each}; an hour' for each in WHAT)} | |\n"
    f"| --- | --: |{' --: |' * len(WHAT)} --- |"
)


def soak_report(done: Soak) -> str:
    """Everything that is known of it."""
    sections = [_TITLE, _begun(done), _READING]
    lives = done.lives
    for part in dict.fromkeys(each.part for each in lives):
        of_part = [each for each in lives if each.part == part]
        faults = [each for each in done.faults if each.part == part]
        sections.append(_part(part, of_part, faults))
    if unjudged := done.unjudged:
        sections.append(f"**Nothing is said of {', '.join(unjudged)}.**\n")
    sections += [f"```\n{each[:4000]}\n```\n" for each in done.violations]
    return "\n".join(sections)


def _begun(done: Soak) -> str:
    seen = f"{len(done.violations)} violations, {len(done.samples):,} samples"
    if (begun := done.begun) is None:
        return f"{done.minutes:.0f} minutes; {seen}.\n"
    return (
        f"{done.minutes:.0f} minutes from {begun.at} on, under load {begun.load} ({begun.units:,} units); "
        f"{seen}. Commit {begun.commit} (content {begun.content}), on one machine for everything: "
        f"{begun.machine}.\n"
    )


def _part(name: str, lives: Sequence[Life], faults: Sequence[Healed]) -> str:
    minutes = max((each.seconds for each in lives), default=0) / 60
    judged = [each for each in lives if each.is_judged]
    lines = [f"## {name.capitalize()}: {minutes:.0f} minutes\n", _faults(faults)]
    lines += [_HEAD, *map(_row, judged), ""] if judged else []
    lines += [_not_judged([each for each in lives if not each.is_judged])]
    return "\n".join(lines)


def _faults(faults: Iterable[Healed]) -> str:
    counts = Counter(each.fault for each in faults if not each.missed)
    put_in = ", ".join(f"{count} x {name}" for name, count in sorted(counts.items()))
    missed = [f"{each.fault}: {each.missed}" for each in faults if each.missed]
    return "\n".join([
        f"Faults, one after the other: {put_in or 'none'}.",
        *(f"- It did not strike, and was left out: {each}." for each in missed), "",
    ])  # fmt: skip


def _row(life: Life) -> str:
    cells = [
        f"{each.mean:.0f}; {each.per_hour:+.1f} ± {each.uncertain:.1f}" for each in life.slopes
    ]
    verdict = f"**grows: {', '.join(life.growing)}**" if life.growing else "flat"
    return f"| {life.service} | {life.seconds / 60:.0f} min | {' | '.join(cells)} | {verdict} |"


def _not_judged(lives: Iterable[Life]) -> str:
    by_service: dict[str, list[Life]] = {}
    for each in lives:
        by_service.setdefault(each.service, []).append(each)
    told = [
        f"{service} ({len(found)}, the longest of {max(each.seconds for each in found) / 60:.0f} min, "
        f"with {max(each.most[0] for each in found):.0f} MiB at most)"
        for service, found in by_service.items()
    ]
    return f"Lives that are not judged: {', '.join(told) or 'none'}.\n"
