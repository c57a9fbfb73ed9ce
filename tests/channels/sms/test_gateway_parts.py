"""The gateway's pure parts: requests that no value breaks out of, answers, callbacks, and who is believed."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest

from channels.sms.gateway.answer import NotTaken, Taken, Unclear, understand
from channels.sms.gateway.config import Gateway, is_gateway, of, state_lines, state_of
from channels.sms.gateway.parse import is_report, parse_inbound, parse_report, read_fields
from channels.sms.gateway.presets import PRESETS
from channels.sms.gateway.proof import is_proven, moment
from channels.sms.gateway.request import BadTemplate, prepare, shown, values, without_marks
from channels.sms.parse import BadForm
from tickets.states import Delivery

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
EVIL = 'a"}, "to": ["1"] &x=1\r\nX: y {{password}} ữ'
FILLED = values(
    to="+84903123456",
    sender="SHOP",
    text=EVIL,
    reference="7-20261122100000",
    receipt_url="https://desk.test/hooks/sms/k/receipt/t",
    secrets={"gateway_user": "me", "gateway_password": "p&w"},
)


def preset(name: str, **more: Any) -> Gateway:
    return of({"gateway": {**PRESETS[name].values, **more}})


def test_no_text_breaks_out_of_json_form_or_address() -> None:
    as_json = prepare(preset("speedsms"), FILLED)
    assert json.loads(as_json.content) == {"to": ["84903123456"], "content": EVIL, "sms_type": 3, "sender": "SHOP"}
    assert as_json.headers["authorization"] == "Basic " + base64.b64encode(b"me:p&w").decode()
    form = prepare(Gateway(url="https://sms.test/", body_kind="form", body="text={{text}}\npw={{password}}"), FILLED)
    assert dict(parse_qsl(form.content.decode())) == {"text": EVIL, "pw": "p&w"}
    got = prepare(Gateway(method="GET", url="https://sms.test/a?t={{text}}&u={{user}}", body_kind="none"), FILLED)
    assert dict(parse_qsl(urlsplit(got.url).query)) == {"t": EVIL, "u": "me"}
    assert got.content == b""


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "https://{{to}}.test/"}, "url"),
        ({"url": "ftp://sms.test/"}, "url"),
        ({"headers": "X-Text: {{text}}"}, "headers"),
        ({"headers": "no colon"}, "headers"),
        ({"body": "{not json"}, "body"),
        ({"body": '{"a": "{{nothing}}"}'}, "body"),
    ],
)
def test_a_template_that_cannot_work_is_named(wrong: dict[str, str], field: str) -> None:
    good = {"url": "https://sms.test/", "body": "{}"}
    with pytest.raises(BadTemplate) as caught:
        prepare(Gateway(**{**good, **wrong}), FILLED)
    assert caught.value.field == field


def test_what_is_shown_to_people_opens_nothing() -> None:
    seen = prepare(preset("esms"), shown(FILLED)).content.decode()
    assert "p&w" not in seen
    assert '"ApiKey": "•••••"' in seen


def test_texts_lose_their_marks_and_numbers_take_the_gateways_form() -> None:
    assert without_marks("Đơn hàng của Quý Khách: 100.000₫") == "Don hang cua Quy Khach: 100.000₫"
    assert (FILLED["to_national"], FILLED["to_digits"], FILLED["unicode"]) == ("0903123456", "84903123456", "1")


ESMS_OK = b'{"CodeResult":"100","CountRegenerate":0,"SMSID":"d533459ee42b2b9525ba9eabf6a8156"}'
SPEED_OK = b'{"status":"success","code":"00","data":{"tranId":123456,"totalSMS":1,"totalPrice":250,"invalidPhone":[]}}'


@pytest.mark.parametrize(
    ("name", "status", "body", "expected"),
    [
        ("esms", 200, ESMS_OK, Taken("d533459ee42b2b9525ba9eabf6a8156")),
        ("esms", 200, b'{"CodeResult":"124","ErrorMessage":"Duplicate"}', Taken(None)),
        ("esms", 200, b'{"CodeResult":"103","ErrorMessage":"No balance"}', NotTaken("103", "No balance")),
        ("speedsms", 200, SPEED_OK, Taken("123456")),
        (
            "speedsms",
            200,
            b'{"status":"error","code":"105","message":"Phone invalid"}',
            NotTaken("105", "Phone invalid"),
        ),
        ("esms", 200, b"<html>", Unclear()),
        ("esms", 200, b"[" * 100_000, Unclear()),
        ("esms", 502, ESMS_OK, Unclear()),
    ],
)
def test_an_answer_is_a_yes_a_no_or_unclear(name: str, status: int, body: bytes, expected: object) -> None:
    assert understand(preset(name), status, body) == expected


def test_plain_answers_and_http_refusals_are_understood() -> None:
    plain = Gateway(ok_values="0*")
    assert understand(plain, 202, b"0: Accepted for delivery") == Taken(None)
    assert understand(plain, 200, b"Routing error") == NotTaken("Routing error", "Routing error")
    busy, moved = understand(plain, 429, b""), understand(plain, 301, b"")
    assert isinstance(busy, NotTaken)
    assert isinstance(moved, NotTaken)
    assert (busy.retryable, moved.retryable) == (True, False)


@pytest.mark.parametrize(
    ("query", "body", "kind", "expected"),
    [
        (b"a=1&b=%C4%91", b"", "", {"a": "1", "b": "đ"}),
        (b"a=2", b"a=1&c=x+y", "application/x-www-form-urlencoded", {"a": "1", "c": "x y"}),
        (
            b"",
            '{"a":{"b":["đ",2]},"c":true,"d":null}'.encode(),
            "application/json",
            {"a.b.0": "đ", "a.b.1": "2", "c": "true"},
        ),
        (b"", b'{"a":"\\ud800x\\u0000"}', "", {"a": "\ufffd\ufffd\ufffdx\ufffd"}),
        (b"", b"", "", {}),
    ],
)
def test_callbacks_of_any_form_become_plain_fields(query: bytes, body: bytes, kind: str, expected: object) -> None:
    assert read_fields(query, body, kind) == expected


@pytest.mark.parametrize("body", [b"{", b"[" * 5_000, b'{"a":' * 50 + b"1" + b"}" * 50, b"\xff\xfe=1"])
def test_what_is_no_callback_is_refused_without_a_crash(body: bytes) -> None:
    with pytest.raises(BadForm):
        read_fields(b"", body, "application/json")


def test_reports_are_told_from_messages_and_put_into_our_words() -> None:
    speed = preset("speedsms", kind_at="type", kind_receipt="report", in_from="phone", in_text="content")
    fields = {"type": "report", "tranId": "123456", "phone": "84903123456", "status": "0"}
    assert is_report(speed, fields)
    assert not is_report(speed, {"type": "sms", "phone": "84903123456", "content": "hi"})
    report = parse_report(speed, fields)
    assert (report.external_id, report.state) == ("123456", Delivery.DELIVERED)
    assert [state_of(speed, said) for said in ("5", "64", "200", "x")] == [
        Delivery.SENT,
        Delivery.FAILED,
        Delivery.FAILED,
        None,
    ]
    sample = {"SMSID": "dc71", "SendFailed": "2", "SendStatus": "5", "SendSuccess": "0", "TypeId": "2"}
    assert parse_report(preset("esms"), sample).state is Delivery.FAILED


def test_a_message_without_an_id_gets_its_own_and_one_whose_id_is_missing_is_refused() -> None:
    gateway = Gateway(in_from="from", in_text="text")
    assert parse_inbound(gateway, {"from": "0903123456", "text": "a"}, unnamed="own").sid == "own"
    with pytest.raises(BadForm, match="id is missing"):
        parse_inbound(Gateway(in_from="from", in_text="text", in_id="id"), {"from": "1", "text": "a"}, unnamed="own")


def proven(gateway: Gateway, **more: Any) -> bool:
    given: dict[str, Any] = {"headers": {}, "fields": {}, "body": b"", "zone": HANOI, "now": NOW, **more}
    return is_proven(gateway, ["", "s3cret"], **given)


def test_a_token_is_believed_in_a_header_or_a_field_and_never_without_a_secret() -> None:
    gateway = Gateway(proof="token")
    assert proven(gateway, headers={"authorization": "Bearer s3cret"})
    assert proven(Gateway(proof="token", proof_at="token"), fields={"token": "s3cret"})
    assert not proven(gateway, headers={"authorization": "Bearer s3cre"})
    assert not proven(gateway, headers={"authorization": "Bearer ế"})
    assert not proven(gateway)
    empty: dict[str, Any] = {"fields": {}, "body": b"", "zone": HANOI, "now": NOW}
    assert not is_proven(gateway, ["", ""], headers={"authorization": "Bearer "}, **empty)


@pytest.mark.parametrize("spelling", ["hex", "base64", "prefixed"])
def test_an_hmac_over_time_and_body_is_believed_for_five_minutes(spelling: str) -> None:
    gateway = Gateway(proof="hmac", proof_at="X-Signature", time_at="X-Timestamp", proof_text="{{time}}.{{body}}")
    body = b'{"text":"hi"}'

    def headers(at: datetime) -> dict[str, str]:
        time = str(int(at.timestamp()))
        digest = hmac.digest(b"s3cret", f"{time}.".encode() + body, hashlib.sha256)
        spelt = base64.b64encode(digest).decode() if spelling == "base64" else digest.hex()
        return {"x-signature": "sha256=" + spelt if spelling == "prefixed" else spelt, "x-timestamp": time}

    assert proven(gateway, headers=headers(NOW - timedelta(minutes=4)), body=body)
    assert not proven(gateway, headers=headers(NOW - timedelta(minutes=6)), body=body)
    assert not proven(gateway, headers=headers(NOW + timedelta(minutes=6)), body=body)
    assert not proven(gateway, headers=headers(NOW), body=body + b" ")
    later = {**headers(NOW - timedelta(minutes=6)), "x-timestamp": str(int(NOW.timestamp()))}
    assert not proven(gateway, headers=later, body=body)


def test_a_published_digest_is_believed() -> None:
    # hash("abcdef", "1234", "xyz") with the private key, as eSMS's documentation gives it.
    gateway = Gateway(proof="digest", proof_at="sign", algorithm="md5", proof_text="{{a}}{{b}}{{c}}{{secret}}")
    sign = hashlib.md5(b"abcdef1234xyz17417a0d20114d36a902e49cad0e97f3", usedforsecurity=False).digest()
    fields = {"a": "abcdef", "b": "1234", "c": "xyz", "sign": base64.b64encode(sign).decode()}
    given: dict[str, Any] = {"headers": {}, "body": b"", "zone": HANOI, "now": NOW}
    key = ["17417a0d20114d36a902e49cad0e97f3"]
    assert is_proven(gateway, key, fields=fields, **given)
    assert not is_proven(gateway, key, fields={**fields, "b": "1235"}, **given)
    assert not is_proven(Gateway(proof="digest", proof_at="sign", algorithm="crc"), key, fields=fields, **given)


@pytest.mark.parametrize("text", ["1795341600", "1795341600000", "20261122170000", "2026-11-22T10:00:00Z"])
def test_times_are_read_as_gateways_write_them(text: str) -> None:
    assert moment(text, HANOI) == NOW


@pytest.mark.parametrize("text", ["", "yesterday", "9" * 40, "20261399000000"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment(text, HANOI) is None


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_names_fields_that_exist_and_fills_in(name: str) -> None:
    gateway = preset(name)
    assert set(PRESETS[name].values) <= set(Gateway.__dataclass_fields__)
    assert bool(state_lines(gateway.states)) == bool(gateway.receipt_state)
    if gateway.url:
        assert prepare(gateway, FILLED).url.startswith("https://")
    assert is_gateway({"provider": "gateway"})
    assert not is_gateway({})
