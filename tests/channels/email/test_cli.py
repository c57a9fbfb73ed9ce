"""`email parse` and `email ingest` as programs and mail servers run them."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from contact_center.cli import app
from contact_center.core.db import one_shot
from tests.channels.email.letters import SHOP, letter
from tests.factories import make_account
from tickets.models import JournalItem, Message
from tickets.states import Channel

KEYS = [
    "file", "outcome", "reason", "message_id", "in_reply_to", "references", "from", "reply_to", "to", "cc", "subject",
    "date", "text", "html", "reply_text", "quoted_text", "attachments", "auto_submitted", "bounce", "forwarded",
]  # fmt: skip


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CONTACT_CENTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CONTACT_CENTER_SECRET_KEY", "tests-only-secret-tests-only-secret-0000")

    def call(*arguments: str, given: bytes | None = None) -> Result:
        return CliRunner().invoke(app, ["email", *arguments], input=given)

    return call


@pytest.fixture
def shop(sqlite_url: str) -> None:
    with one_shot(sqlite_url) as tx:
        make_account(tx, Channel.EMAIL, name="Shop mail")


def put(folder: Path, name: str, raw: bytes) -> str:
    (folder / name).write_bytes(raw)
    return str(folder / name)


def test_every_file_gives_one_line_of_json(run: Any, tmp_path: Path) -> None:
    good = put(tmp_path, "a.eml", letter("Yes.\n\nOn 3 Feb 2026 at 10:15, Bob <b@x.test> wrote:\n> Really?\n"))
    broken = put(tmp_path, "b.eml", b"")

    lines = [json.loads(line) for line in run("parse", good, broken, "--json").stdout.splitlines()]

    assert [list(line) for line in lines] == [KEYS, KEYS]
    assert (lines[0]["outcome"], lines[0]["reply_text"]) == ("accepted", "Yes.")
    assert lines[0]["from"] == {"name": "Anna Nguyen", "address": "anna@example.test"}
    assert (lines[1]["outcome"], lines[1]["reason"]) == ("quarantined", "the mail is empty")


def test_people_get_a_table_and_a_missing_file_one_sentence(run: Any, tmp_path: Path) -> None:
    shown = run("parse", put(tmp_path, "a.eml", letter("Hello")))
    missing = run("parse", str(tmp_path / "none.eml"))

    assert "Anna Nguyen" in shown.stdout
    assert missing.exit_code == 2
    assert "No such" in missing.stderr


@pytest.mark.usefixtures("shop")
def test_a_pipe_hands_a_mail_in_once(run: Any, sqlite_url: str) -> None:
    raw = letter("From a pipe")

    first = json.loads(run("ingest", "-", "--account", SHOP, "--json", given=raw).stdout)
    second = json.loads(run("ingest", "-", "--json", given=raw).stdout)

    assert (first["outcome"], first["ticket"], first["created"]) == ("accepted", 100, True)
    assert (second["outcome"], second["ticket"]) == ("duplicate", None)
    with one_shot(sqlite_url) as tx:
        assert tx.execute(select(Message.text)).scalars().all() == ["From a pipe"]


@pytest.mark.usefixtures("shop")
def test_what_cannot_be_read_is_kept_and_said(run: Any, tmp_path: Path, sqlite_url: str) -> None:
    result = run("ingest", put(tmp_path, "x.eml", b"Subject: nobody wrote this\n\nhello"), "--json")

    assert (result.exit_code, json.loads(result.stdout)["outcome"]) == (0, "quarantined")
    with one_shot(sqlite_url) as tx:
        assert tx.execute(select(JournalItem.state)).scalar_one() == "quarantined"


def test_a_database_that_is_away_makes_the_sender_try_again(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")

    assert run("ingest", put(tmp_path, "x.eml", letter())).exit_code == 75


def test_an_unknown_account_is_one_sentence(run: Any, tmp_path: Path) -> None:
    result = run("ingest", put(tmp_path, "x.eml", letter()), "--account", "nobody")

    assert result.exit_code == 1
    assert "nobody" in result.stderr
