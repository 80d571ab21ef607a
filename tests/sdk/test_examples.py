"""The tutorial's unit, as the tutorial shows it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from control_units import ControlUnit, OutOfRange

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "thermometer.py"


@pytest.fixture
def thermometer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("thermometer", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_takes_less_than_forty_lines() -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 40


def test_the_tutorial_shows_it_word_for_word() -> None:
    assert EXAMPLE.read_text() in (ROOT / "docs" / "tutorial" / "README.md").read_text()


async def test_it_heats_until_its_target(thermometer: ModuleType) -> None:
    unit: ControlUnit = thermometer.Thermometer("T")
    for hook in (unit.on_init, *[unit.on_cycle] * 30):
        outcome = hook()
        assert outcome is not None
        await outcome
    assert unit.read("temperature") == pytest.approx(25.0, abs=1.0)
    with pytest.raises(OutOfRange):
        await unit.set("target", 81)
