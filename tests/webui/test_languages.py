"""The pages in another language than English, and what is said of one that there is not."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite
from webui import translation, vocabulary
from webui.commands import web
from webui.translation import ENGLISH, NoSuchLanguage, languages, ngettext, speak

STATES = {mark.english for value, mark in vocabulary.STATE.items() if value}


def said(language: str, *texts: str) -> list[str]:
    speak(language)
    words = [translation._(text) for text in texts]
    speak(ENGLISH)
    return words


def test_there_are_german_and_italian_beside_english() -> None:
    assert languages() == ("en", "de", "it")


def test_a_language_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(NoSuchLanguage, match="there are: en, de, it"):
        speak("tlh")
    result = CliRunner().invoke(web, env={"MDS_WEB_LANGUAGE": "tlh"})
    assert result.exit_code == 2
    assert "MDS_WEB_LANGUAGE is 'tlh'" in result.output
    assert "en, de, it" in result.output


@pytest.mark.parametrize("language", ["de", "it"])
def test_states_keep_the_names_that_people_type_into_filters(language: str) -> None:
    names = sorted(STATES)
    assert said(language, *names) == names
    assert said(language, "Unit servers", "Changes") != ["Unit servers", "Changes"]


def test_what_is_counted_has_its_plural_forms() -> None:
    speak("de")
    forms = [
        ngettext("%(number)s control unit", "%(number)s control units", number) % {"number": number}
        for number in (0, 1, 2)
    ]
    speak(ENGLISH)
    assert forms == ["0 Steuereinheiten", "1 Steuereinheit", "2 Steuereinheiten"]


async def test_a_page_says_which_language_it_speaks(open_site: OpenSite) -> None:
    speak("it")
    site = await open_site()
    speak(ENGLISH)
    page = await site.text("/keys")
    assert '<html lang="it"' in page
    assert "Vai al contenuto" in page
    assert "Skip to content" not in page


async def test_the_program_speaks_the_language_of_its_setting(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "MDS_WEB_PORT": str(port),
        "MDS_WEB_LANGUAGE": "it",
        "MDS_ADDRESS": f"127.0.0.1:{free_port()}",
    }
    program = Program.mds("web", log=tmp_path / "web.log", environment=environment)
    program.start()
    try:
        await until(lambda: "listening" in program.output(), within=20, what="the page to listen")
        async with (
            asyncio.timeout(20),
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}/") as reply,
        ):
            page = await reply.text()
    finally:
        await program.terminate(within=5)
        program.clear()
    # Drawn by the task that follows the server, and shown by one that answers a browser.
    assert "Ancora nessuna risposta dal server dei metadati" in page
    assert '<html lang="it"' in page
