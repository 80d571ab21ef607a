"""What the nursery does once, after its modules are loaded, instead of each program born there.

Nothing of a test: no setting is kept, and what the environment says is looked at again by each.
"""

import contextlib
import gc
from functools import cache
from importlib import metadata

from control_units import cli
from metadata_server.settings import BadSettings, load_settings

# Python finds out which of its types are of which kind, and remembers it: half of what a replica
# does before it serves.
with contextlib.suppress(BadSettings):
    load_settings()
# To look through all that is installed is half of what a command does before it asks a server, and
# nobody installs anything meanwhile.
cli.entry_points = cache(metadata.entry_points)  # type: ignore[attr-defined, assignment]
for point in cli.entry_points(group=cli.COMMANDS):  # type: ignore[attr-defined]
    point.load()
# Else a program that collects its garbage looks through the modules too, and copies them by that.
gc.collect()
gc.freeze()
