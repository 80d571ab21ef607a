"""A unit server that registers, run as a program: `unit_server_program.py ID`."""

import sys

from control_units import ControlUnit, run


class Nothing(ControlUnit):
    """A device that is none."""


if __name__ == "__main__":
    run(Nothing, unit_server=sys.argv[1])
