"""What browsers ask of the page, counted for Prometheus."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from control_units.figures.calls import BUCKETS_S
from webui.live.feed import Feed
from webui.live.hub import Hub

STREAM = "GET /events"
NOWHERE = "none"


class WebFigures:
    """Requests by page (`GET /control_units/{id}`) and by status, and who is kept up to date."""

    def __init__(self, registry: CollectorRegistry, hub: Hub, feed: Feed) -> None:
        self._ended = Counter(
            "mds_web_requests",
            "Requests of browsers that ended.",
            ["method", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "mds_web_request_seconds",
            "Time of requests, save the stream of a browser.",
            ["method"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        browsers = Gauge(
            "mds_web_browsers", "Browsers that are kept up to date.", registry=registry
        )
        browsers.set_function(lambda: hub.viewers)
        live = Gauge(
            "mds_web_live", "Whether what browsers see follows the server.", registry=registry
        )
        live.set_function(lambda: feed.is_live)

    def count(self, request: web.Request, status: int, seconds: float) -> None:
        method = method_of(request)
        self._ended.labels(method, str(status)).inc()
        if method != STREAM:
            self._seconds.labels(method).observe(seconds)


def method_of(request: web.Request) -> str:
    """The route, never an address: there are as many of these as units. What is no route is
    one, whatever verb somebody makes up."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical}" if resource is not None else NOWHERE
