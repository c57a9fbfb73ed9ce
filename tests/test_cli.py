"""The command line loads what a verb needs and nothing else, and its list of verbs says what they say."""

import contextlib
import gc
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from contact_center.cli import VERBS, app, lasting, load

HEAVY = ("sqlalchemy", "starlette", "agent_ui", "contact_center.app", "contact_center.wiring", "twilio")
PROGRAM = """
import sys
from contact_center.cli import main
sys.argv = ["contact-center", *{arguments!r}]
try:
    main()
except SystemExit as ended:
    code = ended.code
print("loaded:", code, [name for name in {heavy!r} if name in sys.modules])
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["email", "--help"],
        ["email", "parse", "/dev/null"],
        ["staffing", "--contacts", "100", "--aht", "180"],
    ],
    ids=" ".join,
)
def test_what_needs_no_database_loads_neither_it_nor_the_console(arguments: list[str]) -> None:
    program = PROGRAM.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "loaded: 0 []", done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(VERBS))
def test_the_list_says_of_each_verb_what_the_verb_says_itself(name: str) -> None:
    told = (load(name).help or "").strip().partition("\n")[0]
    assert VERBS[name].help == told
    assert name in CliRunner().invoke(app, ["--help"]).output


def test_an_unknown_verb_is_refused_and_no_verb_shows_the_list() -> None:
    refused = CliRunner().invoke(app, ["sevre"])
    assert refused.exit_code == 2
    assert "No such command" in refused.output
    assert "createadmin" in CliRunner().invoke(app, []).output


@pytest.mark.parametrize("module", ["contact_center.verbs", "contact_center.no_such_module"])
def test_nobody_looks_for_garbage_in_what_stays_and_everybody_elsewhere(module: str) -> None:
    gc.unfreeze()
    with contextlib.suppress(ModuleNotFoundError):
        lasting(module)
    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000
