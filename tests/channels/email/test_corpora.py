"""How well real mails that nobody here wrote are understood. The levels are promises: they only go up."""

from functools import cache
from pathlib import Path

from channels.email.parse import parse
from channels.email.parsed import Outcome, ParsedMail
from channels.email.visible import split_text
from tests.channels.email.corpus import expected, folder, letters_of, lines_of


@cache
def read(path: Path) -> ParsedMail:
    return parse(path.read_bytes())


def share(results: list[bool]) -> float:
    return sum(results) / len(results)


def zammad() -> list[tuple[ParsedMail, dict[str, object]]]:
    files = sorted(folder("zammad").glob("*.json"))
    return [(read(file.with_suffix(".box")), expected(file)) for file in files]


def every_mail() -> list[Path]:
    wanted = ("zammad/*.box", "chatwoot/*.eml", "bounces_flufl/*.txt", "bounces_sisimai/maildir/bsd/*.eml")
    return [path for pattern in wanted for path in sorted(folder("").glob(pattern))]


def test_every_mail_is_read() -> None:
    outcomes = [read(path).outcome for path in every_mail()]

    assert len(outcomes) > 500
    assert Outcome.QUARANTINED not in outcomes


def test_senders_and_subjects() -> None:
    senders = [
        mail.sender.address.lower() == str(right["from_email"]).lower()
        for mail, right in zammad()
        if "from_email" in right
    ]
    subjects = [
        " ".join(mail.subject.split()) == " ".join(str(right["subject"]).split())
        for mail, right in zammad()
        if "subject" in right
    ]

    assert share(senders) == 1
    assert share(subjects) >= 0.97


def test_attachments() -> None:
    def files(right: dict[str, object]) -> int:
        listed = right["attachments"]
        assert isinstance(listed, list)
        return sum(not file["preferences"].get("content-alternative") for file in listed)

    counts = [len(mail.attachments) == files(right) for mail, right in zammad() if "attachments" in right]

    assert share(counts) >= 0.93


def test_the_start_of_the_body() -> None:
    alike = []
    for mail, right in zammad():
        if right.get("body", "no visible content") == "no visible content":
            continue
        wanted = letters_of(str(right["body"]))[:25]
        alike.append(wanted in (letters_of(mail.html)[:25], letters_of(mail.text)[:25]))

    assert share(alike) >= 0.90


def sisimai() -> list[tuple[ParsedMail, list[dict[str, object]]]]:
    base = folder("bounces_sisimai")
    return [(read(base / name), cases) for name, cases in expected(base / "expected.json").items()]


def test_bounces_are_recognised() -> None:
    found = [
        mail.bounce is not None for mail, cases in sisimai() if not all(case["reason"] == "vacation" for case in cases)
    ]
    flufl = expected(folder("bounces_flufl") / "expected.json")
    found += [
        read(folder("bounces_flufl") / name).bounce is not None
        for name, case in flufl.items()
        if case["permanent"] or case["temporary"]
    ]

    assert share(found) >= 0.97


def test_bounced_recipients() -> None:
    results = []
    for name, case in expected(folder("bounces_flufl") / "expected.json").items():
        wanted = {address.lower() for address in case["permanent"] + case["temporary"]}
        bounce = read(folder("bounces_flufl") / name).bounce
        named = {found.address.lower() for found in bounce.recipients} if bounce else set()
        if wanted:
            results.append(wanted <= named)

    assert share(results) >= 0.93
    assert share([bool(mail.bounce and mail.bounce.recipients) for mail, _ in sisimai()]) >= 0.95


def test_hard_and_soft_bounces() -> None:
    results = []
    for mail, cases in sisimai():
        found = mail.bounce.recipients if mail.bounce else ()
        for position, case in enumerate(cases):
            if case["reason"] != "vacation" and found:
                kind = found[min(position, len(found) - 1)].kind
                results.append((kind == "hard") == case["hard"])

    assert share(results) >= 0.86


def test_no_normal_mail_is_taken_for_a_bounce_and_no_robot_for_a_person() -> None:
    reports = {
        "mail018.box",
        "mail052.box",
        "mail063.box",
        "mail078.box",
        "bounced_gmail.eml",
        "bounced_with_no_from.eml",
    }
    normal = [path for path in every_mail() if path.parent.name in ("zammad", "chatwoot") and path.name not in reports]
    robots = [path for path in every_mail() if path.parent.name in ("bounces_flufl", "bsd")]

    assert [path.name for path in normal if read(path).bounce] == []
    # The one mail of a person among them.
    assert [path.name for path in robots if read(path).answerable] == ["groupwise_03.txt"]


def test_the_visible_part_of_replies() -> None:
    base = folder("replies")
    exact, hidden = [], []
    for file in sorted((base / "emails").glob("*.txt")):
        with file.open(encoding="utf-8", newline="") as handle:
            found = split_text(handle.read().replace("\r\n", "\n")).reply
        right = lines_of((base / "trimmed" / file.name).read_text("utf-8"))
        exact.append(lines_of(found) == right)
        hidden += [line for line in right.splitlines() if line.strip() and line not in found]

    assert hidden == []
    assert share(exact) >= 0.95
