"""How far a server is with something that takes a while."""

import contextlib
import sys
from collections.abc import Iterator

from mds.v1.bundle_pb2 import ApplyProgress

from control_units.importers.apply import Progress


@contextlib.contextmanager
def progress_bar(count: int | None) -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere.

    Args:
        count: of the items; None: not known.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("sending", total=count)

        def show(word: ApplyProgress) -> None:
            steps = (("writing", word.written), ("checking", word.checked))
            reached = next((step for step in steps if step[1]), ("sending", word.received))
            bar.update(task, description=reached[0], completed=reached[1])

        yield show
