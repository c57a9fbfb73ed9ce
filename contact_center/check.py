"""What `contact-center check` finds: mistakes in the set-up, each with what to do about it."""

import importlib.metadata
import os
import socket
import ssl
from datetime import timedelta
from functools import partial
from pathlib import Path

import redis
from cryptography import x509
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from channels.email import dkim_keys
from contact_center import migrate
from contact_center.core import clamav
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.i18n import mark
from contact_center.core.settings import Settings
from contact_center.running import Finding, look

# Django Channels and others own one of our top-level names and would overwrite our files without a word.
NAMES = ("contact_center", "channels", "routing", "tickets", "agent_ui", "knowledge_base")
OURS = "contact-center"
ENDS_SOON = timedelta(days=14)
# Freshclam looks every two hours; a week means that it does not run.
SIGNATURES_AGE = timedelta(days=7)


def findings(settings: Settings, *, serving: bool = False) -> list[Finding]:
    """Everything that can be seen without changing anything; `serving`: the port is taken by ourselves."""
    database = _database(settings)
    return [
        *_names(),
        _folder(settings),
        database,
        _redis(settings),
        *_address(settings, serving=serving),
        *_receiver(settings),
        *_scanner(settings),
        *_signing(settings),
        *(_running(settings) if database.level == "ok" else []),
    ]


def _running(settings: Settings) -> list[Finding]:
    return list(migrate.run(settings.database, partial(look, now=utcnow())))


def _names() -> list[Finding]:
    owners = importlib.metadata.packages_distributions()
    found = []
    for name in NAMES:
        others = sorted(set(owners.get(name, [])) - {OURS})
        if others:
            fix = mark("Install us in an environment of our own, or remove it: pip uninstall %(packages)s")
            params = {"name": name, "others": ", ".join(others), "packages": " ".join(others)}
            found.append(Finding("error", mark("The package %(name)s also belongs to %(others)s."), fix, params))
    return found or [Finding("ok", mark("Our packages belong to nobody else."))]


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    nearest = next(parent for parent in [folder, *folder.absolute().parents] if parent.exists())
    if os.access(nearest, os.W_OK):
        return Finding("ok", mark("The data folder %(folder)s can be written."), params={"folder": folder})
    fix = mark("Change its owner, or set CONTACT_CENTER_DATA_DIR.")
    return Finding("error", mark("The data folder %(folder)s cannot be written."), fix, {"folder": folder})


def _database(settings: Settings) -> Finding:
    params: dict[str, object] = {"database": settings.database.split("@")[-1]}
    path = make_url(settings.database).database
    migrate_it = mark("Run: contact-center migrate")
    if settings.database.startswith("sqlite") and path and not Path(path).exists():
        # Looking at it would make an empty one.
        return Finding("error", mark("The database %(database)s does not exist yet."), migrate_it, params)
    try:
        present, head = migrate.run(settings.database, migrate.revision), migrate.head()
    except (OSError, SQLAlchemyError) as error:
        fix = mark("Start it, or mend CONTACT_CENTER_DATABASE_URL.")
        params["error"] = error
        return Finding("error", mark("The database %(database)s does not answer: %(error)s"), fix, params)
    if present != head:
        params["revision"] = present or "–"
        return Finding("error", mark("The database %(database)s is at revision %(revision)s."), migrate_it, params)
    return Finding("ok", mark("The database %(database)s is at the present revision."), params=params)


def _redis(settings: Settings) -> Finding:
    if not settings.redis_url:
        if settings.database.startswith("sqlite"):
            return Finding("ok", mark("One process on SQLite needs no Redis."))
        return Finding(
            "warning",
            mark("No Redis: other processes see changes only when they look, up to 1 s late."),
            mark("Set CONTACT_CENTER_REDIS_URL as soon as more than one process runs."),
        )
    try:
        with redis.Redis.from_url(settings.redis_url, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError as error:
        fix = mark("Start it, or mend CONTACT_CENTER_REDIS_URL.")
        return Finding("error", mark("Redis does not answer: %(error)s"), fix, {"error": error})
    return Finding("ok", mark("Redis answers."))


def _address(settings: Settings, *, serving: bool) -> list[Finding]:
    found = []
    if settings.production and not settings.secret_key:
        fix = mark(
            "Set CONTACT_CENTER_SECRET_KEY or CONTACT_CENTER_SECRET_KEY_FILE to 32 or more random characters, the same "
            "for all processes."
        )
        found.append(Finding("error", mark("Production without a secret key."), fix))
    if settings.production and not settings.base_url.startswith("https://"):
        found.append(
            Finding(
                "error",
                mark("Production without an https address: cookies and webhooks are not safe."),
                mark("Set CONTACT_CENTER_PUBLIC_URL to the https:// address that customers use."),
            )
        )
    if not serving and port_taken(settings.host, settings.port):
        params = {"host": settings.host, "port": settings.port}
        fix = mark("Stop it, or set CONTACT_CENTER_PORT.")
        found.append(Finding("warning", mark("Something already listens on %(host)s:%(port)s."), fix, params))
    return found


def _receiver(settings: Settings) -> list[Finding]:
    """The certificate of the built-in mail receiver: there, a pair with its key, and not about to end."""
    chain = settings.smtp_in_certificate
    if chain is None:
        if settings.smtp_in_port and settings.smtp_in_require_tls:
            fix = mark("Set CONTACT_CENTER_SMTP_IN_CERTIFICATE, or take CONTACT_CENTER_SMTP_IN_REQUIRE_TLS away.")
            return [Finding("error", mark("The mail receiver is to insist on TLS and has no certificate."), fix)]
        return []
    mend = mark("Mend CONTACT_CENTER_SMTP_IN_CERTIFICATE and CONTACT_CENTER_SMTP_IN_KEY.")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(chain, settings.smtp_in_key)
        ends = x509.load_pem_x509_certificate(chain.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        params = {"file": chain, "error": error}
        return [
            Finding("error", mark("The mail receiver's certificate %(file)s cannot be used: %(error)s"), mend, params)
        ]
    if ends - utcnow() < ENDS_SOON:
        renew = mark("Renew it; the receiver reads the new files by itself.")
        until = {"file": chain, "date": ends.date()}
        return [Finding("warning", mark("The mail receiver's certificate %(file)s ends on %(date)s."), renew, until)]
    return []


def _scanner(settings: Settings) -> list[Finding]:
    """The virus scanner: it answers, and its signatures are of these days."""
    if not settings.clamav:
        return []
    params: dict[str, object] = {"address": settings.clamav}
    try:
        version = clamav.version(settings.clamav)
    except clamav.ScannerDown as error:
        params["error"] = error
        fix = mark("Start clamd, or mend CONTACT_CENTER_CLAMAV. Until it answers, files are neither shown nor sent.")
        return [Finding("error", mark("The virus scanner %(address)s does not answer: %(error)s"), fix, params)]
    since = clamav.signatures_of(version)
    if since is not None and utcnow() - since > SIGNATURES_AGE:
        params["date"] = since.date()
        fix = mark("Look after freshclam: it fetches new ones every few hours.")
        return [Finding("warning", mark("The virus scanner's signatures are of %(date)s."), fix, params)]
    params["version"] = version.partition("/")[0]
    return [Finding("ok", mark("The virus scanner %(address)s answers: %(version)s."), params=params)]


def _signing(settings: Settings) -> list[Finding]:
    """The key with which mailboxes sign: one that can be used."""
    if not settings.dkim_key:
        return []
    try:
        dkim_keys.opened(settings.dkim_key.encode())
    except Invalid as error:
        fix = mark("Mend CONTACT_CENTER_DKIM_KEY or the file that CONTACT_CENTER_DKIM_KEY_FILE names.")
        return [Finding("error", mark("Mail cannot be signed: %(error)s"), fix, {"error": error.detail})]
    return []


def port_taken(host: str, port: int) -> bool:
    """Whether somebody listens there already."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host if host != "0.0.0.0" else "127.0.0.1", port)) == 0
