"""What Prometheus is told of the requests of browsers."""

from tests.webui.conftest import OpenSite


async def test_requests_are_counted_by_page_and_answer(open_site: OpenSite) -> None:
    site = await open_site()
    for name in ("ONE", "OTHER"):
        await site.text(f"/control_units/{name}", status=503)
    await site.text("/healthz/live")
    await site.text("/no/such/page", status=404)

    def told(name: str, method: str, **labels: str) -> float | None:
        return site.registry.get_sample_value(name, {"method": method, **labels})

    unit = next(
        sample.labels["method"]
        for metric in site.registry.collect()
        for sample in metric.samples
        if sample.name == "mds_web_requests_total" and "control_units" in sample.labels["method"]
    )
    assert "ONE" not in unit, "there are as many addresses as units"
    assert told("mds_web_requests_total", unit, code="503") == 2
    assert told("mds_web_request_seconds_count", unit) == 2
    assert told("mds_web_requests_total", "GET /healthz/live", code="200") == 1
    assert told("mds_web_requests_total", "none", code="404") == 1
