"""Prometheus metrics of this process; every name is documented in docs/metrics.md."""

from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, start_http_server

REGISTRY = CollectorRegistry()

INBOUND = Counter(
    "contact_center_inbound_total", "Inbound items by channel and end state.", ["channel", "state"], registry=REGISTRY
)
OUTBOUND = Counter(
    "contact_center_outbound_total",
    "Delivery attempts by channel and outcome.",
    ["channel", "outcome"],
    registry=REGISTRY,
)
EVENTS = Counter("contact_center_events_relayed_total", "Events whose handlers ran.", registry=REGISTRY)
HANDLER_FAILURES = Counter(
    "contact_center_handler_failures_total", "Handlers that raised, by handler.", ["handler"], registry=REGISTRY
)
RULES_RUN = Counter("contact_center_rules_run_total", "Rules that applied and did their actions.", registry=REGISTRY)
RULES_FAILED = Counter(
    "contact_center_rules_failed_total", "Rules that applied and could not do their actions.", registry=REGISTRY
)
LOOP_FAILURES = Counter("contact_center_loop_failures_total", "Loop steps that raised.", ["loop"], registry=REGISTRY)
SOCKETS = Gauge("contact_center_sockets", "Open WebSockets of this process.", registry=REGISTRY)
FILES_DELETED = Counter(
    "contact_center_files_deleted_total", "Stored files deleted because nothing named them.", registry=REGISTRY
)
FILES_DELETED_BYTES = Counter("contact_center_files_deleted_bytes_total", "Bytes of those files.", registry=REGISTRY)
INVARIANT = Gauge(
    "contact_center_invariant_violations",
    "Routing invariants broken right now; must stay 0.",
    ["name"],
    registry=REGISTRY,
)
STUCK = Gauge(
    "contact_center_stuck",
    "What waits for a person or a worker, by kind; counted up to 1,000.",
    ["kind"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "contact_center_request_seconds",
    "Time from request to response.",
    ["method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)


def render() -> bytes:
    """The text that Prometheus reads."""
    return generate_latest(REGISTRY)


def serve(host: str, port: int) -> WSGIServer:
    """Answer Prometheus on an address of its own, for processes without a web server; in a thread, until closed."""
    server, _ = start_http_server(port, host, registry=REGISTRY)
    return server
