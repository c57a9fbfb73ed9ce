"""Call logs of many exchanges: what is taken, what is refused and why, and that a second reading is the same."""

import csv
import io
import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.phone.callog import BadLog, CallLog, day_in_name, read_log
from channels.phone.columns import Field
from channels.phone.states import CallState, Direction, state_of
from tests.channels.sms.corpus import SHARED

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")

TWILIO = """Call Sid,From,To,Direction,Status,Start Time,Duration,Price
CA01,+84903123456,+15005550006,inbound,completed,2026-11-20 09:15:02 UTC,75,-0.01
CA02,+84903123457,+15005550006,inbound,no-answer,2026-11-20 10:15:02 PST,0,
CA03,+15005550006,+84903123456,outbound-api,busy,2026-11-20 11:15:02 UTC,0,
"""
ASTERISK = (
    '"","0903123456","100","from-trunk","""An"" <0903123456>","SIP/t-1","SIP/100-2","Dial","SIP/100,20",'
    '"2026-11-20 09:00:00","2026-11-20 09:00:10","2026-11-20 09:01:00",60,50,"ANSWERED","DOCUMENTATION","173.1",""\n'
    '"","0903123456","100","from-trunk","""An"" <0903123456>","SIP/t-3","","Dial","SIP/100,20",'
    '"2026-11-20 09:05:00","","2026-11-20 09:05:20",20,0,"NO ANSWER","DOCUMENTATION","173.2",""\n'
    '"","100","0903123456","internal","100","SIP/100-4","SIP/t-5","Dial","SIP/t",'
    '"2026-11-20 09:06:00","","2026-11-20 09:06:09",9,0,"BUSY","DOCUMENTATION","173.3",""\n'
    '"","100","101","internal","100","SIP/100-6","SIP/101-7","Dial","SIP/101",'
    '"2026-11-20 09:07:00","2026-11-20 09:07:02","2026-11-20 09:07:09",9,7,"ANSWERED","DOCUMENTATION","173.4",""\n'
)
FREESWITCH = (
    '"An","0903123456","+15005550006","public","2026-11-20 09:00:00","2026-11-20 09:00:05","2026-11-20 09:00:30",'
    '"30","25","NORMAL_CLEARING","a5c9f6c0-e752-11e3-8bfb-65b6c3cdac7d","","","PCMA","PCMA"\n'
    '"An","0903123456","+15005550006","public","2026-11-20 09:02:00","","2026-11-20 09:02:09",'
    '"9","0","ORIGINATOR_CANCEL","a5c9f6c1-e752-11e3-8bfb-65b6c3cdac7d","","","",""\n'
)
VIETNAMESE = """Nhật ký cuộc gọi tháng 11
Ngày;Giờ gọi;Số gọi;Số nhận;Loại cuộc gọi;Trạng thái;Nhân viên;Thời gian chờ;Thời gian đàm thoại
20/11/2026;14:05:09;0903 123 456;02871234567;Gọi đến;Nghe máy;Lan Anh;12 giây;1 phút 20 giây
20/11/2026;14:09:00;0168 345 6789;02871234567;Gọi đến;Gọi nhỡ;;25 giây;0
20/11/2026;14:12:00;02871234567;0903 123 456;Gọi đi;Máy bận;Lan Anh;0;0
"""
CENTRE = """Call Id,Agent,Date,Time,Topic,Answered (Y/N),Resolved,Speed of answer in seconds,AvgTalkDuration
ID0001,Diane,2021-01-01,9:12:58,Contract,Y,Y,109,0:02:23
ID0002,Becky,2021-01-01,9:12:58,Support,N,N,,
"""


def read(text: str | bytes, zone: object = UTC, day: date | None = None, own: frozenset[str] = frozenset()) -> CallLog:
    raw = text.encode() if isinstance(text, str) else text
    return read_log(raw, zone=zone, now=NOW, day=day, own_numbers=own)  # type: ignore[arg-type]


def states(log: CallLog) -> list[CallState]:
    return [state_of(call.facts, call.direction) for call in log.calls]


def test_a_real_day_of_a_bank_is_taken_whole_but_for_its_phantom_calls() -> None:
    path = SHARED / "phone" / "technion_one_day_2375_calls.csv"
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip("../shared is not here")
    log = read(path.read_bytes(), day=date(1999, 1, 4))
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert Counter(states(log)) == {CallState.COMPLETED: 1511, CallState.MISSED: 846}
    assert Counter(refusal.reason for refusal in log.refusals) == {"The log itself marks this as no call.": 18}
    assert len({call.key for call in log.calls}) == 2357
    for call in log.calls:
        row = rows[call.row - 2]
        assert call.wait_seconds == int(row["q_time"])
        assert call.talk_seconds == (int(row["ser_time"]) if row["outcome"] == "AGENT" else 0)
        assert call.agent == ("" if row["server"] == "NO_SERVER" else row["server"])
        assert call.facts.rang_at is not None
        assert f"{call.facts.rang_at:%-H:%M:%S}" == row["vru_entry"]
    assert log.warnings == ["The log has no dates: every call was put on 1999-01-04."]


def test_twilios_log() -> None:
    log = read(TWILIO)
    assert log.layout.name == "twilio"
    assert states(log) == [CallState.COMPLETED, CallState.MISSED, CallState.BUSY]
    assert [call.call_id for call in log.calls] == ["CA01", "CA02", "CA03"]
    assert log.calls[0].talk_seconds == 75
    assert log.calls[1].facts.rang_at == datetime(2026, 11, 20, 18, 15, 2, tzinfo=UTC)


@pytest.mark.parametrize("columns", [18, 16])
def test_asterisks_own_file_has_no_header(columns: int) -> None:
    rows = [row[:columns] for row in csv.reader(io.StringIO(ASTERISK))]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    log = read(text.getvalue(), zone=HANOI)
    assert log.layout.name == "asterisk"
    assert states(log) == [CallState.COMPLETED, CallState.MISSED, CallState.BUSY]
    assert [call.direction for call in log.calls] == [Direction.IN, Direction.IN, Direction.OUT]
    first = log.calls[0]
    assert (first.caller, first.called, first.caller_name) == ("0903123456", "100", "An")
    assert (first.wait_seconds, first.talk_seconds) == (10, 50)
    assert first.facts.rang_at == datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert first.call_id == ("173.1" if columns == 18 else "")
    assert [(refusal.row, refusal.reason) for refusal in log.refusals] == [(4, "It is an internal call.")]


def test_freeswitchs_own_file() -> None:
    log = read(FREESWITCH)
    assert log.layout.name == "freeswitch"
    assert states(log) == [CallState.COMPLETED, CallState.MISSED]
    assert (log.calls[0].talk_seconds, log.calls[0].wait_seconds) == (25, 5)
    assert log.calls[0].call_id == "a5c9f6c0-e752-11e3-8bfb-65b6c3cdac7d"


def test_a_vietnamese_export_with_a_title_semicolons_and_spelled_units() -> None:
    log = read(VIETNAMESE, zone=HANOI)
    assert states(log) == [CallState.COMPLETED, CallState.MISSED, CallState.BUSY]
    first = log.calls[0]
    assert (first.row, first.agent, first.wait_seconds, first.talk_seconds) == (3, "Lan Anh", 12, 80)
    assert first.facts.rang_at == datetime(2026, 11, 20, 7, 5, 9, tzinfo=UTC)
    assert log.calls[2].direction is Direction.OUT
    assert log.headers[Field.TALK] == "Thời gian đàm thoại"


def test_a_centres_table_with_answered_yes_or_no() -> None:
    log = read(CENTRE)
    assert states(log) == [CallState.COMPLETED, CallState.MISSED]
    assert (log.calls[0].wait_seconds, log.calls[0].talk_seconds) == (109, 143)


def test_a_phones_own_list_with_the_direction_in_its_type() -> None:
    log = read(
        "type,phone number,date,duration\nincoming,0903123456,2026-11-20 08:00:00,31\noutgoing,0903,1763600000000,0"
    )
    assert [call.direction for call in log.calls] == [Direction.IN, Direction.OUT]
    assert (log.calls[0].caller, log.calls[1].called) == ("0903123456", "0903")
    assert states(log) == [CallState.COMPLETED, CallState.NO_ANSWER]


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        (["25/11/2025", "03/04/2025"], date(2025, 11, 25)),
        (["11/25/2025", "03/04/2025"], date(2025, 11, 25)),
        (["03/04/2025"], date(2025, 4, 3)),
        (["20251125"], date(2025, 11, 25)),
        (["990131"], date(1999, 1, 31)),
        (["25.11.25"], date(2025, 11, 25)),
        (["2025/11/25"], date(2025, 11, 25)),
    ],
)
def test_the_order_of_dates_is_proven_by_the_file(dates: list[str], first: date) -> None:
    log = read("Date,Start Time,From,Duration\n" + "".join(f"{day},10:00:00,0903123456,5\n" for day in dates))
    assert log.calls[0].facts.rang_at == datetime(first.year, first.month, first.day, 10, tzinfo=UTC)
    assert bool(log.warnings) == (dates == ["03/04/2025"])


def test_american_clocks_suggest_american_dates() -> None:
    log = read("Start Time,From,Duration\n3/4/2025 1:05:06 PM,0903123456,5\n")
    assert log.calls[0].facts.rang_at == datetime(2025, 3, 4, 13, 5, 6, tzinfo=UTC)


def test_a_call_over_midnight_ends_on_the_next_day() -> None:
    log = read("date,start,answer,end,from\n2026-11-20,23:59:50,0:00:00,0:03:00,0903123456\n")
    assert log.calls[0].facts.ended_at == datetime(2026, 11, 21, 0, 3, tzinfo=UTC)
    assert log.calls[0].talk_seconds == 180


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("CA9,+849,+1500,inbound,completed,soon,5,", "The time 'soon' is not understood."),
        ("CA9,+849,+1500,inbound,completed,,5,", "It has no time."),
        ("CA9,+849,+1500,inbound,completed,2027-01-01 00:00:00,5,", "It lies in the future."),
        ("CA9,+849,+1500,inbound,completed,2026-11-20 09:00:00,5 apples,", "The length '5 apples' is not understood."),
        ("CA9,+849,+1500,inbound,completed,2026-11-20 09:00:00,999999,", "It is longer than a day."),
        ("CA9,+849,+1500,internal,completed,2026-11-20 09:00:00,5,", "It is an internal call."),
        ("CA9,+849,+1500", "The row is cut off: it has too few columns."),
        ("CA9,+849,+1500,inbound,completed,10:00:00,5,", "It has a time but no date."),
    ],
)
def test_a_row_that_cannot_be_taken_says_why_and_stops_nothing(row: str, reason: str) -> None:
    log = read(TWILIO * 1 + 15 * "CA08,+84,+15,inbound,completed,2026-11-20 09:00:00,1,\n" + row + "\n")
    assert [(refusal.row, refusal.reason) for refusal in log.refusals] == [(20, reason)]
    assert len(log.calls) == 18


def test_an_outcome_nobody_knows_is_told_by_the_times_or_refused() -> None:
    head = "start,outcome,{},from\n"
    assert states(read(head.format("talk time") + "2026-11-20 09:00:00,blorp,10,0903123456\n")) == [CallState.COMPLETED]
    refused = read(head.format("note") + "2026-11-20 09:00:00,blorp,10,0903123456\n").refusals
    assert [refusal.reason for refusal in refused] == ["The outcome 'blorp' is not understood."]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "name,mail\nAn,an@example.com\n", "just a line", "a\tb\n1\t2\n", "\x00\x01"]
)
def test_a_file_that_is_no_call_log_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadLog, match=r"\.$"):
        read(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_make_no_difference(encoding: str, delimiter: str) -> None:
    rows = list(csv.reader(io.StringIO(TWILIO.replace("Price", "Nhân viên"))))
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    keys = [call.key for call in read(TWILIO.replace("Price", "Nhân viên")).calls]
    assert [call.key for call in read(text.getvalue().encode(encoding)).calls] == keys
    assert len(set(keys)) == 3


def test_excels_separator_line_is_understood() -> None:
    log = read("sep=;\n" + TWILIO.replace(",", ";"))
    assert [call.row for call in log.calls] == [3, 4, 5]


def test_the_key_of_a_row_does_not_depend_on_the_order_of_columns_or_an_assumed_day() -> None:
    one = read("start,from,duration\n10:00:00,0903123456,5\n", day=date(2026, 11, 20))
    two = read("note,duration,from,start\nx,5,0903123456,10:00:00\n", day=date(2026, 11, 21))
    assert one.calls[0].key == two.calls[0].key
    other = read("start,from,duration\n10:00:01,0903123456,5\n", day=date(2026, 11, 20))
    assert other.calls[0].key != one.calls[0].key


def test_whose_number_it_is_tells_the_direction_where_the_log_does_not() -> None:
    text = "start,from,to,duration\n2026-11-20 10:00:00,+15005550006,+84903123456,5\n"
    assert read(text).calls[0].direction is Direction.IN
    assert read(text, own=frozenset({"+15005550006"})).calls[0].direction is Direction.OUT


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("calls-2026-11-20.csv", date(2026, 11, 20)),
        ("cdr_20261120.csv", date(2026, 11, 20)),
        ("cdr_20261399.csv", None),
        ("Master.csv", None),
        ("technion_one_day_2375_calls.csv", None),
    ],
)
def test_the_day_may_stand_in_the_files_name(name: str, day: date | None) -> None:
    assert day_in_name(name) == day


cells = st.text(alphabet=st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    [
        "2026-11-20 10:00:00",
        "10:00",
        "-5",
        "1e9",
        "99999999999",
        "0903123456",
        "yes",
        "NO ANSWER",
        "31/31/2020",
        "25:61",
    ]
)


@given(st.lists(st.lists(cells, min_size=1, max_size=8), max_size=8))
def test_any_table_is_read_or_refused_and_every_row_is_accounted_for(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["start", "from", "to", "status", "duration", "wait", "agent", "end"], *rows])
    try:
        log = read(text.getvalue())
    except BadLog:
        return
    for call in log.calls:
        assert call.facts.rang_at is not None
        assert call.facts.ended_at is not None
        assert call.facts.ended_at >= call.facts.rang_at
        assert call.talk_seconds >= 0
        assert call.facts.ended_at - call.facts.rang_at <= timedelta(days=40_000)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        read(raw)
    except BadLog:
        return
