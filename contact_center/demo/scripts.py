"""The thirty things that customers of the demo shop write about, in both languages."""

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
QUEUE_NAMES = {"orders": "Orders", "billing": "Billing", "technical": "Technical", "business": "Business"}
ITEMS = {
    "en": ("bamboo desk lamp", "ceramic tea set", "linen table cloth", "air purifier", "rice cooker", "folding stool",
           "wall clock", "robot vacuum", "reading chair", "coffee grinder"),
    "vi": ("đèn bàn tre", "bộ ấm chén gốm", "khăn trải bàn", "máy lọc không khí", "nồi cơm điện", "ghế gấp",
           "đồng hồ treo tường", "robot hút bụi", "ghế đọc sách", "máy xay cà phê"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """One script in one language: the customer's lines and the colleague's answers, in turn."""

    subject: str
    lines: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """One thing that customers write about."""

    key: str
    queue: str
    topic: tuple[str, str]
    words: dict[str, Words]
    photo: bool = False
    angry: bool = False
    complaint: bool = False


def _words(data: dict[str, Any]) -> Words:
    return Words(data["subject"], tuple(data["lines"]), tuple(data["answers"]))


def _load() -> tuple[Script, ...]:
    english = tomllib.loads((FOLDER / "scripts_en.toml").read_text("utf-8"))
    vietnamese = tomllib.loads((FOLDER / "scripts_vi.toml").read_text("utf-8"))
    return tuple(
        Script(
            key=key,
            queue=QUEUE_NAMES[data["queue"]],
            topic=(data["topic"][0], data["topic"][1]),
            words={"en": _words(data), "vi": _words(vietnamese[key])},
            photo=data.get("photo", False),
            angry=data.get("angry", False),
            complaint=data.get("complaint", False),
        )
        for key, data in english.items()
    )


SCRIPTS = _load()
BY_KEY = {script.key: script for script in SCRIPTS}


def fill(text: str, *, name: str, order: str, item: str) -> str:
    """Put names into a line."""
    return text.format(name=name, order=order, item=item, agent="")


def item_for(rng: random.Random, locale: str) -> str:
    """Something that the shop sells."""
    return rng.choice(ITEMS[locale])
