"""The survey of a conversation, answered in the widget: the same survey that other channels send as a link."""

from datetime import datetime

from sqlalchemy import Connection, select

from channels.chat.visit import Visit
from contact_center.core.errors import NotFound
from tickets.quality import surveys
from tickets.quality.models import Survey
from tickets.quality.surveys import SurveyState


def score_of(tx: Connection, ticket_id: int) -> int | None:
    """The rating of the latest survey; 0: asked and not answered yet, None: nobody asks."""
    row = tx.execute(
        select(Survey.state, Survey.rating)
        .where(Survey.ticket_id == ticket_id, Survey.state != SurveyState.CANCELED.value)
        .order_by(Survey.id.desc())
        .limit(1)
    ).first()
    return None if row is None else row.rating or 0


def rate(tx: Connection, visit: Visit, score: int, comment: str, *, now: datetime) -> int:
    """Answer the survey; the first answer counts and is what comes back. NotFound if nobody asked."""
    token = tx.execute(
        select(Survey.token)
        .where(Survey.ticket_id == visit.ticket_id, Survey.state != SurveyState.CANCELED.value)
        .order_by(Survey.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    if token is None:
        raise NotFound("Nobody asked for a rating.")
    surveys.answer(tx, token, score, comment=comment, now=now)
    return score_of(tx, visit.ticket_id or 0) or score
