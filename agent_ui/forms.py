"""Reading posted forms: every field is checked, every mistake has its own sentence, what was typed is kept."""

from collections.abc import Awaitable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import FormData
from starlette.requests import Request

from contact_center.accounts.web import locale_of
from contact_center.core.errors import Conflict, DomainError, Invalid
from contact_center.core.i18n import explain, gettext, mark

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

LONGEST_TEXT = 200


class Form:
    """A form being read: `values` is what was typed, `errors` maps a field (or "" for the whole) to a sentence."""

    def __init__(self, data: Mapping[str, str] | FormData, locale: str) -> None:
        self._data = data
        self.locale = locale
        self.values: dict[str, str] = {name: value for name, value in data.items() if isinstance(value, str)}
        self.errors: dict[str, str] = {}

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong so far."""
        return not self.errors

    def fail(self, name: str, message: str, **params: object) -> None:
        """Note the first mistake of a field."""
        self.errors.setdefault(name, gettext(self.locale, message, **params))

    def refuse(self, error: DomainError, name: str = "") -> None:
        """Note what the domain refused beside the field that it names."""
        field = error.field if isinstance(error, Invalid) and error.field else name
        self.errors.setdefault(field, explain(self.locale, error))

    def text(self, name: str, *, required: bool = False, longest: int = LONGEST_TEXT) -> str:
        """One line or more of text, without space around it."""
        value = self.values.get(name, "").strip()
        if required and not value:
            self.fail(name, mark("This field cannot be empty."))
        elif len(value) > longest:
            self.fail(name, mark("At most %(longest)s characters fit here."), longest=longest)
        return value

    def number(self, name: str, low: int, high: int, *, default: int | None = None) -> int:
        """A whole number between `low` and `high`; `default` for an empty field (without one it is a mistake)."""
        raw = self.values.get(name, "").strip()
        if not raw and default is not None:
            return default
        if not raw.removeprefix("-").isdecimal() or not low <= int(raw) <= high:
            self.fail(name, mark("Write a whole number from %(low)s to %(high)s."), low=low, high=high)
            return low
        return int(raw)

    def choice(self, name: str, kind: type[E], default: E) -> E:
        """One of the values of `kind`."""
        raw = self.values.get(name, "")
        try:
            return kind(raw)
        except ValueError:
            self.fail(name, mark("Choose one of the values."))
            return default

    def one_of(self, name: str, allowed: Sequence[str]) -> str:
        """One of `allowed`."""
        raw = self.values.get(name, "")
        if raw not in allowed:
            self.fail(name, mark("Choose one of the values."))
        return raw

    def flag(self, name: str) -> bool:
        """A switch or check box."""
        return self.values.get(name, "") != ""

    def reference(self, name: str, *, required: bool = False) -> int | None:
        """The id of another row, or None for "none"."""
        raw = self.values.get(name, "").strip()
        if raw.isdecimal() and len(raw) < 19:
            return int(raw)
        if raw or required:
            self.fail(name, mark("Choose one of the values."))
        return None

    def several(self, name: str) -> list[str]:
        """All values of a field that may come more than once."""
        if isinstance(self._data, FormData):
            return [value for value in self._data.getlist(name) if isinstance(value, str)]
        return [self._data[name]] if name in self._data else []

    def references(self, name: str) -> list[int]:
        """All ids of a field that may come more than once."""
        return [int(raw) for raw in self.several(name) if raw.isdecimal() and len(raw) < 19]

    async def attempt(self, doing: Awaitable[T], *, name: str = "") -> T | None:
        """Await a write; what the domain finds invalid or in conflict becomes a mistake of this form."""
        try:
            return await doing
        except (Invalid, Conflict) as error:
            self.refuse(error, name)
            return None


async def read_form(request: Request) -> Form:
    """The posted form in the person's language."""
    return Form(await request.form(), await locale_of(request))


def blank(locale: str, values: Mapping[str, str]) -> Form:
    """A form that nobody has posted yet, filled from what is stored."""
    return Form(values, locale)
