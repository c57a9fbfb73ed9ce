"""Which column of a call log means what: guessed from the headers, or from the values where there are none (pure)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum

from channels.phone.logvalues import DIRECTIONS, OUTCOMES, DateOrder, folded, parse_moment, parse_seconds


class Field(StrEnum):
    """What a column of a call log can tell of a call."""

    CALL_ID = "call_id"
    DIRECTION = "direction"
    CALLER = "caller"
    CALLED = "called"
    CUSTOMER_NUMBER = "customer_number"
    CALLER_NAME = "caller_name"
    AGENT = "agent"
    QUEUE = "queue"
    DATE = "date"
    START = "start"
    QUEUED = "queued"
    ANSWERED = "answered"
    LEFT_MENU = "left_menu"
    LEFT_QUEUE = "left_queue"
    ENDED = "ended"
    WAIT = "wait"
    TALK = "talk"
    DURATION = "duration"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each field stands (column numbers from 0), and whose file it looks like."""

    name: str
    columns: Mapping[Field, int]
    has_header: bool


HEADERS: dict[Field, str] = {
    Field.CALL_ID: "call sid,sid,call id,uniqueid,unique id,uuid,call uuid,id,cdr id,session id,ma cuoc goi,anruf id",
    Field.DIRECTION: "direction,call direction,call type,type,richtung,sens,direccion,huong,huong goi,"
    "loai cuoc goi,loai",
    Field.CALLER: "from,src,source,caller,caller id,caller number,caller id number,caller no,calling number,ani,cli,"
    "calling party,calling party number,calling no,from number,a number,origin,originator,anrufer,von,appelant,origen,"
    "nguoi goi,so goi,so nguoi goi,so may goi,goi tu",
    Field.CALLED: "to,dst,destination,destination number,callee,callee number,callee no,called,called number,dnis,did,"
    "called party,called party number,called no,dialed number,dialled number,to number,b number,nach,angerufener,"
    "ziel,appele,destino,nguoi nhan,so nhan,so bi goi,so may nhan,goi den so",
    Field.CUSTOMER_NUMBER: "phone,phone number,customer number,customer phone,telephone,mobile,contact number,"
    "rufnummer,telefon,telephone number,telefono,so dien thoai,sdt,dien thoai,so khach hang",
    Field.CALLER_NAME: "caller id name,caller name,clid,customer name,contact name,name,ten nguoi goi,ten khach hang",
    Field.AGENT: "agent,agent name,operator,server,answered by,answering agent,user,employee,representative,rep,"
    "extension,mitarbeiter,operateur,agente,nhan vien,dien thoai vien,tong dai vien,may nhanh",
    Field.QUEUE: "queue,queue name,department,group,ring group,skill,team,warteschlange,abteilung,cola,hang doi,nhom,"
    "bo phan",
    Field.DATE: "date,call date,day,datum,jour,fecha,ngay,ngay goi",
    Field.START: "start,start time,start date,start stamp,started,started at,starttime,call start,calldate,"
    "call time,date time,datetime,date and time,timestamp,time,time of call,begin,begin time,initiated,"
    "starting date,created,created at,date created,beginn,uhrzeit,zeit,debut,heure,inicio,hora,thoi gian,gio,gio goi,"
    "bat dau,thoi gian bat dau,thoi gian goi,ngay gio",
    Field.QUEUED: "queued,queued at,enter queue",
    Field.ANSWERED: "answer,answer time,answered,answered at,answer stamp,answer date,pickup,picked up,connect time,"
    "angenommen,thoi gian nghe,nghe may luc",
    Field.ENDED: "end,end time,end date,end stamp,ended,ended at,hangup time,disconnect time,finish,finished at,ende,"
    "fin,ket thuc,thoi gian ket thuc",
    Field.WAIT: "wait,wait time,waiting time,speed of answer,speed of answer in seconds,ring time,ring duration,"
    "ringing time,time in queue,hold time,answersec,waitsec,wartezeit,attente,espera,thoi gian cho,do chuong",
    Field.TALK: "billsec,bill sec,billable seconds,talk,talk time,talk duration,avg talk duration,talktime,"
    "conversation,conversation time,gesprachsdauer,thoi gian dam thoai,dam thoai",
    Field.DURATION: "duration,call duration,duration seconds,duration sec,duration in seconds,total duration,length,"
    "call length,total time,dauer,duree,duracion,thoi luong,thoi luong cuoc goi",
    Field.OUTCOME: "status,call status,disposition,outcome,result,hangup cause,state,answered y n,call result,"
    "call outcome,ergebnis,statut,estado,resultado,trang thai,ket qua,tinh trang",
}  # fmt: skip
_BY_HEADER = {header.strip(): field for field, headers in HEADERS.items() for header in headers.split(",")}

# Centres that log each phase of a call name the columns by phase and edge: vru_entry, q_start, ser_time.
_PHASES = {"menu": "ivr vru menu announcement", "queue": "q queue queueing wait waiting hold",
           "service": "ser serv service agent talk conversation call"}  # fmt: skip
_EDGES = {"start": "start entry enter begin in", "end": "end exit stop leave out finish",
          "time": "time duration length sec secs seconds"}  # fmt: skip
_PHASE_FIELDS = {
    ("menu", "start"): Field.START,
    ("menu", "end"): Field.LEFT_MENU,
    ("queue", "start"): Field.QUEUED,
    ("queue", "end"): Field.LEFT_QUEUE,
    ("queue", "time"): Field.WAIT,
    ("service", "start"): Field.ANSWERED,
    ("service", "end"): Field.ENDED,
    ("service", "time"): Field.TALK,
}

# Asterisk: numbers first, then from the column of the start stamp on (9 in cdr_csv, 8 in cdr_custom's example).
ASTERISK_STARTS = {9: 4, 8: 0}  # column of the start: column of the caller's name
ASTERISK_FROM_START = (Field.START, Field.ANSWERED, Field.ENDED, Field.DURATION, Field.TALK, Field.OUTCOME)
ASTERISK_ID = 16
FREESWITCH = {
    Field.CALLER_NAME: 0, Field.CALLER: 1, Field.CALLED: 2, Field.START: 4, Field.ANSWERED: 5, Field.ENDED: 6,
    Field.DURATION: 7, Field.TALK: 8, Field.OUTCOME: 9, Field.CALL_ID: 10,
}  # fmt: skip

_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}.*")
_CAUSE = re.compile(r"[A-Z][A-Z_]+")
_SAMPLE = 200


def guess(rows: Sequence[Sequence[str]]) -> Layout | None:
    """The meaning of the columns, or None if the rows are no call log that we can read."""
    if not rows:
        return None
    first = rows[0]
    if found := _known_without_header(rows):
        return found
    body = rows[1 : 1 + _SAMPLE]
    columns = _by_header(first, body)
    if not ({Field.START, Field.DATE} & columns.keys()):
        return None
    layout = "twilio" if "call sid" in {folded(cell) for cell in first} else "by header"
    return Layout(layout, columns, has_header=True)


def _known_without_header(rows: Sequence[Sequence[str]]) -> Layout | None:
    """Asterisk's and FreeSWITCH's own files, which have no header: told by what stands where."""
    sample = [row for row in rows[:_SAMPLE] if any(cell.strip() for cell in row)]

    def share(check: int, pattern: re.Pattern[str]) -> float:
        return sum(len(row) > check and bool(pattern.fullmatch(row[check].strip())) for row in sample) / len(sample)

    if not sample:
        return None
    width = max(len(row) for row in sample)
    for start, name in ASTERISK_STARTS.items():
        if width >= 16 and share(start, _STAMP) > 0.8 and share(start + 2, _STAMP) > 0.8:
            columns = {Field.CALLER: 1, Field.CALLED: 2, Field.CALLER_NAME: name}
            columns |= {field: start + step for step, field in enumerate(ASTERISK_FROM_START)}
            if width > ASTERISK_ID:
                columns[Field.CALL_ID] = ASTERISK_ID
            return Layout("asterisk", columns, has_header=not _STAMP.fullmatch(_cell(rows[0], start)))
    if width >= 11 and share(4, _STAMP) > 0.8 and share(6, _STAMP) > 0.8 and share(9, _CAUSE) > 0.8:
        return Layout("freeswitch", dict(FREESWITCH), has_header=not _STAMP.fullmatch(_cell(rows[0], 4)))
    return None


def _cell(row: Sequence[str], index: int) -> str:
    return row[index].strip() if index < len(row) else ""


def _by_header(header: Sequence[str], body: Sequence[Sequence[str]]) -> dict[Field, int]:
    """The first column that suits each field by its name and does not contradict it by its values."""
    columns: dict[Field, int] = {}
    for exact in (True, False):
        for index, cell in enumerate(header):
            if index in columns.values():
                continue
            field = _BY_HEADER.get(folded(cell)) if exact else _by_phase(cell)
            values = [_cell(row, index) for row in body if _cell(row, index)]
            field = _suited(field, values)
            if field and field not in columns:
                columns[field] = index
    return columns


def _by_phase(cell: str) -> Field | None:
    words = folded(cell).split()
    phase = next((name for name, known in _PHASES.items() if words and words[0] in known.split()), "")
    edge = next((name for name, known in _EDGES.items() if words and words[-1] in known.split()), "")
    return _PHASE_FIELDS.get((phase, edge)) if len(words) > 1 else None


def _suited(field: Field | None, values: Sequence[str]) -> Field | None:
    """The field, another one if the values say so, or None if they cannot be it."""
    match field:
        case Field.DIRECTION:
            return field if _most(values, lambda value: folded(value) in DIRECTIONS) else None
        case Field.ANSWERED | Field.OUTCOME:
            if _most(values, lambda value: folded(value) in OUTCOMES):
                return Field.OUTCOME
            return field if field is Field.OUTCOME or _most(values, _is_moment) else None
        case Field.START | Field.DATE | Field.ENDED | Field.QUEUED | Field.LEFT_MENU | Field.LEFT_QUEUE:
            if not _most(values, _is_moment):
                return None
            is_day = field is Field.START and _most(values, _is_only_a_day)
            return Field.DATE if is_day else field
        case Field.WAIT | Field.TALK | Field.DURATION:
            return field if _most(values, lambda value: parse_seconds(value) is not None) else None
    return field


def _most(values: Sequence[str], check: Callable[[str], bool]) -> bool:
    """Whether more than half of the values pass (a log has bad rows); no values at all contradict nothing."""
    return not values or 2 * sum(map(check, values)) > len(values)


def _is_moment(value: str) -> bool:
    return parse_moment(value, DateOrder.DAY_FIRST, UTC) is not None or (
        parse_moment(value, DateOrder.MONTH_FIRST, UTC) is not None
    )


def _is_only_a_day(value: str) -> bool:
    found = parse_moment(value, DateOrder.DAY_FIRST, UTC) or parse_moment(value, DateOrder.MONTH_FIRST, UTC)
    return found is not None and not isinstance(found, datetime | time)
