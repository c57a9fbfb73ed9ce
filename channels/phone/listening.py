"""Who may listen to the recording of a call; each listen is in the audit log."""

from datetime import datetime

from sqlalchemy import Connection, select

from channels.phone.flow.models import CallRecording
from channels.phone.models import Call
from contact_center.accounts import audit
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.core.errors import Forbidden

VOICEMAIL = "voicemail"


def check(tx: Connection, message_id: int, person: Person) -> int | None:
    """The recording behind a sound of this message, None if it is another file; raises Forbidden.

    A voicemail is a message like any other. What was said in a call is for those whose role has the right, and for
    the agent who said it.
    """
    row = tx.execute(
        select(CallRecording.id, CallRecording.kind, Call.user_id)
        .join(Call, Call.id == CallRecording.call_id)
        .where(CallRecording.message_id == message_id)
        .order_by(CallRecording.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    own = row.kind == VOICEMAIL or row.user_id == person.id
    if not own and not may(person.role, Permission.LISTEN_RECORDINGS):
        raise Forbidden("Only supervisors and quality may listen to the calls of others.")
    recording_id: int = row.id
    return recording_id


def note(tx: Connection, recording_id: int, *, user_id: int, now: datetime) -> None:
    """Somebody listens from the beginning, or downloads it."""
    audit.record(tx, "recording.listened", f"recording:{recording_id}", now=now, user_id=user_id)
