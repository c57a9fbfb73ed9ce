"""Machines are never answered, people are never taken for machines, parcels are no bounces."""

import pytest

from channels.email.parse import parse


def mail(subject: str = "Hello", body: str = "hi", sender: str = "Anna <anna@example.test>", **headers: str) -> bytes:
    fields = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    return f"From: {sender}\nTo: support@shop.test\nSubject: {subject}\n{fields}\n{body}\n".encode()


@pytest.mark.parametrize(
    "raw",
    [
        mail(Auto_Submitted="auto-generated"),
        mail(Auto_Submitted="auto-replied (vacation)"),
        mail(Precedence="bulk"),
        mail(X_Autoreply="yes"),
        mail(X_Auto_Response_Suppress="All"),
        mail(Return_Path="<>"),
        mail("Automatic reply: Hello"),
        mail("Out of Office: Hello"),
        mail("Automatische Antwort: Hallo"),
        mail("Réponse automatique : Bonjour"),
        mail("Trả lời tự động: Đơn hàng"),
        mail("自动回复: 你好"),
        mail(sender="MAILER-DAEMON@example.test"),
    ],
)
def test_automatic_mail_is_recognised(raw: bytes) -> None:
    found = parse(raw)

    assert found.auto_submitted
    assert not found.answerable


@pytest.mark.parametrize(
    "raw",
    [
        mail(List_Id="<dev.example.test>"),
        mail(Precedence="list"),
        mail(sender="noreply@example.test"),
        mail(sender="shop-no-reply@example.test"),
        mail(X_Auto_Response_Suppress="OOF, AutoReply"),
        mail(sender=""),
    ],
)
def test_people_behind_lists_and_machines_get_no_automatic_answer(raw: bytes) -> None:
    found = parse(raw)

    assert not found.answerable
    assert not found.auto_submitted


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Delivery problem", "My parcel could not be delivered, the courier said the address was not found."),
        ("Order not delivered", "My order was not delivered. Please help. My mail is anna@example.test"),
        ("Delivery failed", "The delivery of my lamp failed twice. It was returned to sender!"),
        ("Lieferung nicht zugestellt", "Das Paket konnte nicht zugestellt werden."),
        ("Livraison : échec", "Le colis n'a pas pu être livré."),
        ("Không gửi được hàng", "Đơn hàng của tôi không thể giao được."),
        ("Re: Automatic reply: Hello", "Thanks for your automatic reply."),
        ("Urlaub", "Ich bin im Urlaub und brauche eine Rechnung."),
        ("Absence de réponse", "Vous n'avez pas répondu."),
        ("User unknown", "When I sign in your shop says user unknown."),
        ("Mailbox full", "My mailbox is full since your newsletters came."),
        ("Auto: Versicherung", "Mein Auto ist kaputt."),
        ("Fwd: Undeliverable", "I could not reach you, my message was returned. What is wrong?"),
    ],
)
def test_people_who_write_about_deliveries_are_people(subject: str, body: str) -> None:
    found = parse(mail(subject, body))

    assert found.bounce is None
    assert not found.auto_submitted
    assert not found.out_of_office
    assert found.answerable


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (mail(X_Contact_Center="1", Auto_Submitted="auto-replied"), "own_mail"),
        (mail(X_Loop="support@shop.test", Delivered_To="support@shop.test"), "loop"),
        (mail("Report Domain: shop.test Submitter: google.com Report-ID: 1"), "dmarc_report"),
    ],
)
def test_what_must_not_become_a_ticket_says_why(raw: bytes, reason: str) -> None:
    found = parse(raw)

    assert (found.outcome, found.reason) == ("suppressed", reason)


def test_an_absence_notice_is_no_bounce() -> None:
    raw = mail(
        "Automatic reply: Hello", "I am away; your message has not been delivered to anybody else.", Return_Path="<>"
    )

    found = parse(raw)

    assert found.bounce is None
    assert found.out_of_office
    assert found.outcome == "accepted"


def test_a_plain_words_bounce_names_address_and_kind() -> None:
    body = "Your message could not be delivered.\n\n<bob@example.test>: 550 5.1.1 User unknown\n"

    found = parse(mail("Undelivered Mail Returned to Sender", body, sender="postmaster@mx.test")).bounce

    assert found is not None
    assert [(one.address, one.status, one.kind) for one in found.recipients] == [("bob@example.test", "5.1.1", "hard")]
