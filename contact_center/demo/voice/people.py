"""What people do at their phones: call, pick up, press keys, speak, hang up."""

from urllib.parse import urljoin
from xml.etree import ElementTree

from contact_center.demo.voice.playing import Player
from contact_center.demo.voice.world import Callback, Leg, Recording, wanted


class People(Player):
    """A carrier with the people at its phones."""

    async def call(self, url: str, *, sender: str, to: str, status_callback: str = "") -> Leg:
        """A customer calls one of our numbers, whose voice address is `url`."""
        leg = self.inbound(sender=sender, to=to, status_callback=status_callback)
        await self.connect(leg, url)
        return leg

    def inbound(self, *, sender: str, to: str, status_callback: str = "") -> Leg:
        """A customer's call, which rings."""
        leg = Leg(self.world.sid("CA"), to, sender, "inbound", self.now(), status="ringing")
        self.world.legs[leg.sid] = leg
        leg.callback = Callback(status_callback, frozenset({"completed"})) if status_callback else None
        return leg

    async def connect(self, leg: Leg, url: str) -> None:
        """Twilio asks what this caller shall hear; raises Unplayable."""
        leg.document = url
        root = await self.fetch(leg, url)
        # Only a document that says nothing but Reject leaves a call unanswered.
        if len(root) and root[0].tag != "Reject":
            leg.status, leg.answered_at = "in-progress", self.now()
        await self.run(leg, root)

    def ringing(self, to: str = "") -> list[Leg]:
        """The phones that ring now because we called them."""
        going = [leg for leg in self.world.legs.values() if leg.status == "ringing" and leg.direction != "inbound"]
        return [leg for leg in going if to in ("", leg.to)]

    async def answer(self, leg: Leg) -> None:
        """Somebody picks up a phone that rings."""
        assert leg.status == "ringing", leg.status
        leg.answered_at = self.now()
        self.progress(leg, "in-progress")
        if leg.joins is not None:
            await self.enter(leg.joins)
        elif leg.parent is not None:
            for other in self.ringing():
                if other.parent is leg.parent:
                    await self.end(other, "no-answer")
        elif leg.url:
            await self.play(leg, leg.url)
        else:
            await self.run(leg, ElementTree.fromstring(leg.twiml))

    async def hang_up(self, leg: Leg) -> None:
        """The person at this end hangs up, or gives up ringing."""
        await self.end(leg, "completed" if leg.answered_at else "no-answer")

    async def refuse(self, leg: Leg, status: str = "busy") -> None:
        """Nobody picks up: busy, no-answer or failed."""
        await self.end(leg, status)

    async def press(self, leg: Leg, digits: str) -> None:
        """Keys, for the Gather that waits (also one heard in a queue)."""
        gather = leg.waiting
        if gather is not None and gather.tag == "Enqueue" and leg.todo and leg.todo[0].tag == "Gather":
            gather = leg.todo.pop(0)
        assert gather is not None, leg.heard
        assert gather.tag == "Gather", (gather.tag, leg.heard)
        await self._gathered(leg, gather.get("action") or leg.document, digits)

    async def _gathered(self, leg: Leg, action: str, digits: str) -> None:
        url = urljoin(leg.document, action)
        if leg.waiting is not None and leg.waiting.tag == "Enqueue":
            root = await self.fetch(leg, url, {"Digits": digits})
            await self._waiting_document(leg, root)
        else:
            await self.play(leg, url, {"Digits": digits})

    async def silence(self, leg: Leg) -> None:
        """Nothing is pressed until the Gather gives up."""
        assert leg.waiting is not None
        assert leg.waiting.tag == "Gather"
        if leg.waiting.get("actionOnEmptyResult") == "true":
            await self._gathered(leg, leg.waiting.get("action") or leg.document, "")
        else:
            await self.go_on(leg)

    async def speak(self, leg: Leg, seconds: int) -> Recording:
        """The caller speaks into the Record that waits, and is done."""
        verb = leg.waiting
        assert verb is not None, leg.heard
        assert verb.tag == "Record", (verb.tag, leg.heard)
        recording = self.record(leg, None, "RecordVerb", wanted(verb.attrib, "recordingStatusCallback", "completed"))
        recording.seconds = seconds
        self.finish(recording)
        told = {
            "RecordingUrl": f"https://api.twilio.com{recording.address}",
            "RecordingSid": recording.sid,
            "RecordingDuration": str(seconds),
            "Digits": "hangup",
        }
        await self.play(leg, urljoin(leg.document, verb.get("action") or leg.document), told)
        return recording
