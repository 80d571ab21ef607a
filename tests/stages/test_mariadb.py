"""The MariaDB stage can be used, broken and mended."""

import pymysql
import pytest

from tests.stages.layout import MariaDBLayout
from tests.stages.mariadb import PASSWORD, USER, MariaDB, name_in


def connect(mariadb: MariaDB, database: str, *, patience_s: float = 5) -> pymysql.Connection:
    return pymysql.connect(
        host="127.0.0.1",
        port=mariadb.port,
        user=USER,
        password=PASSWORD,
        database=database,
        connect_timeout=5,
        read_timeout=patience_s,
    )


def test_each_database_is_new_and_empty(mariadb: MariaDB) -> None:
    first, second = mariadb.create_database(), mariadb.create_database()
    mariadb.execute(f"CREATE TABLE {first}.t (id INT)")

    assert mariadb.execute(f"SHOW TABLES FROM {second}") == ()
    mariadb.drop_database(first)
    mariadb.drop_database(second)


def test_a_database_that_was_used_is_as_new_for_the_next_test(
    mariadb: MariaDB, mariadb_layout: MariaDBLayout
) -> None:
    def content(name: str) -> dict[str, object]:
        tables = [table for (table,) in mariadb.execute(f"SHOW TABLES FROM {name}")]
        return {str(each): mariadb.execute(f"SELECT * FROM {name}.{each}") for each in tables}

    name = mariadb_layout.take()
    first = content(name)
    mariadb.execute(
        f"UPDATE {name}.revision SET value = 7",
        f"DELETE FROM {name}.compatibility",
        f"INSERT INTO {name}.dataset VALUES ('of a test', '[]', 1)",
    )
    mariadb_layout.give_back(name)
    assert mariadb_layout.take() == name
    second = content(name)
    mariadb_layout.give_back(name)
    assert second.pop("revision") != first.pop("revision"), "a store of its own"
    assert second == first


def test_a_database_in_use_can_be_dropped(mariadb: MariaDB) -> None:
    name = mariadb.create_database()
    mariadb.execute(f"CREATE TABLE {name}.t (id INT)")
    with connect(mariadb, name) as user, user.cursor() as cursor:
        cursor.execute("SELECT * FROM t FOR UPDATE")

        mariadb.drop_database(name)

    assert (name,) not in mariadb.execute("SHOW DATABASES")


def test_what_was_acknowledged_survives_a_kill(mariadb: MariaDB, mariadb_database: str) -> None:
    name = name_in(mariadb_database)
    with connect(mariadb, name) as user, user.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO t VALUES (7)")
        user.commit()

    mariadb.restart()

    assert mariadb.execute(f"SELECT id FROM {name}.t") == ((7,),)


def test_a_paused_server_answers_nobody_until_it_is_resumed(
    mariadb: MariaDB, mariadb_database: str
) -> None:
    name = name_in(mariadb_database)
    with connect(mariadb, name, patience_s=0.3) as user, user.cursor() as cursor:
        mariadb.pause()
        with pytest.raises(pymysql.err.OperationalError):
            cursor.execute("SELECT 1")
    mariadb.resume()
    assert mariadb.execute("SELECT 1") == ((1,),)
