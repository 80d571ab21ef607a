"""What was shown of units that are to be moved to another version, and whether it is so still."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

from mds.v1.bundle_pb2 import Problem
from mds.v1.edit_pb2 import UnitRebase

from webui.names import id_of
from webui.translation import _

# Units that are named where it is not.
MOST_NAMED = 5
# Characters of a digest: a form has five hundred.
LENGTH = 24


def seen_of(unit: UnitRebase, problems: Sequence[Problem]) -> str:
    """Tells what it means for a unit from anything else. Whether it runs moves all the time."""
    means = UnitRebase()
    means.CopyFrom(unit)
    means.ClearField("is_running")
    texts = [means, *problems]
    return _digest(each.SerializeToString(deterministic=True) for each in texts)


def seen_of_all(names: Collection[str], seen: Mapping[str, str]) -> str:
    """The same for many together: of these nothing else was shown."""
    return _digest(seen.get(name, "").encode() for name in sorted(names))


def others_than_seen(
    names: Sequence[str], now: Mapping[str, str], seen: Mapping[str, str], rest_seen: str
) -> str:
    """Units for which it is not what was shown, in words; empty: it is, for all of them.

    Args:
        names: of those that are to be moved.
        now: what it means for each.
        seen: what was shown of those that were listed.
        rest_seen: what was known of the others.
    """
    others = [id_of(name) for name in names if name in seen and now.get(name) != seen[name]]
    words = others[:MOST_NAMED]
    if len(others) > MOST_NAMED:
        words.append(_("others"))
    rest = [name for name in names if name not in seen]
    if rest and seen_of_all(rest, now) != rest_seen:
        words.append(_("those that are not listed"))
    return ", ".join(words)


def _digest(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8))
        found.update(part)
    return found.hexdigest()[:LENGTH]
