"""What an agent reports of each unit server, as messages."""

import time
from collections.abc import Mapping
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from mds.v1.agent_report_pb2 import ProcessReport, ProcessState

from control_units.agent.standing import Standing
from control_units.agent.usage import Usage, usages

LOAD_S = 1.0
"""Reports follow each other closely at times, and the kernel counts in hundredths of a second."""


class ProcessReports:
    """Makes the reports, one after the other."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[float, float]] = {}

    def of(self, standings: Mapping[str, Standing]) -> list[ProcessReport]:
        """One for each unit server.

        Args:
            standings: by id.
        """
        used = usages({each.pid for each in standings.values()} - {0})
        now = time.monotonic()
        loads = {pid: self._load(pid, usage.cpu_s, now) for pid, usage in used.items()}
        self._before = {pid: self._before[pid] for pid in used}
        return [
            report_of(id, each, used.get(each.pid, Usage()), loads.get(each.pid, 0.0), now=now)
            for id, each in standings.items()
        ]

    def _load(self, pid: int, cpu_s: float, now: float) -> float:
        """Processors kept busy since a report of some time ago; less where a part of it has
        ended."""
        cpu_before_s, before = self._before.setdefault(pid, (cpu_s, now))
        if now - before >= LOAD_S:
            self._before[pid] = (cpu_s, now)
        return max(0.0, cpu_s - cpu_before_s) / (now - before) if now > before else 0.0


def report_of(
    id: str, standing: Standing, usage: Usage, load: float, *, now: float
) -> ProcessReport:
    """
    Args:
        now: in s, of the clock that never goes back.
    """
    report = ProcessReport(
        unit_server=f"unit_servers/{id}",
        state=ProcessState.Value(f"PROCESS_STATE_{standing.state}"),
        message=standing.fault,
        pid=standing.pid,
        restarts=standing.restarts,
        exit_status=standing.exit_status,
        cpu_time=duration(usage.cpu_s),
        cpu_load=load,
        memory_bytes=usage.memory_bytes,
        last_line=standing.last_line,
        reached_restart_count=standing.reached_restart_count,
    )
    if standing.started is not None:
        report.age.CopyFrom(duration(now - standing.started))
    if standing.next_try is not None:
        report.next_try_in.CopyFrom(duration(max(0.0, standing.next_try - now)))
    return report


def duration(seconds: float) -> Duration:
    found = Duration()
    found.FromTimedelta(timedelta(seconds=seconds))
    return found
