"""`mds web`."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pydantic import ValidationError


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen at [MDS_WEB_PORT, 7402]."
)
def web(port: int | None) -> None:
    """Serve the overview page.

    Settings are environment variables: MDS_WEB_HOST (127.0.0.1), MDS_WEB_PORT (7402),
    MDS_WEB_BROWSERS (200), MDS_WEB_REQUESTS (400), MDS_WEB_LANGUAGE (en),
    MDS_ADDRESS (127.0.0.1:7400), MDS_LOG_LEVEL (info), MDS_LOG_FORMAT (json).
    """
    import asyncio

    from pydantic import ValidationError

    from control_units.client import BadToken
    from control_units.client.traces import open_traces
    from webui import logs
    from webui.assets import NotBuilt
    from webui.server import OpenToAll, PortTaken, serve
    from webui.settings import Settings

    try:
        settings = Settings() if port is None else Settings(web_port=port)
    except ValidationError as wrong:
        raise click.UsageError(_problems(wrong)) from wrong
    logs.configure(settings.log_level, settings.log_format)
    open_traces("mds-web")
    try:
        asyncio.run(serve(settings))
    except (PortTaken, OpenToAll, NotBuilt, BadToken) as failure:
        raise click.ClickException(str(failure)) from failure


def _problems(wrong: "ValidationError") -> str:
    """Each setting that cannot be, with its value and what would be right."""
    lines = []
    for error in wrong.errors(include_url=False):
        message = error["msg"].removeprefix("Value error, ")
        if error["loc"]:
            name = f"MDS_{error['loc'][0]}".upper()
            message = f"{name} is {error['input']!r}: {message[0].lower()}{message[1:]}."
        lines.append(message)
    return "\n".join(lines)
