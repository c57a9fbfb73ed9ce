"""Away reasons: the defaults, what is changed of them, and that somebody can always take a break."""

import pytest

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid, NotFound
from routing import away_reasons
from routing.away_reasons import Away
from tests.conftest import NOW


async def names(db: Database) -> list[str]:
    return [one.name for one in await db.read(away_reasons.choosable)]


async def test_the_defaults_are_kept_when_one_of_them_changes(db: Database):
    lunch = Away("Midday meal", productive=False, paid=True)
    await db.write(away_reasons.change, "Lunch", lunch, active=True, now=NOW)
    reasons = await db.read(away_reasons.choosable)
    assert reasons[1] == lunch
    assert len(reasons) == len(away_reasons.DEFAULT_REASONS)


async def test_a_reason_that_is_off_cannot_be_chosen_and_comes_back(sqlite_db: Database):
    training = away_reasons.DEFAULT_REASONS[3]
    await sqlite_db.write(away_reasons.change, "Training", training, active=False, now=NOW)
    assert "Training" not in await names(sqlite_db)
    await sqlite_db.write(away_reasons.change, "Training", training, active=True, now=NOW)
    assert (await names(sqlite_db))[3] == "Training"


async def test_reasons_are_added_last_and_moved(sqlite_db: Database):
    await sqlite_db.write(away_reasons.add, Away("Prayer", productive=False, paid=True), now=NOW)
    await sqlite_db.write(away_reasons.move, "Prayer", up=True, now=NOW)
    await sqlite_db.write(away_reasons.move, "Break", up=True, now=NOW)
    assert (await names(sqlite_db))[-2:] == ["Prayer", "System problem"]
    assert (await names(sqlite_db))[0] == "Break"
    with pytest.raises(NotFound):
        await sqlite_db.write(away_reasons.move, "Nap", up=True, now=NOW)


async def test_one_reason_is_always_left(sqlite_db: Database):
    await sqlite_db.write(away_reasons.set_away_reasons, [Away("Break", productive=False, paid=True)])
    with pytest.raises(Conflict, match="One reason must be left"):
        await sqlite_db.write(
            away_reasons.change, "Break", Away("Break", productive=False, paid=True), active=False, now=NOW
        )


@pytest.mark.parametrize(("name", "error"), [(" ", Invalid), ("x" * 41, Invalid), ("Lunch", Conflict)])
async def test_a_name_is_wanted_and_used_once(db: Database, name: str, error: type[Exception]):
    with pytest.raises(error):
        await db.write(away_reasons.add, Away(name, productive=False, paid=True), now=NOW)
    with pytest.raises(error):
        await db.write(away_reasons.change, "Break", Away(name, productive=False, paid=True), active=True, now=NOW)
