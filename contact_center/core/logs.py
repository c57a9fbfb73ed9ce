"""Structured logs: one line per event, with the request id, as text for people or JSON for collectors."""

import logging
import sys

import structlog

# httpx2, twilio and imap log whole requests, messages and credentials at INFO.
QUIET = ("httpx2", "httpcore2", "twilio", "imap_tools", "mail.log", "asyncio", "aiosmtplib", "uvicorn.access")


def configure(level: str, style: str) -> None:
    """Set up structlog and the standard library's loggers; everything goes to stderr."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if style == "json" else _pass,
            structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _pass(_logger: object, _name: str, values: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return values
