"""`email parse` and `email ingest` as programs and mail servers run them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from contact_center.cli import app
from contact_center.core.db import one_shot
from tests.channels.email.letters import SHOP, letter
from tests.factories import make_account
from tickets.models import ChannelAccount, JournalItem, Message
from tickets.states import Channel

KEYS = [
    "file", "outcome", "reason", "message_id", "in_reply_to", "references", "from", "reply_to", "to", "cc", "subject",
    "date", "text", "html", "reply_text", "quoted_text", "attachments", "auto_submitted", "newsletter", "bounce",
    "forwarded",
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


def test_a_file_that_cannot_be_read_does_not_stop_the_ones_after_it(run: Any, tmp_path: Path) -> None:
    good = put(tmp_path, "a.eml", letter("Hello"))

    result = run("parse", str(tmp_path / "none.eml"), str(tmp_path), good, "--json")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(line) for line in lines] == [KEYS, KEYS, KEYS]
    assert [line["outcome"] for line in lines] == ["quarantined", "quarantined", "accepted"]
    assert lines[0]["reason"] == "the file cannot be read: No such file or directory"
    assert result.exit_code == 2


def test_a_quarantined_mail_is_no_error_of_the_command(run: Any, tmp_path: Path) -> None:
    assert run("parse", put(tmp_path, "b.eml", b""), "--json").exit_code == 0


def test_names_that_are_no_text_and_subjects_like_markup_are_shown(run: Any, tmp_path: Path) -> None:
    raw = letter("Hello").replace(b"Subject: ", b"Subject: [/b] :smile: [red", 1)
    odd = tmp_path / os.fsdecode(b"a\xff.eml")
    odd.write_bytes(raw)

    assert json.loads(run("parse", str(odd), "--json").stdout)["file"].endswith("a\ufffd.eml")
    assert "[/b] :smile: [red" in run("parse", str(odd)).stdout


@pytest.mark.usefixtures("shop")
def test_a_pipe_hands_a_mail_in_once(run: Any, sqlite_url: str) -> None:
    raw = letter("From a pipe")

    first = json.loads(run("ingest", "-", "--account", SHOP, "--json", given=raw).stdout)
    second = json.loads(run("ingest", "-", "--json", given=raw).stdout)

    assert (first["outcome"], first["ticket"], first["created"]) == ("accepted", 100, True)
    assert (second["outcome"], second["ticket"], second["message"]) == ("duplicate", 100, first["message"])
    with one_shot(sqlite_url) as tx:
        assert tx.execute(select(Message.text)).scalars().all() == ["From a pipe"]


@pytest.mark.usefixtures("shop")
def test_a_mail_that_came_by_another_way_too_tells_its_ticket(run: Any) -> None:
    raw = letter("Twice")

    first = json.loads(run("ingest", "-", "--json", given=raw).stdout)
    again = json.loads(run("ingest", "-", "--json", given=b"Received: from a.test\n" + raw).stdout)

    assert (again["outcome"], again["ticket"], again["message"]) == ("duplicate", 100, first["message"])


def test_an_installation_without_a_mailbox_gets_one_from_the_first_mail(run: Any, sqlite_url: str) -> None:
    first = json.loads(run("ingest", "-", "--json", given=letter("One", message_id="<1@a.test>")).stdout)
    json.loads(run("ingest", "-", "--json", given=letter("Two", message_id="<2@a.test>")).stdout)

    assert (first["outcome"], first["created"]) == ("accepted", True)
    with one_shot(sqlite_url) as tx:
        assert tx.execute(select(ChannelAccount.name, ChannelAccount.address)).all() == [("Mail", SHOP)]


def test_the_recipient_says_which_of_several_mailboxes(run: Any, sqlite_url: str) -> None:
    with one_shot(sqlite_url) as tx:
        make_account(tx, Channel.EMAIL, name="Other", address="other@shop.example")
        make_account(tx, Channel.EMAIL, name="Shop mail")

    known = run("ingest", "-", "--json", given=letter("For the shop"))
    unknown = run("ingest", "-", "--json", given=letter("For nobody", to="someone@else.example"))

    assert json.loads(known.stdout)["outcome"] == "accepted"
    with one_shot(sqlite_url) as tx:
        account = select(ChannelAccount.name).join(Message, Message.channel_account_id == ChannelAccount.id)
        assert tx.execute(account).scalars().all() == ["Shop mail"]
    assert unknown.exit_code == 75
    assert "Other, Shop mail" in unknown.stderr


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


@pytest.mark.usefixtures("shop")
def test_an_unknown_account_is_one_sentence_and_bounces_nothing(run: Any, tmp_path: Path) -> None:
    result = run("ingest", put(tmp_path, "x.eml", letter()), "--account", "nobody")

    assert result.exit_code == 75
    assert "nobody" in result.stderr
