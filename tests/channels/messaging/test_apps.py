"""What the messaging apps call us with, in the shapes of their documentation, and who may call."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from channels.messaging.app import BadPayload, RemoteFile, Reported, Said
from channels.messaging.messenger import MessengerApp
from channels.messaging.webhook import WebhookApp
from channels.messaging.zalo import ZaloApp
from contact_center.core.clock import utcnow
from tickets.channel_accounts import Account
from tickets.states import Channel, Delivery

WORDS = st.sampled_from(
    [
        *["type", "id", "from", "text", "files", "url", "object", "entry", "messaging", "message", "mid", "sender"],
        *["attachments", "payload", "delivery", "mids", "read", "watermark", "postback", "title", "event_name"],
        *["msg_id", "msg_ids", "coordinates", "state", "is_echo"],
    ]
)
SECRET = "whsec_" + base64.b64encode(b"0" * 24).decode()


def account(settings: dict[str, Any] | None = None, **secrets: str) -> Account:
    return Account(1, Channel.MESSAGING, "app", "page", "key", 1, True, settings or {}, secrets)


async def keep(account: Account, tokens: Any) -> Any:
    return {**account.secrets, **tokens}


# Zalo: https://developers.zalo.me/docs/official-account/webhook/tin-nhan
ZALO_TEXT = {
    "app_id": "360846524940903967",
    "sender": {"id": "246845883529197922"},
    "user_id_by_app": "552177279717587730",
    "recipient": {"id": "388613280878808645"},
    "event_name": "user_send_text",
    "message": {"text": "Đơn hàng của tôi đâu?", "msg_id": "96d3cdf3af150460909"},
    "timestamp": "154390853474",
}
ZALO_IMAGE = {
    **ZALO_TEXT,
    "event_name": "user_send_image",
    "message": {
        "msg_id": "2",
        "text": "Bị rách",
        "attachments": [
            {"type": "image", "payload": {"thumbnail": "https://x/t", "url": "https://photo.zdn.vn/1.jpg"}}
        ],
    },
}
ZALO_PLACE = {
    **ZALO_TEXT,
    "event_name": "user_send_location",
    "message": {
        "msg_id": "3",
        "attachments": [
            {"type": "location", "payload": {"coordinates": {"latitude": "10.764", "longitude": "106.656"}}}
        ],
    },
}
ZALO_SEEN = {**ZALO_TEXT, "event_name": "user_seen_message", "message": {"msg_ids": ["a", "b"]}}


def test_zalo_tells_words_pictures_and_places() -> None:
    app = ZaloApp(keep)
    assert app.read(ZALO_TEXT) == [Said("96d3cdf3af150460909", "246845883529197922", "", "Đơn hàng của tôi đâu?")]
    [picture] = app.read(ZALO_IMAGE)
    assert isinstance(picture, Said)
    assert (picture.text, picture.files) == ("Bị rách", (RemoteFile("https://photo.zdn.vn/1.jpg"),))
    [place] = app.read(ZALO_PLACE)
    assert isinstance(place, Said)
    assert place.text == "https://www.openstreetmap.org/?mlat=10.764&mlon=106.656"


def test_zalo_tells_what_was_seen_and_nothing_of_followers() -> None:
    app = ZaloApp(keep)
    assert app.read(ZALO_SEEN) == [Reported(Delivery.READ, id="a"), Reported(Delivery.READ, id="b")]
    assert app.read({**ZALO_TEXT, "event_name": "follow"}) == []


def test_zalo_signs_with_the_key_of_the_official_account() -> None:
    body = json.dumps(ZALO_TEXT).encode()
    own = account({"app_id": "360846524940903967"}, oa_secret="geheim")
    mac = hashlib.sha256(b"360846524940903967" + body + b"154390853474" + b"geheim").hexdigest()
    app = ZaloApp(keep)
    assert app.is_genuine(own, {"x-zevent-signature": f"mac={mac}"}, body)
    assert not app.is_genuine(own, {"x-zevent-signature": f"mac={mac}"}, body + b" ")
    assert not app.is_genuine(account({"app_id": "1"}), {"x-zevent-signature": f"mac={mac}"}, body)
    assert not app.is_genuine(own, {}, b"no json")


# Messenger: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events
def page(*events: dict[str, Any]) -> dict[str, Any]:
    sides = {"sender": {"id": "PSID"}, "recipient": {"id": "PAGE"}, "timestamp": 1458692752478}
    return {"object": "page", "entry": [{"id": "PAGE", "time": 1, "messaging": [{**sides, **one} for one in events]}]}


def test_messenger_tells_several_things_at_once_and_its_echoes_are_nothing() -> None:
    told = page(
        {"message": {"mid": "m_1", "text": "hello"}},
        {"message": {"mid": "m_2", "is_echo": True, "text": "from us"}},
        {"message": {"mid": "m_3", "attachments": [{"type": "image", "payload": {"url": "https://scontent/x.png"}}]}},
        {"message": {"mid": "m_4", "attachments": [{"type": "fallback", "payload": {"url": "https://shop/1"}}]}},
        {"postback": {"mid": "m_5", "title": "Talk to a person", "payload": "HUMAN"}},
        {"reaction": {"reaction": "love", "mid": "m_1"}},
    )
    assert MessengerApp().read(told) == [
        Said("m_1", "PSID", "", "hello"),
        Said("m_3", "PSID", "", "", (RemoteFile("https://scontent/x.png"),)),
        Said("m_4", "PSID", "", "https://shop/1"),
        Said("m_5", "PSID", "", "Talk to a person"),
    ]


def test_messenger_tells_what_was_delivered_and_until_when_all_was_read() -> None:
    told = page({"delivery": {"mids": ["m_9"], "watermark": 1}}, {"read": {"watermark": 1458668856253}})
    moment = datetime.fromtimestamp(1458668856.253, UTC)
    assert MessengerApp().read(told) == [
        Reported(Delivery.DELIVERED, id="m_9"),
        Reported(Delivery.READ, person="PSID", until=moment),
    ]


def test_messenger_signs_with_the_app_secret_and_asks_for_the_verify_token() -> None:
    app, own, body = MessengerApp(), account(app_secret="s", verify_token="words"), b"{}"
    good = "sha256=" + hmac.new(b"s", body, hashlib.sha256).hexdigest()
    assert app.is_genuine(own, {"x-hub-signature-256": good}, body)
    assert not app.is_genuine(own, {"x-hub-signature-256": good[:-1] + "x"}, body)
    assert not app.is_genuine(account(), {"x-hub-signature-256": good}, body)
    asked = {"hub.mode": "subscribe", "hub.verify_token": "words", "hub.challenge": "1158201444"}
    assert app.challenge(own, asked) == "1158201444"
    assert app.challenge(own, {**asked, "hub.verify_token": "other"}) is None
    assert app.challenge(account(), {**asked, "hub.verify_token": ""}) is None


# Ours: docs/messaging.md
def test_our_contract_tells_messages_and_reports() -> None:
    app = WebhookApp()
    message = {
        "type": "message",
        "id": "7",
        "from": {"id": "u-1", "name": "An"},
        "text": "hi",
        "files": [{"url": "https://x/y.pdf", "type": "application/pdf"}],
    }
    assert app.read(message) == [Said("7", "u-1", "An", "hi", (RemoteFile("https://x/y.pdf", "application/pdf"),))]
    report = {"type": "report", "id": "message-1", "state": "failed", "error": "blocked"}
    assert app.read(report) == [Reported(Delivery.FAILED, id="message-1", error="blocked")]


@pytest.mark.parametrize(
    ("app", "payload"),
    [
        (WebhookApp(), []),
        (WebhookApp(), {"type": "other"}),
        (WebhookApp(), {"type": "message", "id": "7", "from": {"id": "u"}}),
        (WebhookApp(), {"type": "message", "id": "x" * 201, "from": {"id": "u"}, "text": "hi"}),
        (WebhookApp(), {"type": "message", "id": "7", "from": "me", "text": "hi"}),
        (WebhookApp(), {"type": "message", "id": "7", "from": {"id": "u"}, "text": "hi", "files": ["x"]}),
        (WebhookApp(), {"type": "report", "id": "7", "state": "queued"}),
        (MessengerApp(), {"object": "user", "entry": []}),
        (MessengerApp(), page({"message": {"text": "no id"}})),
        (MessengerApp(), {"object": "page", "entry": [{"messaging": ["x"]}]}),
        (ZaloApp(keep), {"event_name": "user_send_text"}),
        (ZaloApp(keep), {**ZALO_TEXT, "message": {"text": "no id"}}),
    ],
)
def test_what_nobody_sends_is_refused_in_words(app: Any, payload: Any) -> None:
    with pytest.raises(BadPayload, match=r"must be|is no|object"):
        app.read(payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize("app", [WebhookApp(), MessengerApp(), ZaloApp(keep)], ids=["webhook", "messenger", "zalo"])
@given(payload=JSON, event=st.sampled_from([{}, ZALO_IMAGE, ZALO_SEEN, page({"message": {"mid": "1"}})]))
def test_no_payload_does_harm(app: Any, payload: Any, event: dict[str, Any]) -> None:
    told = {**event, **payload} if isinstance(payload, dict) else payload
    try:
        app.read(told)
    except BadPayload:
        return


def test_our_contract_is_signed_as_standard_webhooks_are() -> None:
    body = '{"type": "message"}'
    now = utcnow()
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("m1", now, body),
    }
    app, own = WebhookApp(), account(secret=SECRET)
    assert app.is_genuine(own, headers, body.encode())
    assert not app.is_genuine(own, headers, body.encode() + b" ")
    assert not app.is_genuine(own, {**headers, "webhook-timestamp": "1614265330"}, body.encode())
    assert not app.is_genuine(own, {**headers, "webhook-signature": "v1"}, body.encode())
    assert not app.is_genuine(account(), headers, body.encode())
