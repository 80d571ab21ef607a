"""`mds run`: a whole facility on this machine, with simulated control units."""

import asyncio
import signal
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from control_units.local_facility.facility import LocalFacility

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.argument(
    "facility_file",
    required=False,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
def run(facility_file: Path | None) -> None:
    """Run a facility on this machine: server, page, and simulated control units.

    FACILITY_FILE is an export of `mds export`, or a !CHAOS configuration (JSON). Without it,
    the example facility is run. Each file has a database of its own in your data folder,
    unless MDS_DATABASE_URL names another one; ports are set with MDS_GRPC_PORT,
    MDS_HTTP_PORT and MDS_WEB_PORT. Ctrl-C ends everything.

    \b
      mds run
      mds run my-facility.yaml
    """
    from control_units.local_facility.facility import Failed, LocalFacility
    from control_units.local_facility.folder import Folder, RunsAlready
    from control_units.local_facility.ports import PortInvalid, Ports, PortTaken
    from control_units.local_facility.screen import Screen

    screen = Screen()
    file = facility_file or example_facility()
    try:
        ports = Ports.of()
        folder = Folder.of(file)
        with folder.taken(ports.page):
            ports.check_free()
            screen.say(f"{file.name}, kept in {folder.path}")
            asyncio.run(run_until_told(LocalFacility(file, folder, ports, screen)))
    except RunsAlready as other:
        raise click.ClickException(
            f"{file.name} runs already in process {other.pid}; its page is {other.page}. "
            f"To end it: kill {other.pid}"
        ) from None
    except (PortInvalid, PortTaken, Failed) as failure:
        raise click.ClickException(str(failure)) from None


async def run_until_told(facility: "LocalFacility") -> None:
    """Returns when a signal has told it to end and everything has."""
    task = asyncio.create_task(facility.run())
    loop = asyncio.get_running_loop()
    for number in ENDING:
        # The second one finds it waiting for programs to end, and ends them at once.
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


def example_facility() -> Path:
    """The facility that ships with the project."""
    file = resources.files("control_units.simulated") / "facility.yaml"
    return Path(str(file))
