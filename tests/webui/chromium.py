"""Debian's Chromium without a window, driven over its own debugging protocol."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.stages.waiting import until

START_SECONDS = 30.0
CALL_SECONDS = 20.0
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def what_is_missing() -> str:
    return "" if shutil.which("chromium") else "Chromium is not installed (Debian: chromium)."


class ProtocolFault(Exception):
    """Chromium refused a command, or a script in the page failed."""


@dataclass
class Page:
    """One tab."""

    browser: "Chromium"
    session: str
    faults: list[str] = field(default_factory=list)

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        return await self.browser.call(method, parameters, session=self.session)

    async def open(self, url: str) -> None:
        """Goes to a page and waits until it is drawn."""
        await self.call("Page.navigate", url=url)
        await self.until(
            f"location.href === {json.dumps(url)} && document.readyState === 'complete'"
        )

    async def open_when_it_answers(self, url: str, *, within: float) -> None:
        """Goes to a page whose server may still be on its way."""

        async def answers() -> bool:
            return "errorText" not in await self.call("Page.navigate", url=url)

        await until(answers, within=within, what=f"an answer at {url}")
        await self.open(url)

    async def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        reply = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in reply:
            raise ProtocolFault(json.dumps(reply["exceptionDetails"])[:2000])
        return reply["result"].get("value")

    async def until(self, script: str, *, within: float = 10.0) -> None:
        """Waits until an expression in the page is true, as scripts understand it."""

        async def is_true() -> bool:
            try:
                return bool(await self.evaluate(f"!!({script})"))
            except ProtocolFault:
                return False  # the page is being replaced by another one

        await until(is_true, within=within, what=f"`{script}` in the page")

    async def look(self, *, width: int, height: int, dark: bool = False, scale: int = 1) -> None:
        """Takes a size, in CSS pixels, and a colour scheme."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = "dark" if dark else "light"
        await self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    async def screenshot(self, path: Path, *, whole: bool = False) -> None:
        reply = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(reply["data"]))


class Chromium:
    """The browser process and the one connection to it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}

    async def page(self) -> Page:
        """A new tab of its own, with no cookies and no cache of others."""
        context = await self.call("Target.createBrowserContext", {})
        target = await self.call(
            "Target.createTarget",
            {"url": "about:blank", "browserContextId": context["browserContextId"]},
        )
        attached = await self.call(
            "Target.attachToTarget", {"targetId": target["targetId"], "flatten": True}
        )
        page = Page(self, attached["sessionId"])
        self._pages[page.session] = page
        for domain in ("Page", "Runtime", "Log"):
            await page.call(f"{domain}.enable")
        return page

    async def call(
        self, method: str, parameters: dict[str, object], *, session: str = ""
    ) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        await self._socket.send_str(json.dumps(message))
        async with asyncio.timeout(CALL_SECONDS):
            answer = await reply
        if "error" in answer:
            raise ProtocolFault(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def listen(self) -> None:
        """Takes what the browser says, until the connection ends."""
        async for message in self._socket:
            said = json.loads(message.data)
            if waiting := self._waiting.pop(said.get("id", 0), None):
                if not waiting.done():
                    waiting.set_result(said)
            elif page := self._pages.get(said.get("sessionId", "")):
                _keep_fault(page, said)


def _keep_fault(page: Page, said: dict[str, Any]) -> None:
    """Remembers what the console would show in red: scripts that failed, policies broken."""
    if said["method"] == "Runtime.exceptionThrown":
        page.faults.append(json.dumps(said["params"]["exceptionDetails"])[:1000])
    elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
        entry = said["params"]["entry"]
        page.faults.append(f"{entry.get('source')}: {entry.get('text')} {entry.get('url', '')}")


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Chromium]:
    """Runs a browser with its profile in `folder`, and leaves no process behind."""
    profile = folder / "chromium"
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    process = subprocess.Popen(
        ["chromium", *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    try:
        said = profile / "DevToolsActivePort"
        await until(
            lambda: said.exists() and said.read_text().count("\n") == 1,
            within=START_SECONDS,
            what="the start of Chromium",
        )
        port, path = said.read_text().split()
        # Screenshots are large; the protocol has no limit of its own.
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"http://127.0.0.1:{port}{path}", max_msg_size=0) as socket,
            asyncio.TaskGroup() as tasks,
        ):
            browser = Chromium(socket)
            tasks.create_task(browser.listen())
            yield browser
            await socket.close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
