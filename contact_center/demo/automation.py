"""The shop's macros, and a rule that waits to be switched on."""

from datetime import datetime

from sqlalchemy import Connection

from contact_center.accounts.permissions import Role
from contact_center.automations import actions, conditions, macros, rules
from contact_center.automations.actions import FOR_MACROS, FOR_RULES, Do
from contact_center.automations.macros import ALL, Wanted
from contact_center.automations.triggers import Trigger
from contact_center.demo.cast import Cast

_MACROS: tuple[tuple[str, bool, tuple[tuple[Do, str], ...]], ...] = (
    (
        "Ask for the order number",
        False,
        (
            (
                Do.DRAFT,
                "Hello {{customer.name}},\n\ncould you tell me your order number? It is in the subject of our mail "
                "and begins with LL.\n\n{{agent.name}}",
            ),
            (Do.STATUS, "pending"),
        ),
    ),
    (
        "Đổi trả: gửi hướng dẫn",
        False,
        (
            (
                Do.DRAFT,
                "Chào {{customer.name}},\n\nanh/chị vui lòng dán phiếu trả hàng lên gói và gửi tại bưu cục gần nhất. "
                "Khi nhận được hàng, chúng tôi hoàn tiền trong 3 ngày.\n\n{{agent.name}}",
            ),
            (Do.TAG, "return"),
        ),
    ),
    (
        "Change the delivery address",
        True,
        (
            (Do.NOTE, "Address changed after the identity was confirmed."),
            (Do.DRAFT, "Thank you, {{customer.name}}: the parcel of #{{ticket.number}} goes to the new address."),
            (Do.TAG, "address"),
        ),
    ),
    ("Late parcel", False, ((Do.PRIORITY, "high"), (Do.TAG, "late"), (Do.ASSIGN, "me"))),
)


def seed(tx: Connection, cast: Cast, *, now: datetime) -> None:
    """Write them as a supervisor would."""
    author = cast.supervisors["Huong Vo"]
    for name, proven, does in _MACROS:
        read = actions.read([{"do": kind, "value": value} for kind, value in does], allowed=FOR_MACROS)
        macros.create(tx, Wanted(name, ALL, read, proven), user_id=author, role=Role.SUPERVISOR, now=now)
    asked = {
        "every": [{"field": "channel", "op": "is", "value": "email"}],
        "some": [
            {"field": "text", "op": "contains", "value": "refund, money back, hoan tien"},
            {"field": "subject", "op": "contains", "value": "refund, hoan tien"},
        ],
    }
    urgent = actions.read([{"do": "priority", "value": "high"}, {"do": "tag", "value": "refund"}], allowed=FOR_RULES)
    refunds = rules.Wanted("Refunds come first", Trigger.TICKET_OPENED, conditions.read(asked), urgent)
    rules.create(tx, refunds, user_id=author, now=now)
