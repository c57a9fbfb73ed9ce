"""Taking articles over: the formats, and that a second run changes nothing."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.errors import Invalid
from knowledge_base.articles import ArticleState
from knowledge_base.imports import Defaults, ImportRow, Outcome, Refused, read, store_batch
from knowledge_base.models import Article, ArticleText
from tests.conftest import NOW


def rows_of(path: Path, **defaults: object) -> list[ImportRow | Refused]:
    return list(read(path, Defaults(**defaults)))  # type: ignore[arg-type]


def good(path: Path) -> list[ImportRow]:
    return [row for row in rows_of(path) if isinstance(row, ImportRow)]


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        {
            "external_id": 7,
            "title": "Returns",
            "body": "<p>Within <b>30</b> days.</p>",
            "locale": "en",
            "state": "published",
        },
        {"title": "No text", "body": ""},
        {"title": "Odd", "body": "x", "state": "odd"},
    ]
    path = file(tmp_path, "a.jsonl", "\n".join(json.dumps(line) for line in lines) + "\nnot json\n[1]\n\n")
    first, *rest = rows_of(path)
    assert isinstance(first, ImportRow)
    assert (first.external_id, first.content.body, first.state) == ("7", "Within 30 days.", ArticleState.PUBLIC)
    assert [row.place for row in rest] == ["a.jsonl:2", "a.jsonl:3", "a.jsonl:4", "a.jsonl:5"]
    assert all(isinstance(row, Refused) for row in rest)


def test_csv_with_a_header_in_any_case(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", 'ID,Title,Body,Tags\n1,Returns,"Within 30\ndays.","a, b"\n')
    (row,) = good(path)
    assert (row.external_id, row.content.body, row.tags) == ("1", "Within 30\ndays.", ("a", "b"))


def test_a_folder_of_markdown(tmp_path: Path) -> None:
    file(tmp_path, "docs/returns.md", "# Returns\n\nWithin 30 days.\n")
    file(tmp_path, "docs/returns.vi.md", "---\ntitle: Trả hàng\nstate: internal\n---\nTrong 30 ngày.\n")
    english, vietnamese = good(tmp_path)
    assert (english.external_id, english.content.title, english.content.locale) == ("docs/returns", "Returns", "en")
    assert (vietnamese.external_id, vietnamese.content.title) == ("docs/returns", "Trả hàng")
    assert (vietnamese.content.locale, vietnamese.state) == ("vi", ArticleState.INTERNAL)


def test_rows_without_an_id_are_known_by_their_title(tmp_path: Path) -> None:
    first, second = (good(file(tmp_path, f"{k}.jsonl", '{"title": "Đổi trả", "body": "x"}')) for k in "ab")
    assert first[0].external_id == second[0].external_id


@pytest.mark.parametrize("name", ["a.xlsx", "missing.docx"])
def test_other_files_are_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        rows_of(file(tmp_path, "a.xlsx", "x") if name == "a.xlsx" else tmp_path / name)


def counts(tx: Connection) -> list[tuple[str, str, str]]:
    rows = tx.execute(
        select(Article.external_id, ArticleText.locale, Article.state).join(
            ArticleText, ArticleText.article_id == Article.id
        )
    )
    return sorted(tuple(row) for row in rows)  # type: ignore[type-var]


async def test_a_second_run_changes_nothing(db: Database, tmp_path: Path) -> None:
    lines = ['{"id":"a","title":"Returns","body":"30 days"}', '{"id":"a","title":"Trả","body":"x","locale":"vi"}']
    path = file(tmp_path, "a.jsonl", "\n".join(lines))
    outcomes = [[o for _, o in await db.write(store_batch, good(path), now=NOW)] for _ in range(2)]
    assert outcomes == [[Outcome.CREATED, Outcome.UPDATED], [Outcome.UNCHANGED, Outcome.UNCHANGED]]
    assert await db.read(counts) == [("a", "en", "public"), ("a", "vi", "public")]


async def test_a_changed_row_updates_its_article(db: Database, tmp_path: Path) -> None:
    await db.write(store_batch, good(file(tmp_path, "a.jsonl", '{"id":"a","title":"R","body":"1"}')), now=NOW)
    changed = good(file(tmp_path, "a.jsonl", '{"id":"a","title":"R","body":"2","state":"archived"}'))
    assert [o for _, o in await db.write(store_batch, changed, now=NOW)] == [Outcome.UPDATED]
    assert await db.read(counts) == [("a", "en", "archived")]
