"""Words in English and Vietnamese: gettext catalogs in translations/<locale>/*.po, read as they are."""

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from contact_center.core.errors import DomainError

FOLDER = Path(__file__).parent.parent / "translations"
LOCALES = ("en", "vi")


def choose(*wanted: str | None, accept: str = "") -> str:
    """The first locale that we have: stored wishes, then the Accept-Language header, then English."""
    accepted = [part.split(";")[0] for part in accept.split(",")]
    for candidate in [*wanted, *accepted]:
        locale = (candidate or "").strip().replace("_", "-").split("-")[0].lower()
        if locale in LOCALES:
            return locale
    return LOCALES[0]


@cache
def translations(locale: str) -> Translations:
    """All catalogs of a locale as one; English is the source and has none."""
    merged = Translations()
    for path in sorted((FOLDER / locale).glob("*.po")):
        with path.open("rb") as file:
            catalog = read_po(file, locale=locale)
        compiled = io.BytesIO()
        write_mo(compiled, catalog)
        compiled.seek(0)
        loaded = Translations(compiled)
        merged.add(loaded, merge=True)
        # merge() leaves the plural rule of the (empty) first catalog: English, which has one form too many.
        merged.plural = loaded.plural
    return merged


def gettext(locale: str, message: str, **params: Any) -> str:
    """A message in a locale; `%(name)s` places are filled from `params`."""
    text = translations(locale).gettext(message) if message else ""
    return text % params if params else text


def ngettext(locale: str, one: str, many: str, n: int, **params: Any) -> str:
    """The singular or plural of a message in a locale; `%(num)s` is the number."""
    return translations(locale).ngettext(one, many, n) % {"num": n, **params}


def known(message: str) -> bool:
    """Whether a stored text is one of ours, so that everybody can read it in their language."""
    return any(translations(locale).gettext(message) != message for locale in LOCALES[1:])


def explain(locale: str, error: DomainError) -> str:
    """What an error tells a person, in their language."""
    text = translations(locale).gettext(error.message)
    # A reason inside a sentence is a sentence of ours itself.
    params = {name: gettext(locale, str(value)) if name == "reason" else value for name, value in error.params.items()}
    return text.format(**params) if params else text


def mark(message: str) -> str:
    """Marks a text for extraction where it is translated later (tables of words)."""
    return message


def words(locale: str, table: Mapping[str, str]) -> dict[str, str]:
    """A table of words (code → English) in a locale."""
    return {code: gettext(locale, text) for code, text in table.items()}
