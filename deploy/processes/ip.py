"""The program `ip`: interfaces, addresses, namespaces. Only root may change them."""

import subprocess


def ip(*commands: str, inside: str = "") -> str:
    """What the commands print.

    Args:
        inside: a network namespace; empty: this machine's own.

    Raises:
        subprocess.CalledProcessError: one failed, and those after it were not run.
    """
    where = ["-netns", inside] if inside else []
    return "".join(
        subprocess.run(
            ["ip", *where, *command.split()],
            check=True, capture_output=True, text=True, timeout=20,
        ).stdout
        for command in commands
    )  # fmt: skip
