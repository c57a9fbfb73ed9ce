"""The command line: `contact-center VERB`. Tables for people, `--json` for programs, errors on stderr.

A verb's module is loaded when the verb runs: `--help` and what needs no database start at once.
"""

import gc
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb is: a module's typer app, or one command in it; `help` is its first sentence, for the list."""

    module: str
    help: str
    command: str = ""


RUNNING = "contact_center.verbs"
PLANNING = "routing.workforce.cli"
VERBS: Mapping[str, Verb] = {
    "serve": Verb(RUNNING, "Run the web server; with loops=all it is the whole product in one process.", "serve"),
    "worker": Verb(
        RUNNING,
        "Run the loops without a web server: relay, delivery, routing, timers, mailboxes. Any number may run.",
        "worker",
    ),
    "migrate": Verb(RUNNING, "Bring the database to the present schema; safe to run again.", "migrate"),
    "createadmin": Verb(RUNNING, "Add an administrator.", "createadmin"),
    "check": Verb(
        RUNNING, "Say what is misconfigured and how to fix it; exit code 1 if anything must be fixed.", "check"
    ),
    "demo": Verb(RUNNING, "Serve a shop with a living floor on this machine: invented people, real protocols.", "demo"),
    "email": Verb("channels.email.cli", "Read a mail file, hand one in, or compare a mailbox."),
    "calls": Verb("channels.phone.cli", "Phone calls: import the logs of an exchange."),
    "kb": Verb("knowledge_base.cli", "The knowledge base: import articles, search them."),
    "customers": Verb("tickets.customers.cli", "Customers: import them from a spreadsheet."),
    "staffing": Verb(
        PLANNING,
        "How many agents a load takes, or what the given ones achieve: Erlang C, and A where customers give up.",
        "staffing",
    ),
    "forecast": Verb(
        "contact_center.reports.forecasting",
        "How many calls the days ahead bring, per interval, out of a log; and the agents that they take.",
        "forecast_calls",
    ),
    "simulate": Verb(
        "contact_center.reports.planning",
        "A day at random, or the calls of a log, through the routing policy itself, in virtual time.",
        "simulate",
    ),
}


def lasting(module: str) -> ModuleType:
    """A module that stays to the end of the process.

    None of its half a million objects is ever garbage. To look among them for some costs a fifth of the time of
    loading, and later a pause of a third of a second in the middle of serving.
    """
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def load(name: str) -> Any:
    """A verb with its options, from its module."""
    verb = VERBS[name]
    module = lasting(verb.module)
    if not verb.command:
        return typer.main.get_command(module.app)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name)(getattr(module, verb.command))
    return typer.main.get_command(alone)


class Verbs(TyperGroup):
    """The list of verbs without their modules; the one that was called with its own."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        verb = VERBS.get(cmd_name)
        return TyperCommand(cmd_name, help=verb.help) if verb else None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else None, rest


app = typer.Typer(cls=Verbs, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def contact_center() -> None:
    """Run and look after a contact center."""


def main() -> None:
    """The console script."""
    app()
