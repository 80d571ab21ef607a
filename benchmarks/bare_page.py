"""What the libraries alone can do: an aiohttp handler of a jinja2 page with as many rows and cells
as a page of a list, compressed. In a process of its own; prints its port; ends with its input."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web
from jinja2 import DictLoader, Environment

ROWS = 100
PAGE = """<!doctype html>
<html lang="en"><head><title>{{ title }}</title></head><body><table>
{% for row in rows %}
<tr id="row:{{ row.id }}" data-name="{{ row.id }}">
{% for cell in row.cells %}<td class="why"><a class="id" href="/control_units/{{ cell }}">{{ cell }}</a></td>
{% endfor %}
</tr>
{% endfor %}
</table></body></html>
"""
CELLS = ("running", "control unit", "since 07:41:12", "HOLLOW_0001", "bench::Hollow", "ZONE1")


async def serve() -> None:
    """Serves until its input ends."""
    environment = Environment(loader=DictLoader({"page.html": PAGE}), autoescape=True)

    async def answer(_: web.Request) -> web.Response:
        rows = [
            {
                "id": (id := f"ZONE1/GROUP0001/UNIT{n:04}"),
                "cells": [f"{each} {id}" for each in CELLS],
            }
            for n in range(ROWS)
        ]
        text = environment.get_template("page.html").render(title="Bare", rows=rows)
        response = web.Response(text=text, content_type="text/html")
        response.enable_compression()
        return response

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
