"""The demo shop's WhatsApp templates, as Twilio's Content API lists them with WhatsApp's word on each."""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from channels.sms import templates
from channels.sms.whatsapp import with_prefix
from contact_center.demo.cast import TWILIO_ACCOUNT, WHATSAPP_NUMBER

# What whoever sits in front of the demo calls themselves there.
PROFILE = "You"

# (name, language, body, place -> example, WhatsApp's word, why it was refused)
_WRITTEN = (
    ("order_delayed", "en", "Hello {{1}}, order {{2}} will reach you on {{3}}. We are sorry for the wait.",
     ("Anna", "LL-20417", "Friday"), "approved", ""),
    ("order_delayed", "vi", "Chào {{1}}, đơn {{2}} sẽ tới bạn vào {{3}}. Xin lỗi vì đã để bạn chờ.",
     ("Lan", "LL-20417", "thứ Sáu"), "approved", ""),
    ("parcel_is_here", "en", "Hello {{1}}, your parcel waits at {{2}} until {{3}}.",
     ("Anna", "Nguyen Hue post office", "Saturday"), "approved", ""),
    ("parcel_is_here", "vi", "Chào {{1}}, kiện hàng của bạn chờ tại {{2}} đến hết {{3}}.",
     ("Lan", "bưu cục Nguyễn Huệ", "thứ Bảy"), "approved", ""),
    ("money_is_back", "en", "Hello {{1}}, we have sent {{2}} back to your account. Reply here if it does not arrive.",
     ("Anna", "350,000 VND"), "approved", ""),
    ("money_is_back", "vi", "Chào {{1}}, chúng tôi đã chuyển lại {{2}}. Nếu chưa nhận được, bạn nhắn lại tại đây nhé.",
     ("Lan", "350.000đ"), "approved", ""),
    ("new_season", "en", "New lamps and tea sets are here, {{1}}.", ("Anna",), "pending", ""),
    ("half_price", "en", "ONLY TODAY!!! Everything at half price, {{1}}!!!", ("Anna",), "rejected",
     "The text is written like an advertisement but was handed in as utility."),
)  # fmt: skip


def _resource(number: int) -> Mapping[str, Any]:
    name, language, body, examples, status, reason = _WRITTEN[number]
    approval = {"name": name, "category": "UTILITY", "content_type": "twilio/text", "status": status}
    return {
        "sid": f"HX{number:032x}",
        "account_sid": TWILIO_ACCOUNT,
        "friendly_name": name,
        "language": language,
        "variables": {str(place): example for place, example in enumerate(examples, 1)},
        "types": {"twilio/text": {"body": body}},
        "approval_requests": {**approval, "rejection_reason": reason},
    }


CONTENTS = tuple(_resource(number) for number in range(len(_WRITTEN)))
_BODIES = {content["sid"]: content["types"]["twilio/text"]["body"] for content in CONTENTS}


def seed(tx: Connection, account_id: int, *, now: datetime) -> None:
    """Have the templates before the loop fetches them, so that the first page has them."""
    read = (templates.read(SimpleNamespace(**content)) for content in CONTENTS)
    templates.keep(tx, account_id, [one for one in read if one is not None], now=now)


def listed() -> Response:
    """What the Content API answers, on one page."""
    meta = {"page": 0, "page_size": 100, "key": "contents", "next_page_url": None, "previous_page_url": None}
    return JSONResponse({"contents": list(CONTENTS), "meta": meta})


def words(content_sid: str, values: Mapping[str, str]) -> str | None:
    """What a template says with these values; None for none of ours."""
    body = _BODIES.get(content_sid)
    return templates.fill(body, values) if body else None


def told(number: str) -> dict[str, str]:
    """What Twilio adds to, and changes in, the form of an SMS when a message came by WhatsApp."""
    return {
        "From": with_prefix(number),
        "To": with_prefix(WHATSAPP_NUMBER),
        "WaId": number.removeprefix("+"),
        "ProfileName": PROFILE,
    }
