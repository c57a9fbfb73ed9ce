"""`calls import` as people and programs run it: the report, doing it again, and what cannot be."""

import csv
import json
import os
import statistics
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from channels.phone.models import Call
from contact_center.cli import app
from contact_center.core.db import one_shot
from tests.channels.phone.test_callog import ASTERISK, CENTRE, TWILIO, VIETNAMESE
from tests.channels.sms.corpus import SHARED
from tickets.models import ChannelAccount, Customer, JournalItem, Message, Ticket

TABLES = (Call, Ticket, Message, JournalItem, Customer)


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CONTACT_CENTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CONTACT_CENTER_REGION", "VN")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["calls", "import", *arguments])

    return call


def put(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def counts(url: str) -> dict[str, int]:
    with one_shot(url) as tx:
        return {model.__tablename__: len(tx.execute(select(model.__table__)).all()) for model in TABLES}


def test_the_report_tells_what_was_taken_refused_and_why(run: Any, tmp_path: Path, sqlite_url: str) -> None:
    path = put(tmp_path, "calls.csv", TWILIO + "CA04,+849,+15,inbound,completed,never,1,\n")
    report = json.loads(run(path, "--json").stdout)
    assert (report["rows"], report["taken"], report["duplicate"], report["refused"]) == (4, 3, 0, 1)
    assert report["refusals"] == [{"row": 5, "reason": "The time 'never' is not understood."}]
    assert report["states"] == {"completed": 1, "missed": 1, "busy": 1}
    assert (report["layout"], report["columns"]["start"]) == ("twilio", "Start Time")
    assert counts(sqlite_url) == {"calls": 3, "tickets": 2, "messages": 2 + 2, "journal": 3, "customers": 2}


def test_doing_it_again_or_with_a_longer_log_takes_only_what_is_new(run: Any, tmp_path: Path, sqlite_url: str) -> None:
    path = put(tmp_path, "calls.csv", TWILIO)
    run(path)
    before = counts(sqlite_url)
    again = json.loads(run(path, "--json").stdout)
    assert (again["taken"], again["duplicate"], counts(sqlite_url)) == (0, 3, before)
    longer = put(tmp_path, "longer.csv", TWILIO + "CA05,+84903123456,+15,inbound,completed,2026-11-21 09:00:00,1,\n")
    assert json.loads(run(longer, "--json").stdout)["taken"] == 1


def test_history_is_closed_and_dated_by_its_own_day(run: Any, tmp_path: Path, sqlite_url: str) -> None:
    run(put(tmp_path, "calls.csv", VIETNAMESE), "--zone", "Asia/Ho_Chi_Minh")
    with one_shot(sqlite_url) as tx:
        tickets = tx.execute(select(Ticket.__table__).order_by(Ticket.id)).all()
        calls = tx.execute(select(Call.__table__).order_by(Call.id)).all()
    assert [(ticket.status, ticket.created_at.isoformat()) for ticket in tickets] == [
        ("closed", "2026-11-20T07:05:09+00:00"),
        ("closed", "2026-11-20T07:09:00+00:00"),
    ]
    assert [(call.number, call.agent, call.talk_seconds) for call in calls] == [
        ("+84903123456", "Lan Anh", 80),
        ("+84383456789", "", 0),
        ("+84903123456", "Lan Anh", 0),
    ]


def test_missed_calls_can_be_left_open_to_be_called_back(run: Any, tmp_path: Path, sqlite_url: str) -> None:
    run(put(tmp_path, "calls.csv", VIETNAMESE), "--open-missed")
    with one_shot(sqlite_url) as tx:
        assert list(tx.execute(select(Ticket.status).order_by(Ticket.id)).scalars()) == ["closed", "new"]


def test_a_dry_run_shows_the_reading_and_stores_nothing(run: Any, tmp_path: Path, sqlite_url: str) -> None:
    result = run(put(tmp_path, "Master.csv", ASTERISK), "--dry-run")
    assert result.exit_code == 0
    assert "3 can be read, 1 refused" in " ".join(result.stderr.split())
    assert counts(sqlite_url)["calls"] == 0


def test_a_real_day_of_a_bank_in_the_ledger(run: Any, sqlite_url: str) -> None:
    path = SHARED / "phone" / "technion_one_day_2375_calls.csv"
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip("../shared is not here")
    report = json.loads(run(str(path), "--json", "--date", "1999-01-04").stdout)
    assert (report["rows"], report["taken"], report["refused"]) == (2375, 2357, 18)
    assert report["states"] == {"completed": 1511, "missed": 846}
    assert report["days"]["1999-01-04"] == {
        "rows": 2375,
        "calls": 2357,
        "answered": 1511,
        "abandoned": 728,
        "left_menu": 118,
    }
    with path.open() as file:
        rows = list(csv.DictReader(file))
    served = [row for row in rows if row["outcome"] == "AGENT"]
    waits, talks = ([int(row[name]) for row in served] for name in ("q_time", "ser_time"))
    assert report["figures"]["asa"] == pytest.approx(statistics.mean(waits), abs=0.001)
    assert report["figures"]["mean_handle"] == pytest.approx(statistics.mean(talks), abs=0.001)
    again = json.loads(run(str(path), "--json").stdout)
    assert (again["taken"], again["duplicate"]) == (0, 2357)
    replayed = [
        json.loads(CliRunner().invoke(app, ["simulate", *of, "--json"]).stdout)
        for of in (["--imported"], [str(path), "--date", "1999-01-04"])
    ]
    assert replayed[0]["log"] == replayed[1]["log"] == {**report["figures"], "service_level": pytest.approx(404 / 2239)}
    assert replayed[0]["replay"] == replayed[1]["replay"]
    assert replayed[0]["replay"]["offered"] == 2239
    assert counts(sqlite_url) == {"calls": 2357, "tickets": 0, "messages": 0, "journal": 2357, "customers": 0}


def test_a_forecast_tells_the_days_after_a_log_and_the_agents_they_take(run: Any, tmp_path: Path) -> None:
    days = [f"2026-11-{day:02}" for day in range(2, 16)]
    rows = [
        f"{day} {hour:02}:{minute:02}:00,0903123456,120" for day in days for hour in (9, 10) for minute in range(60)
    ]
    path = put(tmp_path, "calls.csv", "start,from,duration\n" + "\n".join(rows))

    def forecast(*options: str) -> Result:
        return CliRunner().invoke(app, ["forecast", *options, "--zone", "Asia/Ho_Chi_Minh"])

    told = json.loads(forecast(path, "--days", "1", "--staff", "--target", "80/20", "--json").stdout)
    by_start = {one["start"]: one for one in told["intervals"]}
    assert len(by_start) == 96
    busy = by_start["2026-11-16T09:15:00+07:00"]
    assert (busy["contacts"], busy["aht"], busy["queue"]) == (pytest.approx(15), 120, None)
    assert (busy["agents"], busy["scheduled"]) == (4, 4)
    assert by_start["2026-11-16T08:45:00+07:00"]["agents"] == 0
    assert told["errors"] == {"held_out_days": 3, "wape": 0, "wape_daily": 0, "wape_of_last_week_again": 0}
    assert run(path, "--zone", "Asia/Ho_Chi_Minh").exit_code == 0
    assert json.loads(forecast("--imported", "--days", "1", "--staff", "--json").stdout) == told
    shown = forecast(path, "--days", "1")
    assert "11-16 Mon 09:15" in shown.stdout
    assert "08:45" not in shown.stdout
    unknown = forecast("--queue", "Nowhere")
    assert (unknown.exit_code, "no queue called Nowhere" in unknown.stderr) == (2, True)
    assert forecast(path, "--interval", "7m").exit_code == 2
    assert forecast().exit_code == 2


def test_a_day_in_the_files_name_is_used_and_an_assumed_one_is_said(run: Any, tmp_path: Path) -> None:
    text = "start,from,duration\n10:00:00,0903123456,5\n"
    named = json.loads(run(put(tmp_path, "calls-2026-11-03.csv", text), "--json", "--dry-run").stdout)
    assert named["warnings"] == ["The log has no dates: every call was put on 2026-11-03."]
    assumed = json.loads(run(put(tmp_path, "calls.csv", text), "--json", "--dry-run").stdout)
    assert "The log has no dates" in assumed["warnings"][0]


def test_the_line_can_be_named_and_an_unknown_one_is_refused(run: Any, tmp_path: Path, sqlite_url: str) -> None:
    path = put(tmp_path, "calls.csv", CENTRE)
    refused = run(path, "--account", "Nowhere")
    assert refused.exit_code == 1
    assert "no phone account called Nowhere" in refused.stderr
    assert run(path).exit_code == 0
    with one_shot(sqlite_url) as tx:
        assert list(tx.execute(select(ChannelAccount.name)).scalars()) == ["Imported calls"]


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("name,mail\nAn,an@example.com\n", [], "No column with the time of the call"),
        ("", [], "The file is empty."),
        (TWILIO, ["--zone", "Mars/Base"], "There is no time zone called Mars/Base"),
        (TWILIO, ["--date", "yesterday"], "yesterday is no day"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    run: Any, tmp_path: Path, text: str, arguments: list[str], said: str
) -> None:
    result = run(put(tmp_path, "x.csv", text), *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_missing_file_is_one_sentence(run: Any, tmp_path: Path) -> None:
    result = run(str(tmp_path / "gone.csv"))
    assert (result.exit_code, "No such file" in " ".join(result.stderr.split())) == (2, True)
