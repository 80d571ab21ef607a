"""`python -m benchmarks [NAME…]`: measures, and prints tables. Without a name, everything."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from benchmarks.as_of import as_of, as_of_mariadb
from benchmarks.audit import audit
from benchmarks.backup import backup
from benchmarks.boot_storm import boot_storm
from benchmarks.cluster import cluster
from benchmarks.effective_configuration import effective_configuration
from benchmarks.exports import exports
from benchmarks.filter import filter
from benchmarks.history import history
from benchmarks.history_size import history_size
from benchmarks.idle_facility import idle_facility
from benchmarks.idle_operations import idle_operations
from benchmarks.lists import lists
from benchmarks.open_streams import open_streams
from benchmarks.operation_list import operation_list
from benchmarks.overview import overview
from benchmarks.plan_and_apply import plan_and_apply
from benchmarks.pressure import pressure
from benchmarks.reads import reads
from benchmarks.rebase import rebase
from benchmarks.stage import stage
from benchmarks.start_operation import start_operation
from benchmarks.tokens import tokens
from benchmarks.watch_fan_out import watch_fan_out
from benchmarks.watch_latency import watch_latency
from benchmarks.web_browsers import web_browsers
from benchmarks.web_lists import web_lists
from benchmarks.web_pages import web_pages
from benchmarks.write_cost import write_cost

BENCHMARKS = {
    "boot_storm": boot_storm,
    "idle_facility": idle_facility,
    "effective_configuration": effective_configuration,
    "watch_latency": watch_latency,
    "watch_fan_out": watch_fan_out,
    "overview": overview,
    "rebase": rebase,
    "reads": reads,
    "tokens": tokens,
    "lists": lists,
    "web_lists": web_lists,
    "web_pages": web_pages,
    "web_browsers": web_browsers,
    "exports": exports,
    "open_streams": open_streams,
    "as_of": as_of,
    "as_of_mariadb": as_of_mariadb,
    "write_cost": write_cost,
    "pressure": pressure,
    "plan_and_apply": plan_and_apply,
    "filter": filter,
    "history": history,
    "history_size": history_size,
    "backup": backup,
    "audit": audit,
    "start_operation": start_operation,
    "operation_list": operation_list,
    "idle_operations": idle_operations,
    "cluster": cluster,
}


async def run(names: Sequence[str]) -> None:
    async with stage() as opened:
        for name in names:
            await BENCHMARKS[name](opened)
            print()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS)
    )
    asyncio.run(run(parser.parse_args().names or list(BENCHMARKS)))


if __name__ == "__main__":
    main()
