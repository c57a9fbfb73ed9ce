"""What needs a supervisor now, worst first. Pure."""

from dataclasses import dataclass

from contact_center.core.i18n import mark
from contact_center.reports.floor import Board

MOST = 6


@dataclass(frozen=True, slots=True)
class Alert:
    """One sentence about something that does not mend itself; `params` fill its places."""

    tone: str
    icon: str
    text: str
    params: dict[str, object]
    url: str = ""
    # The address is for administrators; a fragment serves everybody, so its style sheet hides the link from others.
    only_admin: bool = False


def alerts(board: Board) -> list[Alert]:
    """At most `MOST` of them; empty when the floor runs by itself."""
    present = board.present
    found = [
        Alert(
            "bad",
            "users",
            mark("%(queue)s: %(n)s waiting and nobody is available."),
            {"queue": queue.name, "n": queue.waiting},
            f"/board?queue={queue.id}",
        )
        for queue in present.queues
        if queue.waiting and not queue.available and queue.is_open
    ]
    found += [
        Alert(
            "bad",
            "plug",
            mark("The account %(name)s does not work: %(error)s"),
            {"name": trouble.name, "error": trouble.error},
            f"/admin/channels/{trouble.account_id}",
            only_admin=True,
        )
        for trouble in present.troubles
    ]
    found += [
        Alert(
            "warn",
            "refresh-cw",
            mark("Everybody was asked and nobody took #%(number)s of %(customer)s."),
            {"number": item.number, "customer": item.customer},
            f"/tickets/{item.number}",
        )
        for item in present.waiting
        if item.rounds and item.is_live
    ]
    found += [
        Alert(
            "warn",
            "clock",
            mark("%(queue)s is closed in an emergency: %(reason)s"),
            {"queue": queue.name, "reason": queue.closed_reason},
            f"/board?queue={queue.id}",
        )
        for queue in present.queues
        if queue.closed_reason
    ]
    if present.unsettled:
        text = mark("Nobody knows whether they were sent: %(n)s messages.")
        found.append(Alert("warn", "circle-help", text, {"n": present.unsettled}, "/board/unsettled"))
    return found[:MOST]
