"""Connections to MariaDB and MySQL, which share one TLS context.

PyMySQL makes a context for each connection, for which OpenSSL reads all certificates of the system:
30 ms of processor time, also where the database has no TLS. After a fail-over all connections of
a replica are made anew, while everybody waits for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymysql.connections import Connection
from sqlalchemy import Engine, event

PYMYSQL, TLS = "pymysql", "ssl"


def share_tls_context(*engines: Engine) -> None:
    """Has all connections of engines use the context that the first of them makes, as the URL
    says; where it says nothing, a database that offers TLS is spoken to with it, unverified."""
    if engines[0].dialect.driver != PYMYSQL:
        return
    models: list[Connection[Any]] = []

    def connect(_: object, __: object, ___: object, arguments: Mapping[str, Any]) -> Any:
        if not models:
            models.append(Connection(**arguments, defer_connect=True))
        return connected(models[0], arguments)

    for engine in engines:
        event.listen(engine, "do_connect", connect)


def connected(model: Connection[Any], arguments: Mapping[str, Any]) -> Connection[Any]:
    """A connection with the context of another one, which has never been opened."""
    others = {name: value for name, value in arguments.items() if not name.startswith(TLS)}
    is_asked_for = others.keys() != arguments.keys()
    if model.ssl and is_asked_for:
        return Connection(**others, ssl=model.ctx)  # type: ignore[attr-defined]
    connection = Connection(**others, ssl_disabled=True, defer_connect=True)
    if model.ssl:
        connection.ssl, connection.ctx = True, model.ctx  # type: ignore[attr-defined]
    connection.connect()
    return connection
