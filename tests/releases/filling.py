"""Everything that a database can hold, put there by the programs of a release."""

import shlex
from functools import partial
from pathlib import Path

from tests.releases.release import Release
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

FACILITY = Path(__file__).resolve().parents[2] / "control_units" / "simulated" / "facility.yaml"
MORE = """\
policies:
- {id: guns, id_prefix: GUN/, requires_reason: true}
scripts:
- {id: degauss, language: CPP, content: "int main() { return 0; }", group: magnets}
execution_units:
- {id: ORBIT, host: agents/RING-HALL, implementation: orbit::Feedback}
variables:
- {id: shift, value: '"night"', labels: {of: people}}
"""
DRAFT_OF = "example::magnets::CorrectorPowerSupply"
DIPOLE = "RING/MAG/DIP/DIPRG01"
HOSTED = ("RING/MAGNETS", "DIAGNOSTICS/BPMS")
COMMANDS = f"""\
import facility {FACILITY} --reason "as it was drawn"
import facility MORE --reason "what else there is"
edit {DIPOLE} --set overrides[current].maximum=600 --yes --reason "new cooling"
edit {DIPOLE} --set overrides[current].maximum=610 --yes --reason "more of it"
undo last --yes --reason "too much"
copy {DIPOLE} RING/MAG/DIP/SPARE --reason "a spare one"
rename RING/MAG/DIP/SPARE RING/MAG/DIP/SPARE2
delete control_units/RING/MAG/DIP/SPARE2 --yes
template draft {DRAFT_OF}
template publish {DRAFT_OF} --reason "the same again"
template rebase {DRAFT_OF} --zone RING --yes
template draft example::rf::Modulator
unit-list create night-shift {DIPOLE} --description "look at 3 a.m."
unit-list create dipoles --filter 'template:Dipole*'
mode create RING SHUTDOWN BEAM
mode set RING BEAM --reason "users"
guard create vacuum --machine RING --in BEAM --forbid deletion --zone RING/VAC --reason "stored beam"
maintenance begin --zone GUN/RF --reason "new tube" --id gun-tube
campaign create cycle --target 9 --description "all magnets" --due 72h
webhook add logbook http://127.0.0.1:9/mds --kind control_unit
token create anna --role expert --expires never
token create magnets --role viewer --program --expires never
token revoke anna
""".splitlines()
LATER = f"""\
start --unit-server RING/MAGNETS --yes --wait --within 60 --campaign cycle
start --unit-server DIAGNOSTICS/BPMS --yes --wait --within 60
snapshot take evening {DIPOLE} --mark golden
stop {DIPOLE} --yes --wait --within 60
edit {DIPOLE} --set description=seen --yes
""".splitlines()
LAST = """\
start --unit-server DIAGNOSTICS/BPMS --yes --no-wait --even-so --with-recover
stop --unit-server DIAGNOSTICS/BPMS --yes --no-wait --even-so
stop --unit-server DIAGNOSTICS/CAMERAS --yes --no-wait --even-so --reason "no beam"
""".splitlines()


async def fill(release: Release, replica: Replica, folder: Path) -> None:
    """Runs a facility on a replica; ends it without a good-bye, with work under way."""
    environment = {
        "MDS_ADDRESS": replica.address,
        "MDS_PRINCIPAL": "operator@release",
        "XDG_STATE_HOME": str(folder),
    }
    more = folder / "more.yaml"
    more.write_text(MORE)

    def run(line: str) -> str:
        words = [str(more) if word == "MORE" else word for word in shlex.split(line)]
        return release.run(*words, environment=environment)

    def program(*arguments: str) -> Program:
        log = folder / f"{arguments[-1].replace('/', '-')}.log"
        return release.program(*arguments, log=log, environment=environment)

    for line in COMMANDS:
        run(line)
    servers = [program("simulate", id) for id in HOSTED]
    agent = program("agent", "run", "RING-HALL")
    stranger = program("simulate", "NOBODY/KNOWS")
    programs = [*servers, agent, stranger]
    try:
        for each in programs:
            each.start()
        for id in HOSTED:
            is_there = f"list cu --filter 'unit_server={id} contact=ALIVE' -o name"
            await until(partial(run, is_there), within=60, what=id)
        await until(lambda: "NOBODY/KNOWS" in run("adopt"), within=60, what="the stranger")
        for line in LATER:
            run(line)
        await until(lambda: run(f"values {DIPOLE}"), within=60, what="values")
        servers[1].kill()
        for line in LAST:
            run(line)
        replica.kill()
    finally:
        for each in programs:
            each.clear()
