"""A gateway that speaks SOAP: escaping, answers by path and pattern, faults, and a server on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

import pytest
from sqlalchemy import Connection, update

from channels.delivery import DeliveryLoop
from channels.models import DeliveryAttempt
from channels.sms.gateway import soap
from channels.sms.gateway.answer import NotTaken, Taken, Unclear, understand
from channels.sms.gateway.config import Gateway, of
from channels.sms.gateway.presets import PRESETS
from channels.sms.gateway.request import BadTemplate, prepare, values
from channels.sms.gateway.send import GatewaySender
from tests.channels.desk import PUBLIC, Desk
from tests.channels.sms.carrier import AUTH_TOKEN
from tests.channels.sms.test_delivery import answer, state, text
from tickets.models import ChannelAccount

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
BODY = f"""<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="{ENVELOPE}"><s:Body>
<b:sendSms xmlns:b="urn:bulk" to="{{{{to_digits}}}}"><user>{{{{user}}}}</user><password>{{{{password}}}}</password>
<content>{{{{text}}}}</content><requestId>{{{{reference}}}}</requestId></b:sendSms></s:Body></s:Envelope>"""
PATH = "Envelope.Body.sendSmsResponse.return"
VALUES = {
    "body_kind": "xml",
    "body": BODY,
    "headers": 'SOAPAction: "urn:bulk#send"',
    "ok_at": PATH + r" ~ ^(\d+)\|",
    "ok_values": "0",
    "id_at": PATH + r" ~ ^0\|(\w+)$",
    "error_at": PATH + r" ~ ^[1-9]\d*\|(.+)$",
}
HOSTILE = "</content><to>1</to> & \"x\" 'y' ]]> <!-- {{password}}\n\tend \x00\x1f😀"


def envelope(inner: str) -> bytes:
    return f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


def said(text: str) -> bytes:
    return envelope(f'<r:sendSmsResponse xmlns:r="urn:bulk"><return>{text}</return></r:sendSmsResponse>')


def test_no_value_breaks_out_of_a_text_or_an_attribute() -> None:
    filled = soap.fill("<a b=\"{{to}}\" c='{{to}}'><d>{{ to }}</d></a>", {"to": HOSTILE})
    root = ElementTree.fromstring(filled)
    expected = HOSTILE.replace("\x00", "").replace("\x1f", "")
    assert [root.get("b"), root.get("c"), root.findtext("d")] == [expected] * 3
    assert [child.tag for child in root] == ["d"]


@pytest.mark.parametrize(
    "template",
    [
        "<a>{{to}}",
        "<a><![CDATA[{{to}}]]></a>",
        "<a><!-- {{to}} --></a>",
        "<{{to}}/>",
        "<a {{to}}='1'/>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>{{to}}</a>",
        "<?xml version='1.0' encoding='utf-16'?><a>{{to}}</a>",
        "<a>{{nothing}}</a>",
        "",
    ],
)
def test_a_template_with_a_place_where_nothing_can_be_escaped_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate) as refused:
        prepare(Gateway(url="https://sms.test/", body_kind="xml", body=template), {"to": "+84"})
    assert refused.value.field == "body"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, said("0|abc42"), Taken("abc42")),
        (200, said("7|Het tien"), NotTaken("7", "Het tien")),
        (200, said("who knows"), Unclear()),
        (200, envelope("<other/>"), Unclear()),
        (200, b"<html>ok", Unclear()),
        (500, envelope("<s:Fault><faultcode>s:Client</faultcode><faultstring>No</faultstring></s:Fault>"), "Client"),
        (500, envelope("<s:Fault><faultcode>s:Server</faultcode><faultstring>?</faultstring></s:Fault>"), Unclear()),
        (500, b"<!DOCTYPE html><html>oops</html>", Unclear()),
    ],
)
def test_an_answer_is_read_by_path_and_pattern(status: int, body: bytes, expected: object) -> None:
    found = understand(Gateway(**VALUES), status, body)
    assert found == (NotTaken("Client", "No") if expected == "Client" else expected)


def test_attributes_repeated_names_and_depth_are_read_without_a_crash() -> None:
    tree = soap.read(b'<a><b id="1">x</b><b>y</b><c xmlns="urn:z">&lt;in/&gt;</c></a>')
    assert tree == {"a": {"b": [{"@id": "1", "#text": "x"}, "y"], "c": "<in/>"}}
    assert soap.read(b"<a>" * 20_000 + b"</a>" * 20_000) is None
    assert soap.read(b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>') is None


def test_soap_12_faults_that_blame_the_request_are_a_no() -> None:
    code, reason = "<s:Value>s:Sender</s:Value>", "<s:Text>Bad login</s:Text>"
    fault = f"<s:Fault><s:Code>{code}</s:Code><s:Reason>{reason}</s:Reason></s:Fault>"
    assert understand(Gateway(**VALUES), 500, envelope(fault)) == NotTaken("Sender", "Bad login")


@dataclass
class Bulk:
    """A bulk service: takes one envelope a connection; `fault` is what goes wrong with the next."""

    port: int = 0
    fault: str = ""
    heads: list[str] = field(default_factory=list)
    taken: list[dict[str, str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length:")[2].split("\r\n")[0])
        root = ElementTree.fromstring(await reader.readexactly(length))
        self.heads.append(head)
        order = root.find(f"{{{ENVELOPE}}}Body/{{urn:bulk}}sendSms")
        assert order is not None
        status, content = self._carry_out({"to": order.get("to", ""), **{one.tag: one.text or "" for one in order}})
        if status:
            writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        writer.close()

    def _carry_out(self, order: dict[str, str]) -> tuple[int, bytes]:
        fault, self.fault = self.fault, ""
        if order["password"] != "p<w&":
            return 200, said("1|Sai mật khẩu")
        if fault == "client":
            return 500, envelope("<s:Fault><faultcode>s:Client</faultcode><faultstring>Bad</faultstring></s:Fault>")
        self.taken.append(order)
        return (0, b"") if fault == "cut" else (200, said(f"0|id{len(self.taken)}"))


@pytest.fixture
async def bulk() -> AsyncIterator[Bulk]:
    service = Bulk()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    async with server:
        yield service


async def send(desk: Desk, bulk: Bulk, words: str, *, password: str = "p<w&") -> int:
    """A customer writes by another line; the answer leaves by the SOAP gateway."""
    host = f"127.0.0.1:{bulk.port}"
    secrets = {"gateway_user": "shop", "gateway_password": password, "auth_token": AUTH_TOKEN}
    account = await desk.account(address="SHOPVN", secrets=secrets, settings={"region": "VN"})
    await text(desk, account, "Alo?")
    settings = {"provider": "gateway", "gateway": {**VALUES, "url": f"http://{host}/bulk"}}
    message_id = await answer(desk, words)
    await desk.db.write(_become, account.id, settings)
    sender = GatewaySender(desk.services.vault, public_url=PUBLIC, private=[host])
    await DeliveryLoop(desk.services, {"sms": sender}).run_once()
    return message_id


def _become(tx: Connection, account_id: int, settings: dict[str, object]) -> None:
    tx.execute(update(ChannelAccount).where(ChannelAccount.id == account_id).values(settings=settings))


async def test_a_reply_leaves_as_an_envelope_and_its_id_is_kept(sqlite_desk: Desk, bulk: Bulk) -> None:
    message_id = await send(sqlite_desk, bulk, 'Còn <hàng> & "giá" tốt')
    assert await state(sqlite_desk, message_id) == ("sent", None)
    [order] = bulk.taken
    assert (order["to"], order["user"], order["content"]) == ("84903123456", "shop", 'Còn <hàng> & "giá" tốt')
    head = bulk.heads[0].lower()
    assert 'soapaction: "urn:bulk#send"' in head
    assert "content-type: text/xml; charset=utf-8" in head
    assert [attempt.external_id for attempt in await sqlite_desk.rows(DeliveryAttempt)] == ["id1"]


async def test_a_refusal_is_told_in_the_services_words(sqlite_desk: Desk, bulk: Bulk) -> None:
    message_id = await send(sqlite_desk, bulk, "hello", password="wrong")
    assert await state(sqlite_desk, message_id) == ("failed", "Sai mật khẩu")


@pytest.mark.parametrize(("fault", "expected"), [("cut", "uncertain"), ("client", "failed")])
async def test_a_cut_line_is_uncertain_and_a_fault_of_ours_is_a_no(
    sqlite_desk: Desk, bulk: Bulk, fault: str, expected: str
) -> None:
    bulk.fault = fault
    message_id = await send(sqlite_desk, bulk, "hello")
    assert (await state(sqlite_desk, message_id))[0] == expected


VIETTEL = of({"gateway": PRESETS["viettel"].values})


def viettel(result: str, message: str) -> bytes:
    """The answer of the bulk service, as its users have published it."""
    inner = f"<return><message>{message}</message><result>{result}</result></return>"
    name = "wsCpMtResponse"
    return envelope(f'<ns2:{name} xmlns:ns2="http://impl.bulkSms.ws/">{inner}</ns2:{name}>')


def test_the_viettel_preset_says_what_its_documentation_asks_for() -> None:
    secrets = {"gateway_user": "smsbrand", "gateway_password": "p&<w"}
    filled = values(
        to="+84976969454", sender="LOTUS", text="Chào & <b>", reference="1", receipt_url="", secrets=secrets
    )
    root = ElementTree.fromstring(prepare(VIETTEL, filled).content)
    call = root.find(f"{{{ENVELOPE}}}Body/{{http://impl.bulkSms.ws/}}wsCpMt")
    assert call is not None
    named = "User Password CPCode RequestID UserID ReceiverID ServiceID CommandCode Content ContentType"
    assert [child.tag for child in call] == named.split()
    said = {child.tag: child.text for child in call}
    assert (said["User"], said["Password"], said["ServiceID"]) == ("smsbrand", "p&<w", "LOTUS")
    assert (said["ReceiverID"], said["Content"], said["ContentType"]) == ("84976969454", "Chào & <b>", "1")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, viettel("1", "Insert MT_QUEUE: OK"), Taken(None)),
        (200, viettel("0", "Authenticate: IP_INVALID"), NotTaken("0", "Authenticate: IP_INVALID")),
        (200, envelope("<x/>"), Unclear()),
        (502, b"<html/>", Unclear()),
    ],
)
def test_the_viettel_presets_answers_are_understood(
    status: int, body: bytes, expected: Taken | NotTaken | Unclear
) -> None:
    assert understand(VIETTEL, status, body) == expected
