"""What a person sees of a local facility while it comes up and runs."""

import sys
import time

import click


class Screen:
    """Lines on standard output, each with the seconds since the command began.

    On a terminal the last line may be a passing one, which the next one replaces; elsewhere
    passing lines are left out.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._passing = False
        self._lives = sys.stdout.isatty()

    def say(self, text: str) -> None:
        self._clear()
        click.echo(f"{self._seconds()}  {text}")

    def note(self, text: str) -> None:
        """Lines that belong to what was said before."""
        self._clear()
        for line in text.splitlines():
            click.echo(f"         {line}")

    def passing(self, text: str) -> None:
        if self._lives:
            click.echo(f"\r\x1b[K{self._seconds()}  {text}", nl=False)
            self._passing = True

    def _clear(self) -> None:
        if self._passing:
            click.echo("\r\x1b[K", nl=False)
            self._passing = False

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began:5.1f} s"
