"""Recordings of calls: who may hear them, that each listen is kept, and that a player gets the part it asks for."""

from sqlalchemy import Connection, insert, select, update

from channels.phone.flow import marks
from channels.phone.flow.models import CallRecording
from channels.phone.models import Call
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from contact_center.demo.voice.sound import mp3
from tests.agent_ui.console import Console
from tests.agent_ui.test_call_outcomes import rang
from tickets.inbound import StoredFile
from tickets.models import Attachment
from tickets.timeline import add_files


async def recorded(console: Console, *, kind: str = "call", by: int | None = None) -> str:
    """The address of a call's sound."""
    sound = mp3(1)
    digest = console.services.files.put(sound)

    def keep(tx: Connection) -> int:
        call_id, _ = rang(tx)
        tx.execute(update(Call).values(user_id=by))
        message_id = tx.execute(select(Call.message_id)).scalar_one()
        values = {"call_id": call_id, "external_id": "RE1", "kind": kind, "state": "completed", "seconds": 1}
        tx.execute(insert(CallRecording).values(**values, message_id=message_id, created_at=utcnow()))
        add_files(tx, message_id, [StoredFile(digest, "call.mp3", "audio/mpeg", len(sound))])
        return tx.execute(select(Attachment.id)).scalar_one()

    return f"/files/{await console.write(keep)}"


async def listens(console: Console) -> int:
    heard = select(AuditEntry.id).where(AuditEntry.action == "recording.listened")
    return len(await console.db.read(lambda tx: tx.execute(heard).all()))


async def test_a_listen_is_audited_once_however_many_parts_the_player_asks_for(console: Console) -> None:
    boss = await console.sit(role=Role.SUPERVISOR)
    url = await recorded(console)
    first = await boss.http.get(url, headers={"range": "bytes=0-"})
    assert (first.status_code, first.headers["content-type"]) == (206, "audio/mpeg")
    part = await boss.http.get(url, headers={"range": "bytes=100-199"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert await listens(console) == 1


async def test_an_agent_hears_their_own_call_and_voicemails_only(console: Console) -> None:
    lan, minh = await console.sit(), await console.sit()
    url = await recorded(console, by=lan.user_id)
    assert (await minh.http.get(url)).status_code == 403
    assert await listens(console) == 0
    assert (await lan.http.get(url)).status_code == 200
    assert await listens(console) == 1


async def test_a_voicemail_is_a_message_like_any_other(console: Console) -> None:
    minh = await console.sit()
    url = await recorded(console, kind="voicemail")
    assert (await minh.http.get(url)).status_code == 200
    page = await minh.page("/tickets/100")
    assert f'<audio controls preload="none" src="{url}"' in page.text


async def test_a_player_shows_pauses_and_a_deleted_recording_says_so(console: Console) -> None:
    boss = await console.sit(role=Role.SUPERVISOR)
    await recorded(console)
    told = {"seconds": 65, "pauses": [[12, 40]]}
    gone = {"deleted_at": "2026-11-02T09:00:00+00:00", "kept_days": 90}
    message_id = await console.db.read(lambda tx: tx.execute(select(CallRecording.message_id)).scalar_one())
    await console.write(marks.mark, message_id, "call", told)
    await console.write(marks.mark, message_id, "recording-2", gone)
    page = (await boss.page("/tickets/100")).text
    assert '<ul class="tiny muted" aria-label="Pauses of the recording">' in page
    assert "Paused from 0:12 to 0:40" in page
    assert '<rect x="12" width="28" height="1"/>' in page
    assert "The recording was deleted on <time" in page
    assert "this line keeps them for 90 days." in page
