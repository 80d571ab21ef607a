"""Files of output that stay small while a program holds them open."""

from pathlib import Path

from control_units.agent.log_file import LogFile


def test_a_file_that_grew_large_is_cut_under_the_program_that_writes_it(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "PS.log", largest_bytes=10, kept_files=2)
    with log.open() as output:
        for text in (b"one one one\n", b"two two two\n", b"three three\n", b"four\n"):
            output.write(text)
            output.flush()
            log.keep_small()
    assert log.path.read_text() == "four\n"
    assert log.part(1).read_text() == "three three\n"
    assert log.part(2).read_text() == "two two two\n"
    assert not log.part(3).exists()


def test_the_last_lines_reach_back_over_a_cut(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "PS.log", largest_bytes=8)
    with log.open() as output:
        output.write(b"one\ntwo\n")
        output.flush()
        log.keep_small()
        output.write(b"three\n")
    assert log.last_lines(2) == ["two", "three"]


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert LogFile(tmp_path / "PS.log").last_lines(5) == []


def test_news_are_told_once(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "PS.log")
    with log.open() as output:
        output.write(b"one\n")
        output.flush()
        assert log.news() == b"one\n"
        assert log.news() == b""
        output.write(b"two\n")
    assert log.news() == b"two\n"
