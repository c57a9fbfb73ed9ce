"""`contact-center kb …`: take articles over, and ask the search the way an agent does."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from contact_center.core.clock import utcnow
from contact_center.core.commands import run_on_database
from contact_center.core.db import Database
from contact_center.core.output import complain, print_json, print_table
from contact_center.core.settings import Settings
from knowledge_base import topic_lessons
from knowledge_base.articles import ArticleState
from knowledge_base.imports import Defaults, ImportRow, Outcome, Refused, read, store_batch
from knowledge_base.search import Audience, Found, search

# One transaction for so many rows: 13 times as fast as one by one.
BATCH = 50

app = typer.Typer(no_args_is_help=True, help="The knowledge base: import articles, search them.")


@app.command("import")
def import_articles(
    path: Annotated[Path, typer.Argument(help=".jsonl, .csv, .md, or a folder of Markdown.")],
    locale: Annotated[str, typer.Option(help="Language of rows that name none.")] = "en",
    state: Annotated[ArticleState, typer.Option(help="State of rows that name none.")] = ArticleState.PUBLIC,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Create and update articles by their external_id; running it again changes nothing."""

    async def work(db: Database, _settings: Settings) -> tuple[Counter[Outcome], list[Refused]]:
        counts: Counter[Outcome] = Counter()
        refused: list[Refused] = []
        rows = read(path, Defaults(locale, state))
        while batch := list(islice(rows, BATCH)):
            refused += [row for row in batch if isinstance(row, Refused)]
            good = [row for row in batch if isinstance(row, ImportRow)]
            for row, outcome in await db.write(store_batch, good, now=utcnow()):
                if isinstance(outcome, Outcome):
                    counts[outcome] += 1
                else:
                    refused.append(Refused(row.place, outcome))
        return counts, refused

    counts, refused = run_on_database(work)
    if as_json:
        problems = [{"place": row.place, "reason": row.reason} for row in refused]
        print_json({**{outcome.value: counts[outcome] for outcome in Outcome}, "refused": problems})
    else:
        complain(
            f"{counts[Outcome.CREATED]} created, {counts[Outcome.UPDATED]} updated, "
            f"{counts[Outcome.UNCHANGED]} unchanged, {len(refused)} refused."
        )
        for row in refused:
            complain(f"{row.place}: {row.reason}")
    if refused:
        raise typer.Exit(1)


@app.command("search")
def search_articles(
    words: Annotated[list[str] | None, typer.Argument(metavar="QUERY…", help="What a customer would ask.")] = None,
    queries: Annotated[Path | None, typer.Option(help='A .jsonl file with {"query": …} on each line.')] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Most results of a query.")] = 5,
    locale: Annotated[str | None, typer.Option(help="Only articles in this language.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per query.")] = False,
) -> None:
    """Search public and internal articles."""
    if (not words) == (queries is None):
        complain("Give a query, or --queries with a file of them.")
        raise typer.Exit(2)
    asked = [" ".join(words or [])] if queries is None else list(_queries(queries))

    async def work(db: Database, _settings: Settings) -> None:
        for query in asked:
            found = await db.read(search, query, audience=Audience.AGENTS, locale=locale, limit=limit)
            _show(query, found, as_json=as_json)

    run_on_database(work)


def _queries(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text("utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        complain(f"{path}: {error.strerror}")
        raise typer.Exit(2) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            complain(f"{path.name}:{number}: no JSON: {error.msg}")
            raise typer.Exit(2) from error
        yield str(value.get("query", "")) if isinstance(value, dict) else str(value)


def _show(query: str, found: list[Found], *, as_json: bool) -> None:
    if as_json:
        results: list[dict[str, Any]] = [
            {"id": hit.article_id, "external_id": hit.external_id, "title": hit.title, "score": hit.score}
            for hit in found
        ]
        print_json({"query": query, "results": results})
    elif found:
        print_table(["Score", "Id", "State", "Title"], [(h.score, h.article_id, h.state, h.title) for h in found])
    else:
        complain(f"Nothing found for “{query}”.")


@app.command("learn-topics")
def learn_topics(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """Learn topics from the tickets that have one; running it again takes only what is new."""

    async def work(db: Database, _: Settings) -> int:
        learned, after = 0, 0
        while batch := await db.write(topic_lessons.learn_past, after=after):
            learned += batch[0]
            after = batch[1]
        return learned

    learned = run_on_database(work)
    if as_json:
        print_json({"learned": learned})
    else:
        complain(f"{learned} tickets taught their topic.")
