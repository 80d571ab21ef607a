"""The alerts: rules that Prometheus takes, that speak when they should, each with a page."""

import inspect
import json
import re
import shutil
import subprocess
from pathlib import Path

import aiohttp
import pytest
import yaml

from metadata_server.api.admission_figures import CLIENT_CAUSES, TURN_CAUSES
from metadata_server.services import admission
from metadata_server.store import turns
from tests.stages.replica import Replica
from tests.stages.requirements import needs

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "mds.json"
FIGURES = ROOT / "docs" / "reference" / "figures.md"
UNPACKED = ROOT / ".cache" / "debian" / "usr" / "bin"
CASES = RULES.with_name("alerts_test.yml")
RECORDED_OR_ALERTS = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RECORDED_OR_ALERTS if "alert" in rule]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_each_alert_has_a_page_that_says_what_to_do(alert: dict[str, dict[str, str]]) -> None:
    page = (ROOT / alert["annotations"]["runbook"]).read_text()
    assert page.startswith(f"# {alert['alert']}\n")
    assert "\n## Look\n" in page
    assert "\n## Do\n" in page
    listed = (ROOT / "docs" / "runbooks" / "README.md").read_text()
    assert f"[{alert['alert']}]({alert['alert']}.md) | {alert['labels']['severity']} |" in listed


def exported(figures: str) -> set[str]:
    """Names of the series that a metadata server tells; counters once as they are named there."""
    return {line.split()[2] for line in figures.splitlines() if line.startswith("# TYPE")}


async def test_rules_and_dashboard_ask_for_figures_that_there_are(replica: Replica) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{replica.http}/metrics") as reply:
        text = await reply.text()
    for face in ("grpc", "rest"):
        first = f'mds_calls_total{{code="INTERNAL",face="{face}",method="History.Undo"}} 0.0'
        assert first in text, "the first fault would be no change"
    told = exported(text)
    asked = "".join(each.read_text() for each in (RULES, DASHBOARD))
    names = {name.removesuffix("_bucket") for name in re.findall(r"\bmds_[a-z_]+", asked)}
    assert names
    # What other parts tell is held against them in test_figures.py.
    assert names <= told | set(re.findall(r"^\| `(mds_\w+)`", FIGURES.read_text(), re.MULTILINE))


def test_no_page_is_left_of_an_alert_that_is_gone() -> None:
    pages = {each.stem for each in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert pages - {"README"} == {str(alert["alert"]) for alert in ALERTS}


def test_each_alert_is_seen_to_speak_and_to_be_silent() -> None:
    cases = [
        case
        for each in yaml.safe_load(CASES.read_text())["tests"]
        for case in each["alert_rule_test"]
    ]
    tried = {(case["alertname"], bool(case["exp_alerts"])) for case in cases}
    assert tried == {(alert["alert"], speaks) for alert in ALERTS for speaks in (True, False)}


def test_each_cause_of_a_refusal_under_pressure_is_told_and_in_an_alert() -> None:
    sources = inspect.getsource(admission) + inspect.getsource(turns)
    counted = re.findall(r'(?:_too_busy\(\s*|self\.refused\[)"(\w+)"', sources)
    assert set(counted) == {*TURN_CAUSES, *CLIENT_CAUSES}
    said = [
        cause
        for alert in ALERTS
        for causes in re.findall(r'mds_admission_refused_total{cause=~"(.*?)"}', alert["expr"])
        for cause in causes.split("|")
    ]
    assert sorted(said) == sorted((*TURN_CAUSES, *CLIENT_CAUSES))


@pytest.mark.parametrize(
    "words", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")]
)
def test_prometheus_takes_its_configuration_and_the_rules_speak_when_they_should(
    words: tuple[str, ...],
) -> None:
    promtool(*words)


def test_prometheus_understands_all_that_the_dashboard_asks(tmp_path: Path) -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(asked)]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(file))


def promtool(*words: str) -> None:
    found = shutil.which("promtool") or shutil.which("promtool", path=str(UNPACKED))
    needs("" if found else "promtool is not here (Debian: prometheus).")
    done = subprocess.run(
        [found or "", *words],
        cwd=RULES.parent, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
