"""TLS on the way to the database: as the URL says, with one context for all connections."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import which

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from typing_extensions import override

from metadata_server.store.database import Database, open_database
from tests.stages.mariadb import MariaDB, what_is_missing
from tests.stages.requirements import needs


class MariaDBWithTls(MariaDB):
    """One that shows a certificate, which nobody has signed but itself."""

    @override
    def _command(self) -> list[str]:
        named = [f"--ssl-{each}={self.folder / each}.pem" for each in ("cert", "key")]
        return [*super()._command(), *named]

    def certify(self) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip


@pytest.fixture(scope="module")
def with_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDBWithTls]:
    needs(what_is_missing() or ("" if which("openssl") else "openssl is not installed."))
    server = MariaDBWithTls(tmp_path_factory.mktemp("tls"))
    try:
        server.certify()
        server.install()
        yield server
    finally:
        server.clear()


@pytest.fixture(scope="module")
def url(with_tls: MariaDBWithTls) -> str:
    """Of a database; nothing is said of TLS."""
    return with_tls.url(with_tls.create_database()).partition("?")[0]


def ciphers(database: Database) -> list[str]:
    """Of several connections, of all engines; empty: what is said can be read on the way."""
    found = []
    with ExitStack() as held:
        held.callback(database.dispose)
        for engine in (database.writing, database.writing, database.reading, database.glancing):
            connection = held.enter_context(engine.connect())
            row = connection.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one()
            found.append(row[1])
        contexts = {id(each) for each in contexts_of(database)}
        assert len(contexts) <= 1, "each connection has read all certificates of the system"
    return found


def contexts_of(database: Database) -> list[object]:
    fairies = [each.raw_connection() for each in (database.writing, database.reading)]
    found = [getattr(each.driver_connection, "ctx", None) for each in fairies]
    for each in fairies:
        each.close()
    return [each for each in found if each is not None]


def test_a_database_that_offers_tls_is_spoken_to_with_it(url: str) -> None:
    assert all(ciphers(open_database(url)))


def test_it_is_not_where_the_url_says_so(url: str) -> None:
    assert not any(ciphers(open_database(f"{url}?ssl_disabled=true")))


def test_a_certificate_that_the_url_names_is_looked_at(url: str, with_tls: MariaDBWithTls) -> None:
    own = with_tls.folder / "cert.pem"
    assert all(ciphers(open_database(f"{url}?ssl_ca={own}")))


def test_a_database_whose_certificate_is_another_one_is_not_spoken_to(
    url: str, tmp_path: Path, with_tls: MariaDBWithTls
) -> None:
    other = MariaDBWithTls(tmp_path)
    other.certify()
    other.clear()
    with pytest.raises(OperationalError, match="certificate"):
        ciphers(open_database(f"{url}?ssl_ca={tmp_path / 'cert.pem'}"))


def test_one_without_tls_is_spoken_to_unless_the_url_asks_for_it(
    mariadb: MariaDB, tmp_path: Path, with_tls: MariaDBWithTls
) -> None:
    plain = mariadb.url(mariadb.create_database()).partition("?")[0]
    assert not any(ciphers(open_database(plain)))
    with pytest.raises(OperationalError, match="SSL is required"):
        ciphers(open_database(f"{plain}?ssl_ca={with_tls.folder / 'cert.pem'}"))
