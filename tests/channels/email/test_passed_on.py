"""Several mails that an agent attaches to one: the first is the customer's, the others are named on the message."""

import email
import email.policy

from agent_ui.entries import as_also
from tests.channels.desk import Desk
from tests.channels.email.letters import deliver, letter, mailbox
from tests.factories import make_user
from tickets.models import ContactPoint, Message


async def test_the_first_is_the_customers_and_the_others_are_named(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    await sqlite_desk.db.write(make_user, name="Lan", email="lan@shop.test")
    outer = email.message_from_bytes(
        letter("Please take these.\n", subject="Two", **{"from": "Lan <lan@shop.test>"}), policy=email.policy.default
    )
    for who, subject in (("Bob <bob@example.test>", "Lamp"), ("Minh <minh@example.test>", "Chair")):
        inner = letter(f"About the {subject}.\n", subject=subject, **{"from": who})
        outer.add_attachment(email.message_from_bytes(inner, policy=email.policy.default))

    await deliver(sqlite_desk, account, outer.as_bytes())

    message = (await sqlite_desk.rows(Message))[0]
    assert (await sqlite_desk.rows(ContactPoint))[0].value == "bob@example.test"
    assert message.text.strip() == "About the Lamp."
    assert [as_also(one) for one in message.meta["forwarded_also"]] == ["Minh: Chair"]


def test_a_mail_without_a_sender_is_listed_all_the_same() -> None:
    assert as_also({"from": {"name": "", "address": ""}, "subject": "Chair"}) == "?: Chair"
    assert as_also({"from": {"name": "", "address": "a@b.test"}, "subject": ""}) == "a@b.test"
