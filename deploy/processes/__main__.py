"""`make cluster`: the services of docker-compose.yml as processes, until Ctrl-C.

Their data and logs are in a folder of their own, which is removed at the end; `--keep` keeps it.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import click

from deploy.processes.cluster import Cluster
from deploy.processes.container_process import Failed
from deploy.processes.images import LEFT_OUT, what_is_missing
from deploy.processes.topology import Service, read_topology


@click.command(help=__doc__)
@click.option("--keep", metavar="FOLDER", type=Path, help="Keep data and logs here.")
@click.option("--without", metavar="SERVICE", multiple=True, help="Leave it out.")
def main(keep: Path | None, without: tuple[str, ...]) -> None:
    described = read_topology(variables=os.environ)
    if left_out := [each.name for each in described if each.image in LEFT_OUT]:
        click.echo(f"Left out, as Debian has no package of it: {', '.join(left_out)}.")
    services = [each for each in described
                if each.image not in LEFT_OUT and each.name not in without]  # fmt: skip
    if missing := what_is_missing(services):
        click.echo(f"The cluster cannot run here: {missing}.", err=True)
        sys.exit(1)
    folder = keep or Path(tempfile.mkdtemp(prefix="mds-cluster-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the database runs as nobody
    try:
        sys.exit(asyncio.run(run(services, folder)))
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


async def run(services: list[Service], folder: Path) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    cluster = Cluster(services, folder)
    begun, code = time.monotonic(), 0
    coming = asyncio.create_task(cluster.up())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([coming, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            return code
        coming.result()
        front = cluster.address("haproxy")
        click.echo(f"Up after {time.monotonic() - begun:.0f} s. Logs: {folder}")
        click.echo(f"  page    http://{front}:7402")
        click.echo(f"  mds     MDS_ADDRESS={front}:7400 mds top")
        click.echo(f"  REST    http://{front}:7401/v1/overview")
        click.echo(f"  who serves  http://{front}:8404")
        click.echo("Ctrl-C ends everything.")
        await stopping
    except* Failed as failures:
        for failure in failures.exceptions:
            click.echo(failure, err=True)
        code = 1
    finally:
        coming.cancel()
        await asyncio.wait([coming])
        await cluster.down()
    return code


if __name__ == "__main__":
    main()
