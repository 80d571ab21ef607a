"""What the nursery does once, after its modules are loaded, instead of each program born there.

Nothing of a test: no setting is kept, and what the environment says is looked at again by each.
"""

import contextlib
import gc
from importlib.metadata import entry_points

from metadata_server.settings import BadSettings, load_settings

# Python finds out which of its types are of which kind, and remembers it: half of what a replica
# does before it serves.
with contextlib.suppress(BadSettings):
    load_settings()
for point in entry_points(group="mds.commands"):
    point.load()
# Else a program that collects its garbage looks through the modules too, and copies them by that.
gc.collect()
gc.freeze()
