"""What `contact-center check` finds: mistakes in the set-up, each with what to do about it."""

import importlib.metadata
import os
import socket
from dataclasses import dataclass

import redis
from sqlalchemy.exc import SQLAlchemyError

from contact_center import migrate
from contact_center.core.settings import Settings

# Django Channels and others own one of our top-level names and would overwrite our files without a word.
NAMES = ("contact_center", "channels", "routing", "tickets", "agent_ui", "knowledge_base")
OURS = "contact-center"


@dataclass(frozen=True, slots=True)
class Finding:
    """`level` is ok, warning or error."""

    level: str
    what: str
    fix: str = ""


def findings(settings: Settings, *, serving: bool = False) -> list[Finding]:
    """Everything that can be seen without changing anything; `serving`: the port is taken by ourselves."""
    return [*_names(), _folder(settings), _database(settings), _redis(settings), *_address(settings, serving=serving)]


def _names() -> list[Finding]:
    owners = importlib.metadata.packages_distributions()
    found = []
    for name in NAMES:
        others = sorted(set(owners.get(name, [])) - {OURS})
        if others:
            fix = f"Install us in an environment of our own, or remove it: pip uninstall {' '.join(others)}"
            found.append(Finding("error", f"The package {name} also belongs to {', '.join(others)}.", fix))
    return found or [Finding("ok", "Our packages belong to nobody else.")]


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    nearest = next(parent for parent in [folder, *folder.absolute().parents] if parent.exists())
    if os.access(nearest, os.W_OK):
        return Finding("ok", f"The data folder {folder} can be written.")
    return Finding(
        "error", f"The data folder {folder} cannot be written.", "Change its owner, or set CONTACT_CENTER_DATA_DIR."
    )


def _database(settings: Settings) -> Finding:
    shown = settings.database.split("@")[-1]
    try:
        present, head = migrate.run(settings.database, migrate.revision), migrate.head()
    except (OSError, SQLAlchemyError) as error:
        return Finding(
            "error", f"The database {shown} does not answer: {error}", "Start it, or mend CONTACT_CENTER_DATABASE_URL."
        )
    if present != head:
        return Finding(
            "error", f"The database {shown} is at revision {present or 'none'}.", "Run: contact-center migrate"
        )
    return Finding("ok", f"The database {shown} is at the present revision.")


def _redis(settings: Settings) -> Finding:
    if not settings.redis_url:
        if settings.database.startswith("sqlite"):
            return Finding("ok", "One process on SQLite needs no Redis.")
        fix = "Set CONTACT_CENTER_REDIS_URL as soon as more than one process runs."
        return Finding("warning", "No Redis: other processes see changes only when they look, up to 1 s late.", fix)
    try:
        with redis.Redis.from_url(settings.redis_url, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError as error:
        return Finding("error", f"Redis does not answer: {error}", "Start it, or mend CONTACT_CENTER_REDIS_URL.")
    return Finding("ok", "Redis answers.")


def _address(settings: Settings, *, serving: bool) -> list[Finding]:
    found = []
    if settings.production and not settings.secret_key:
        fix = "Set CONTACT_CENTER_SECRET_KEY or CONTACT_CENTER_SECRET_KEY_FILE to 32 or more random characters."
        found.append(Finding("error", "Production without a secret key.", fix))
    if settings.production and not settings.base_url.startswith("https://"):
        fix = "Set CONTACT_CENTER_PUBLIC_URL to the https:// address that customers use."
        found.append(Finding("error", "Production without an https address: cookies and webhooks are not safe.", fix))
    if not serving and port_taken(settings.host, settings.port):
        found.append(
            Finding(
                "warning",
                f"Something already listens on {settings.host}:{settings.port}.",
                "Stop it, or set CONTACT_CENTER_PORT.",
            )
        )
    return found


def port_taken(host: str, port: int) -> bool:
    """Whether somebody listens there already."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host if host != "0.0.0.0" else "127.0.0.1", port)) == 0
