"""A replica serves the document and its page, and takes the document's examples."""

from pathlib import Path
from typing import Any

from metadata_server.domain.names import DECLARED
from tests.openapi.conftest import DOCUMENT
from tests.openapi.test_document import validator
from tests.rest.conftest import Http
from tests.stages.replica import Replica
from tests.stages.requirements import needs
from tests.webui.browsers import Pages, chromium, until_true, what_is_missing


async def test_the_document_is_served_compressed_and_kept(http: Http) -> None:
    plain = await http("GET", "/openapi.json", Accept_Encoding="identity")
    assert plain.body == DOCUMENT.read_bytes()
    assert plain.headers["Content-Type"] == "application/json"
    packed = await http("HEAD", "/openapi.json", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.body) / 5
    again = await http("GET", "/openapi.json", If_None_Match=plain.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


async def test_all_examples_are_accepted_each_after_what_it_refers_to(
    http: Http, document: Any
) -> None:
    for kind in DECLARED:
        path = f"/v1/{kind.collection}"
        operation = document["paths"][path]["post"]
        content = operation["requestBody"]["content"]["application/json"]
        made = await http("POST", path, content["example"])
        assert made.status == 201, (path, made.body)
        (schema,) = operation["responses"]["201"]["content"].values()
        faults = list(validator(document, schema["schema"]).iter_errors(made.json))
        assert not faults, (path, faults[0].message)


async def test_the_page_asks_nobody_but_its_server(
    lasting_replica: Replica, tmp_path: Path
) -> None:
    needs(what_is_missing())
    async with chromium(tmp_path) as browser:
        pages = Pages(browser)
        page = await pages.new()
        await page.goto(f"{lasting_replica.http}/docs")
        tags = "document.querySelectorAll('.opblock-tag').length"
        await until_true(page, f"{tags} > 20", within=60)
        loaded = "performance.getEntriesByType('resource').map((each) => each.name)"
        assert all(each.startswith(lasting_replica.http) for each in await page.evaluate(loaded))
        assert not pages.faults
