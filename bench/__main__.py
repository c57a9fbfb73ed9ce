"""`make bench [goal …]`: run the stages one after the other, print a table and one JSON line per stage."""

import asyncio
import dataclasses
import sys

from bench import intake
from bench.stage import run
from contact_center.core.output import print_json, print_table

STAGES = {stage.__name__.upper(): stage for module in (intake,) for stage in module.STAGES}


async def main(wanted: list[str]) -> int:
    """Run the wanted stages (all if none is named); the exit code is 1 if a bar is missed."""
    results = []
    for name, stage in STAGES.items():
        if wanted and name not in wanted:
            continue
        async with stage() as prepared:
            results.append(await run(prepared))
        print_json(dataclasses.asdict(results[-1]))
    print_table(
        ["", "What", "Ratio", "First bar", "Goal", "Spread", "Verdict", "[limit]", "[ours]"],
        [
            (r.goal, r.what, r.ratio, r.bar, r.best, r.spread, r.verdict, f"{r.limit}{r.unit}", f"{r.subject}{r.unit}")
            for r in results
        ],
    )
    return 1 if any(r.verdict == "BELOW THE BAR" for r in results) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main([name.upper() for name in sys.argv[1:]])))
