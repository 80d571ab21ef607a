"""What the build fetches from npm: by lockfile, once, and never by hand."""

import json
from pathlib import Path

import pytest
import web_assets

ROOT = Path(__file__).resolve().parents[2]


def test_the_lockfile_names_hashes_and_no_registry() -> None:
    text = (ROOT / "webui" / "package-lock.json").read_text()
    assert "http" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in each for name, each in packages.items() if name)


def test_each_file_that_is_served_comes_with_its_licence() -> None:
    served = {name for name in web_assets.FILES if name.endswith((".js", ".css"))}
    assert {f"{name.partition('.')[0]}.LICENSE.txt" for name in served} <= set(web_assets.FILES)
    assert all((web_assets.VENDOR / name).stat().st_size > 0 for name in web_assets.FILES)


def test_none_of_it_is_in_the_repository_and_all_of_it_in_the_wheel() -> None:
    assert "webui/static/vendor/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "static/vendor/*" in (ROOT / "setup.cfg").read_text()


def test_nothing_is_fetched_when_all_is_as_the_lockfile_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Without a path there is no npm: whatever it would fetch would fail.
    monkeypatch.setenv("PATH", "")
    assert not web_assets.has_node()
    assert web_assets.is_current()
    web_assets.fetch()


def test_another_lockfile_makes_what_is_there_old(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in web_assets.DECLARED:
        (tmp_path / name).write_bytes((web_assets.WEBUI / name).read_bytes())
    monkeypatch.setattr(web_assets, "WEBUI", tmp_path)
    assert web_assets.is_current()
    (tmp_path / "package-lock.json").write_text("{}")
    assert not web_assets.is_current()
