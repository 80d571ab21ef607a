"""Connections to MariaDB and MySQL, which share one TLS context, begin with all that is acknowledged,
and send no more than is taken.

PyMySQL makes a context for each connection, for which OpenSSL reads all certificates of the system:
30 ms of processor time, also where the database has no TLS. After a fail-over all connections of
a replica are made anew, while everybody waits for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymysql.connections import Connection
from pymysql.err import Error, OperationalError
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry
from typing_extensions import override

PYMYSQL, TLS = "pymysql", "ssl"
UNKNOWN_VARIABLE, NOT_READY = 1193, 1047
STATEMENT_TOO_LARGE = 1153
ALWAYS_TAKEN_BYTES = 64 * 1024
"""Of a statement; no database that anybody runs takes less."""


class MeasuringConnection(Connection):
    """Refuses a statement that the database would not take.

    The database closes a connection by which it is sent too much. Whether its reason arrives before
    the connection is seen to be closed is luck; then the database would count as away.
    """

    _most_bytes: int | None = None

    @override
    def query(self, sql: str | bytes, unbuffered: bool = False) -> int:
        # What some versions of the driver make of bytes are no characters; they have to pass.
        text = sql.encode(self.encoding, "surrogateescape") if isinstance(sql, str) else sql
        if len(text) > ALWAYS_TAKEN_BYTES and len(text) > self._most_bytes_of_statement():
            raise OperationalError(STATEMENT_TOO_LARGE, f"A statement of {len(text):,} bytes")
        return super().query(text, unbuffered)

    def _most_bytes_of_statement(self) -> int:
        """It stays what it was when the connection was made."""
        if self._most_bytes is None:
            with self.cursor() as cursor:
                cursor.execute("SELECT @@max_allowed_packet")
                ((packet_bytes,),) = cursor.fetchall()
            # A packet has the kind of its command, one byte, and has to be shorter than that.
            self._most_bytes = int(packet_bytes) - 2
        return self._most_bytes


def look_after_connections(*engines: Engine) -> None:
    """Of one database."""
    share_tls_context(*engines)
    begin_with_all(*engines)
    drop_refused_connections(*engines)


def share_tls_context(*engines: Engine) -> None:
    """Has all connections of engines use the context that the first of them makes, as the URL
    says; where it says nothing, a database that offers TLS is spoken to with it, unverified."""
    if engines[0].dialect.driver != PYMYSQL:
        return
    models: list[MeasuringConnection] = []

    def connect(_: object, __: object, ___: object, arguments: Mapping[str, Any]) -> Any:
        if not models:
            models.append(MeasuringConnection(**arguments, defer_connect=True))
        return connected(models[0], arguments)

    for engine in engines:
        event.listen(engine, "do_connect", connect)


def connected(model: MeasuringConnection, arguments: Mapping[str, Any]) -> MeasuringConnection:
    """A connection with the context of another one, which has never been opened."""
    others = {name: value for name, value in arguments.items() if not name.startswith(TLS)}
    is_asked_for = others.keys() != arguments.keys()
    if model.ssl and is_asked_for:
        return MeasuringConnection(**others, ssl=model.ctx)  # type: ignore[attr-defined]
    connection = MeasuringConnection(**others, ssl_disabled=True, defer_connect=True)
    if model.ssl:
        connection.ssl, connection.ctx = True, model.ctx  # type: ignore[attr-defined]
    connection.connect()
    return connection


def begin_with_all(*engines: Engine) -> None:
    """Has each new connection to a node of Galera wait until the node has all that the cluster has
    acknowledged.

    One that stood still, or has lost the others, tells what is long past until it hears of that; one
    that takes over may be applying yet what another one has acknowledged.
    """
    if engines[0].dialect.driver != PYMYSQL:
        return

    def wait(connection: Connection, _: ConnectionPoolEntry) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION wsrep_sync_wait = 1")
                cursor.execute("SELECT 1")
                cursor.execute("SET SESSION wsrep_sync_wait = DEFAULT")
        except Error as error:
            if error.args[0] == UNKNOWN_VARIABLE:  # of MySQL
                return
            raise OperationalError(NOT_READY, f"The node is behind: {error}") from error

    for engine in engines:
        event.listen(engine, "connect", wait)


def drop_refused_connections(*engines: Engine) -> None:
    """Keeps a connection out of its pool that the database closed for what it was sent."""

    def look_at(context: ExceptionContext) -> None:
        error = context.original_exception
        if error.args and error.args[0] == STATEMENT_TOO_LARGE:
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False  # the others are well

    for engine in engines:
        event.listen(engine, "handle_error", look_at)
