import pytest

from routing.states import (
    HOLDING_STATES,
    MOVES,
    OPEN_STATES,
    PRESENCE_MOVES,
    IllegalMove,
    Move,
    Presence,
    WorkItemState,
    moved,
)


def test_every_move_and_every_presence_has_its_row():
    assert set(MOVES) == set(Move)
    assert set(PRESENCE_MOVES) == set(Presence)


def test_the_ends_lead_nowhere():
    ends = {WorkItemState.COMPLETED, WorkItemState.CANCELED}
    assert not any(sources & ends for sources, _ in MOVES.values())
    assert set(WorkItemState) - OPEN_STATES == ends


def test_every_state_can_be_reached_and_every_open_one_can_end():
    reached = {WorkItemState.QUEUED}
    for _ in WorkItemState:
        reached |= {target for sources, target in MOVES.values() if sources & reached}
    assert reached == set(WorkItemState)
    assert all(moved(state, Move.CANCEL) is WorkItemState.CANCELED for state in OPEN_STATES)


def test_a_paused_item_holds_nothing():
    assert WorkItemState.PAUSED not in HOLDING_STATES


def test_an_offer_cannot_be_accepted_twice():
    with pytest.raises(IllegalMove, match="assigned cannot accept"):
        moved(moved(WorkItemState.RESERVED, Move.ACCEPT), Move.ACCEPT)
