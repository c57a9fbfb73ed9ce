"""What somebody at a phone hears, and when: one sound after the other, as long as speaking it takes."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

# A calm voice says about so many letters a second.
LETTERS = 17
BREATH = timedelta(seconds=0.5)
# Our own music says its length in its address; any other is taken to be so long.
MUSIC = re.compile(r"/(\d{1,3})\.wav$")
USUAL_MUSIC = timedelta(seconds=20)
MOST_SOUNDS = 200


@dataclass(frozen=True, slots=True)
class Sound:
    """`say` with words or `play` with a path, from `at` until `until`."""

    kind: str
    text: str
    locale: str
    at: datetime
    until: datetime


@dataclass(slots=True)
class Ear:
    """One end of a call; `until` is when all that was said to it so far is over."""

    until: datetime
    sounds: list[Sound] = field(default_factory=list)

    def hear(self, verb: Element, now: datetime) -> None:
        """A Say or Play begins when the one before is over."""
        text, at = (verb.text or "").strip(), max(now, self.until)
        if verb.tag == "Play":
            text = urlsplit(text).path
            found = MUSIC.search(text)
            length = timedelta(seconds=int(found.group(1))) if found else USUAL_MUSIC
        else:
            length = BREATH + timedelta(seconds=len(text) / LETTERS)
        self.until = at + length
        locale = verb.get("language", "").partition("-")[0]
        self.sounds.append(Sound("play" if verb.tag == "Play" else "say", text, locale, at, self.until))
        del self.sounds[:-MOST_SOUNDS]

    def cut(self, now: datetime) -> None:
        """Somebody pressed a key: what was not said yet is not said any more."""
        self.sounds = [sound for sound in self.sounds if sound.at <= now]
        self.until = min(self.until, now)

    def heard(self, now: datetime) -> list[Sound]:
        """What has begun by now."""
        return [sound for sound in self.sounds if sound.at <= now]
