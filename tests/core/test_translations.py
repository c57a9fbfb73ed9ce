"""Everything that people read is there in Vietnamese, with the same places to fill."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from contact_center.core import errors, i18n

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("contact_center", "channels", "routing", "tickets", "agent_ui", "knowledge_base")
PLACES = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
METHODS = [
    ("**/migrations/**.py", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
]
OPTIONS = {"**/templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}


def keywords() -> dict[str, object]:
    """gettext's own, `mark`, and every domain error, whose first argument people read."""
    found: list[type] = [errors.DomainError]
    for kind in found:
        found += kind.__subclasses__()
    return {**DEFAULT_KEYWORDS, "mark": None, **{kind.__name__: None for kind in found}}


@cache
def extracted() -> dict[str, str]:
    """message -> where it stands."""
    messages: dict[str, str] = {}
    for package in PACKAGES:
        for file, line, message, _, _ in extract_from_dir(
            ROOT / package, METHODS, OPTIONS, keywords=keywords(), comment_tags=()
        ):
            for text in message if isinstance(message, tuple) else (message,):
                if text:
                    messages.setdefault(text, f"{package}/{file}:{line}")
    return messages


def catalogs(locale: str) -> Iterator[tuple[str, str, str]]:
    """(file, message, translation) of all catalogs."""
    for path in sorted((i18n.FOLDER / locale).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=locale):
                if message.id:
                    ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
                    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
                    for text in ids:
                        yield path.name, text, str(texts[0] or "")


@pytest.mark.parametrize("locale", [locale for locale in i18n.LOCALES if locale != "en"])
def test_nothing_is_missing(locale: str) -> None:
    known = {message for _, message, translation in catalogs(locale) if translation}
    missing = sorted(f"{where}: {message}" for message, where in extracted().items() if message not in known)
    assert missing == []


@pytest.mark.parametrize("locale", [locale for locale in i18n.LOCALES if locale != "en"])
def test_the_places_to_fill_are_the_same(locale: str) -> None:
    def places(text: str) -> set[str]:
        # A singular may leave its number out.
        return {one or two for one, two in PLACES.findall(text)} - {"num"}

    wrong = [
        f"{file}: {message!r} -> {translation!r}"
        for file, message, translation in catalogs(locale)
        if translation and places(message) != places(translation)
    ]
    assert wrong == []


def test_a_locale_is_chosen_from_what_people_and_browsers_say() -> None:
    assert i18n.choose(None, "vi-VN") == "vi"
    assert i18n.choose(None, accept="fr-FR,vi;q=0.9") == "vi"
    assert i18n.choose("xx") == "en"
