"""`python -m bench [--quick] [goal …]`: run the stages one after the other; a table, and one JSON line per bar."""

import argparse
import dataclasses
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import uvloop

from bench import chat, fanout, idle, intake, lists, machine, story, webhook
from bench.stage import FULL, QUICK, Prepare, Result, Scale, run
from contact_center.core.output import complain

STAGES: Mapping[str, Prepare] = {
    **intake.STAGES,
    **webhook.STAGES,
    **chat.STAGES,
    **idle.STAGES,
    **fanout.STAGES,
    **lists.STAGES,
    **story.STAGES,
}
RESULTS = Path("var/bench/results.jsonl")


async def measure(wanted: Sequence[str], scale: Scale) -> list[Result]:
    """Run the wanted stages (all if none is named), and keep a line for each of their bars."""
    found: list[Result] = []
    for name, prepare in STAGES.items():
        if wanted and name not in wanted:
            continue
        begun = time.perf_counter()
        async with prepare(scale) as stage:
            results = await run(stage, scale)
        keep(results, scale)
        found += results
        complain(f"{name}: {time.perf_counter() - begun:.0f} s")
    return found


def keep(results: Sequence[Result], scale: Scale) -> None:
    """Append the results to the record, with when, where and of which commit they are."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    about = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit(), "machine": machine.described()}
    with RESULTS.open("ab") as file:
        for result in results:
            line = {**dataclasses.asdict(result), "scale": scale.name, **about}
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def commit() -> str:
    """The commit of this tree, with "+" if it was changed since; "" outside git."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return described.stdout.strip()


def show(results: Sequence[Result]) -> None:
    """What people read: two lines for each bar, because a table of all this is wider than a terminal."""
    for one in results:
        unit = f" {one.unit}" if one.absolute else ""
        bar = f"{'≥' if one.at_least else '≤'} {one.first:g}, goal {one.best:g}"
        sides = [f"ours {one.subject:g} {one.unit}"]
        if one.limit is not None:
            sides.append(f"limit {one.limit:g} {one.unit}")
        cpu = f"CPU {one.cpu_subject_us:g} µs" + ("" if one.cpu_limit_us is None else f" / {one.cpu_limit_us:g} µs")
        sides += [f"{word} {number:g}" for word, number in one.percentiles.items()]
        print(f"{one.goal:9} {one.value:>9g}{unit}  {one.verdict:13}  ({bar}; spread {one.spread:.2f})  {one.what}")
        print(f"{'':9} [{' | '.join([*sides, cpu])}]")


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: a first look, no measurement")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=", ".join(STAGES))
    asked = parser.parse_args(arguments)
    wanted = [name.upper() for name in asked.stages]
    if unknown := set(wanted) - set(STAGES):
        parser.error(f"no such stage: {', '.join(sorted(unknown))}")
    machine.pin(machine.CLIENT_CORE)
    found = uvloop.run(measure(wanted, QUICK if asked.quick else FULL))
    show(found)
    return 1 if any(one.verdict == "BELOW THE BAR" for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
