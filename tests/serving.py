"""A real server for the product inside a test's own loop."""

import uvicorn
from starlette.applications import Starlette


def server_of(app: Starlette, port: int) -> uvicorn.Server:
    """Ends within a second, although a browser keeps a line open: without a limit it would wait for it for ever."""
    config = uvicorn.Config(app, port=port, log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=1)
    return uvicorn.Server(config)
