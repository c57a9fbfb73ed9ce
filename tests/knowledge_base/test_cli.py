"""`contact-center kb` on a real database file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from knowledge_base.cli import app

LINES = [
    '{"external_id": "a", "title": "Đổi mật khẩu", "body": "Vào Cài đặt.", "locale": "vi"}',
    '{"external_id": "b", "title": "Track a parcel", "body": "See the mail."}',
    '{"external_id": "c", "title": "Unfinished", "body": "…", "state": "draft"}',
]


@pytest.fixture
def run(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("CONTACT_CENTER_DATABASE_URL", sqlite_url)
    return lambda *words: CliRunner().invoke(app, list(words))


def written(folder: Path, name: str, *lines: str) -> str:
    path = folder / name
    path.write_text("\n".join(lines))
    return str(path)


def test_it_imports_and_searches(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = written(tmp_path, "a.jsonl", *LINES)
    first, second = (json.loads(run("import", path, "--json").stdout) for _ in range(2))
    assert first == {"created": 3, "updated": 0, "unchanged": 0, "refused": []}
    assert second == {"created": 0, "updated": 0, "unchanged": 3, "refused": []}
    found = json.loads(run("search", "doi", "mat", "khau", "--json").stdout)
    assert found["query"] == "doi mat khau"
    assert [(hit["external_id"], hit["title"]) for hit in found["results"]] == [("a", "Đổi mật khẩu")]
    assert found["results"][0].keys() == {"id", "external_id", "title", "score"}


def test_it_answers_a_file_of_queries_line_by_line(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("import", written(tmp_path, "a.jsonl", *LINES))
    queries = written(tmp_path, "q.jsonl", '{"query": "parcel"}', '{"query": "unfinished"}', '"mật khẩu"')
    lines = [
        json.loads(line) for line in run("search", "--queries", queries, "--limit", "1", "--json").stdout.splitlines()
    ]
    assert [[hit["external_id"] for hit in line["results"]] for line in lines] == [["b"], [], ["a"]]


def test_refused_rows_are_named_and_make_it_fail(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    answer = run("import", written(tmp_path, "a.jsonl", LINES[0], '{"title": ""}'), "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["refused"][0]["place"] == "a.jsonl:2"


@pytest.mark.parametrize(
    "words", [("search",), ("import", "/nowhere.jsonl"), ("search", "--queries", "/nowhere.jsonl")]
)
def test_mistakes_get_a_sentence_and_no_traceback(run, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    answer = run(*words)
    assert answer.exit_code in (1, 2)
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
