"""`contact-center customers …`: take customers over from a file, and see beforehand how it would be read."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from contact_center.core.clock import utcnow
from contact_center.core.commands import run_on_database
from contact_center.core.db import Database
from contact_center.core.output import complain, print_json, print_table
from contact_center.core.settings import Settings
from tickets.customers.import_rows import BATCH, Outcome, Stored, store_batch
from tickets.customers.imports import Field, Plan, guess_columns, plan_import
from tickets.customers.tables import BadTable, Table, read_table

SHOWN_PROBLEMS = 20
ATTRIBUTE = "attribute"

app = typer.Typer(no_args_is_help=True, help="Customers: import them from a spreadsheet.")


@app.callback()
def customers() -> None:
    """Customers: import them from a spreadsheet."""


@app.command("import")
def import_customers(
    path: Annotated[Path, typer.Argument(help=".csv, .xlsx, .xls or .ods file with a header line.", exists=True)],
    columns: Annotated[
        list[str] | None, typer.Option("--column", help='What a column means, e.g. "Mobile=phone" or "Rank=attribute".')
    ] = None,
    region: Annotated[str, typer.Option(help="ISO country of numbers without +; the setting if not given.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Create and complete customers, row by row; running it again changes nothing. Nobody is merged."""
    try:
        table = read_table(path.read_bytes(), path.name)
        chosen = _chosen(columns or [], table)
    except (BadTable, OSError, ValueError) as error:
        complain(str(error))
        raise typer.Exit(1) from error
    guessed = guess_columns(table, chosen)

    async def work(db: Database, settings: Settings) -> tuple[Plan, list[Stored]]:
        plan = plan_import(table, guessed, region=region or settings.region)
        stored: list[Stored] = []
        for start in range(0, 0 if dry_run else len(plan.candidates), BATCH):
            stored += await db.write(store_batch, plan.candidates[start : start + BATCH], now=utcnow())
        return plan, stored

    plan, stored = run_on_database(work)
    if as_json:
        print_json(_document(table, plan, stored, dry_run=dry_run))
    else:
        _print(table, plan, stored, dry_run=dry_run)
    if plan.rejected:
        raise typer.Exit(1)


def _chosen(columns: list[str], table: Table) -> dict[str, Field | None]:
    """`Header=meaning` pairs; raises ValueError naming what is possible."""
    chosen: dict[str, Field | None] = {}
    for pair in columns:
        name, _, meaning = pair.rpartition("=")
        if name not in table.header:
            raise ValueError(f"There is no column {name!r}: the file has {', '.join(table.header)}.")
        if meaning != ATTRIBUTE and meaning not in set(Field):
            raise ValueError(f"{meaning!r} is no meaning: use {', '.join([*Field, ATTRIBUTE])}.")
        chosen[name] = None if meaning == ATTRIBUTE else Field(meaning)
    return chosen


def _document(table: Table, plan: Plan, stored: list[Stored], *, dry_run: bool) -> dict[str, object]:
    counts = Counter(row.outcome for row in stored)
    return {
        "read_as": table.read_as,
        "columns": {name: meaning.value if meaning else ATTRIBUTE for name, meaning in plan.columns.items()},
        "rows": len(table.rows),
        "dry_run": dry_run,
        **{outcome.value: counts[outcome] for outcome in Outcome},
        "rejected": plan.rejected,
        "problems": [
            {"row": problem.row, "column": problem.column, "value": problem.value, "text": problem.text,
             "fatal": problem.fatal}
            for problem in plan.problems
        ],
        "taken_addresses": [{"row": row.row, "addresses": list(row.taken)} for row in stored if row.taken],
    }  # fmt: skip


def _print(table: Table, plan: Plan, stored: list[Stored], *, dry_run: bool) -> None:
    meanings = [(name, meaning.value if meaning else ATTRIBUTE) for name, meaning in plan.columns.items()]
    print_table(("column", "means"), meanings)
    counts = Counter(row.outcome for row in stored)
    if dry_run:
        complain(f"{len(plan.candidates)} of {len(table.rows)} rows ({table.read_as}) would be taken.")
    else:
        numbers = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)
        complain(f"{numbers}, {plan.rejected} rejected ({table.read_as}).")
    for problem in plan.problems[:SHOWN_PROBLEMS]:
        where = f", {problem.column}" if problem.column else ""
        value = f" {problem.value!r}:" if problem.value else ""
        complain(f"row {problem.row}{where}:{value} {problem.text}")
    if len(plan.problems) > SHOWN_PROBLEMS:
        complain(f"… and {len(plan.problems) - SHOWN_PROBLEMS} more; --json lists all.")
    for row in [row for row in stored if row.taken][:SHOWN_PROBLEMS]:
        complain(f"row {row.row}: {', '.join(row.taken)} belongs to another customer and stays there.")
