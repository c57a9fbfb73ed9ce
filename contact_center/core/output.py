"""What the command line prints: a table for people, one JSON document per line for programs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON document on one line of stdout."""
    sys.stdout.buffer.write(orjson.dumps(document, default=str) + b"\n")
    sys.stdout.buffer.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout."""
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    # What stands in the cells is people's: "[/b]" and ":smile:" are not ours to interpret.
    Console(markup=False, emoji=False).print(table)


def complain(message: str) -> None:
    """An error on stderr, for people."""
    Console(stderr=True, highlight=False).print(message, markup=False)
