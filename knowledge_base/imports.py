"""Takes articles over from elsewhere: JSON lines, CSV, or a folder of Markdown. Running again changes nothing twice."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from inscriptis import get_text
from sqlalchemy import Connection, select

from contact_center.core.errors import Invalid
from contact_center.core.text import fold
from knowledge_base import articles
from knowledge_base.articles import ArticleState, Content, Origin, Source
from knowledge_base.models import Article, ArticleText

_HTML = re.compile(r"<(?:p|div|br|ul|ol|h[1-6]|table|span)\b[^>]*>", re.I)
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*\n", re.S)
_HEADING = re.compile(r"\A\s*#\s+(.+?)\s*#*\s*\n")
# What other products call their states.
_STATES = {"published": "public", "private": "internal", "hidden": "internal", "deleted": "archived"}
_LOCALE_IN_NAME = re.compile(r"\.([a-z]{2})$")


@dataclass(frozen=True)
class Defaults:
    """What a row means that does not say it itself."""

    locale: str = "en"
    state: ArticleState = ArticleState.PUBLIC


@dataclass(frozen=True)
class ImportRow:
    """One article in one language as it is to be; `place` tells a person where it stood."""

    place: str
    external_id: str
    content: Content
    state: ArticleState
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A row that was not taken, and why."""

    place: str
    reason: str


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


def read(path: Path, defaults: Defaults = Defaults()) -> Iterator[ImportRow | Refused]:
    """The rows of a .jsonl or .csv file, of one .md file or of a folder of them. Raises Invalid for other kinds."""
    if path.is_dir():
        for file in sorted(path.rglob("*.md")):
            yield _markdown(file, file.relative_to(path), defaults)
    elif path.suffix == ".md":
        yield _markdown(path, Path(path.name), defaults)
    elif path.suffix in (".jsonl", ".ndjson"):
        yield from _json_lines(path.read_text("utf-8-sig", errors="replace"), path.name, defaults)
    elif path.suffix == ".csv":
        yield from _csv_rows(path.read_text("utf-8-sig", errors="replace"), path.name, defaults)
    elif not path.exists():
        raise Invalid("There is no file or folder {path}.", field="path", path=str(path))
    else:
        raise Invalid("{name} is not .jsonl, .csv, .md or a folder of Markdown.", field="path", name=path.name)


def store(tx: Connection, row: ImportRow, *, now: datetime) -> Outcome:
    """Create the article, or bring the one with this external id to what the row says."""
    origin = Origin(Source.IMPORTED, external_id=row.external_id)
    # A scheduled article needs its moment, which no import format has: it waits as a draft.
    state = ArticleState.DRAFT if row.state is ArticleState.SCHEDULED else row.state
    if articles.create(tx, row.content, origin=origin, state=state, tags=row.tags, now=now) is not None:
        return Outcome.CREATED
    article = tx.execute(select(Article.id, Article.state).where(Article.external_id == row.external_id)).one()
    before = _shown(tx, article.id, row.content.locale)
    articles.edit(tx, article.id, row.content, author_id=None, now=now)
    articles.set_state(tx, article.id, state, now=now)
    if row.tags:
        articles.set_tags(tx, article.id, row.tags)
    same = before == _shown(tx, article.id, row.content.locale) and article.state == state.value
    return Outcome.UNCHANGED if same else Outcome.UPDATED


def store_batch(tx: Connection, rows: Iterable[ImportRow], *, now: datetime) -> list[tuple[ImportRow, Outcome | str]]:
    """Store rows in one transaction; a row that is refused (its reason instead of an outcome) leaves no trace."""
    results: list[tuple[ImportRow, Outcome | str]] = []
    for row in rows:
        try:
            with tx.begin_nested():
                results.append((row, store(tx, row, now=now)))
        except Invalid as error:
            results.append((row, error.detail))
    return results


def _shown(tx: Connection, article_id: int, locale: str) -> tuple[str, str] | None:
    row = tx.execute(
        select(ArticleText.title, ArticleText.body).where(
            ArticleText.article_id == article_id, ArticleText.locale == locale
        )
    ).first()
    return (row.title, row.body) if row else None


def _json_lines(text: str, name: str, defaults: Defaults) -> Iterator[ImportRow | Refused]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            yield Refused(place, f"no JSON: {error.msg}")
            continue
        yield _row(values, place, defaults) if isinstance(values, dict) else Refused(place, "no JSON object")


def _csv_rows(text: str, name: str, defaults: Defaults) -> Iterator[ImportRow | Refused]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    reader.fieldnames = [(field or "").strip().lower() for field in reader.fieldnames or []]
    for values in reader:
        yield _row({k: v for k, v in values.items() if k}, f"{name}:{reader.line_num}", defaults)


def _markdown(file: Path, name: Path, defaults: Defaults) -> ImportRow | Refused:
    """The path is the external id; `name.vi.md` is the Vietnamese text of `name.md`."""
    text = file.read_text("utf-8-sig", errors="replace").replace("\r\n", "\n")
    values: dict[str, Any] = {}
    front = _FRONT.match(text)
    if front:
        text = text[front.end() :]
        pairs = (line.partition(":") for line in front[1].splitlines() if ":" in line)
        values = {key.strip().lower(): value.strip().strip("\"'") for key, _, value in pairs}
    heading = _HEADING.match(text)
    if heading and values.get("title") in (None, heading[1]):
        values["title"] = heading[1]
        text = text[heading.end() :]
    stem = name.with_suffix("")
    locale = _LOCALE_IN_NAME.search(str(stem))
    values.setdefault("locale", locale[1] if locale else defaults.locale)
    values.setdefault("external_id", str(stem).removesuffix(f".{locale[1]}") if locale else str(stem))
    values.setdefault("title", stem.name.replace("-", " ").replace("_", " ").capitalize())
    return _row({**values, "body": text}, str(name), defaults)


def _row(values: Mapping[str, Any], place: str, defaults: Defaults) -> ImportRow | Refused:
    title, body = _text(values, "title", "question", "name"), _text(values, "body", "answer", "content", "text")
    locale = (_text(values, "locale", "language", "lang") or defaults.locale).replace("_", "-")
    state = _text(values, "state", "status").lower()
    state = _STATES.get(state, state) or defaults.state.value
    if state not in {known.value for known in ArticleState}:
        return Refused(place, f"“{state}” is no state: draft, internal, public or archived")
    try:
        content = articles.checked(Content(title, _as_markdown(body), locale))
    except Invalid as error:
        return Refused(place, error.detail)
    tags = values.get("tags") or ()
    names = tags.split(",") if isinstance(tags, str) else [str(tag) for tag in tags]
    external_id = _text(values, "external_id", "id") or _digest(content)
    return ImportRow(place, external_id[:200], content, ArticleState(state), tuple(name.strip() for name in names))


def _text(values: Mapping[str, Any], *names: str) -> str:
    found = next((values[name] for name in names if values.get(name) not in (None, "")), "")
    return str(found).strip()


def _digest(content: Content) -> str:
    """An id for a row that has none: the same title in the same language is the same article."""
    return "title-" + hashlib.sha256(f"{content.locale}\n{fold(content.title)}".encode()).hexdigest()[:24]


def _as_markdown(body: str) -> str:
    return str(get_text(body)).strip() if _HTML.search(body) else body
