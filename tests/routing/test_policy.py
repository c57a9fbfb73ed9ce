from routing.facts import Acceptance, Overflow, Row, Selection, Step
from routing.facts import Ordering as Order
from routing.policy import Floor
from routing.pools import Medium, Pool, PoolName
from routing.states import Presence
from tests.routing.floors import T0, a_floor, a_queue, an_agent, full, some_work, who_gets
from tickets.states import Priority

FRENCH = 7


def test_it_gives_the_oldest_work_to_the_agent_who_became_free():
    floor = a_floor(a_queue(), some_work(1, at=T0 - 10), some_work(2, at=T0 - 20), an_agent(5, live=Pool(25)))
    assert who_gets(floor) == {2: 5}


def test_it_gives_nothing_twice():
    floor = a_floor(a_queue(), some_work(1), an_agent(5))
    assert who_gets(floor) == {1: 5}
    assert who_gets(floor) == {}


def test_it_leaves_work_waiting_when_nobody_has_room():
    floor = a_floor(a_queue(), some_work(1), an_agent(5, live=full(Pool())))
    assert who_gets(floor) == {}
    floor.put_agent(an_agent(5))
    assert who_gets(floor) == {1: 5}


def test_a_call_needs_the_whole_live_pool_and_mail_goes_beside_it():
    floor = a_floor(
        a_queue(),
        an_agent(5, live=Pool(held=25)),
        some_work(1, medium=Medium.CALL),
        some_work(2, medium=Medium.MAIL),
    )
    assert who_gets(floor) == {2: 5}


def test_an_agent_who_is_away_or_absent_or_has_the_channel_off_gets_nothing():
    floor = a_floor(
        a_queue(),
        some_work(1),
        an_agent(5, presence=Presence.AWAY),
        an_agent(6, absent=True),
        an_agent(7, media=frozenset({Medium.CALL})),
    )
    assert who_gets(floor) == {}


def test_urgent_work_counts_as_ten_minutes_older_and_not_more():
    floor = a_floor(
        a_queue(),
        some_work(1, at=T0 - 500),
        some_work(2, at=T0, priority=Priority.URGENT),
        some_work(3, at=T0 - 700),
        an_agent(5, live=Pool(25)),
    )
    assert who_gets(floor) == {3: 5}
    floor.put_agent(an_agent(5, live=Pool(25)))
    assert who_gets(floor) == {2: 5}


def test_an_sla_queue_takes_the_work_that_breaches_first():
    floor = a_floor(
        a_queue(ordering=Order.TIME_TO_BREACH, target=3600.0),
        some_work(1, at=T0 - 3000),
        some_work(2, at=T0 - 100, due_at=T0 + 300),
        an_agent(5, live=Pool(25)),
    )
    assert who_gets(floor) == {2: 5}


def test_a_strict_queue_comes_before_any_age():
    floor = a_floor(
        a_queue(1),
        a_queue(2, strict=1),
        some_work(1, at=T0 - 9999),
        some_work(2, queue=2),
        an_agent(5, queues=(1, 2), live=Pool(25)),
    )
    assert who_gets(floor) == {2: 5}


def test_a_second_rank_profile_row_makes_work_two_minutes_younger_for_that_agent():
    rows = (Row(1, priority=2), Row(2))
    older, newer = some_work(1, at=T0 - 100), some_work(2, queue=2)
    assert who_gets(a_floor(a_queue(1), a_queue(2), older, newer, an_agent(5, rows=rows, live=Pool(25)))) == {2: 5}
    oldest = some_work(1, at=T0 - 130)
    assert who_gets(a_floor(a_queue(1), a_queue(2), oldest, newer, an_agent(5, rows=rows, live=Pool(25)))) == {1: 5}


def test_most_spare_goes_by_share_so_that_half_a_pool_is_not_loaded_like_a_whole_one():
    floor = a_floor(
        a_queue(selection=Selection.MOST_SPARE),
        some_work(1),
        an_agent(5, live=Pool(100, 25)),
        an_agent(6, live=Pool(50, 0)),
    )
    assert who_gets(floor) == {1: 6}


def test_longest_idle_prefers_idle_agents_then_those_with_most_room():
    floor = a_floor(
        a_queue(selection=Selection.LONGEST_IDLE),
        some_work(1),
        some_work(2, at=T0 + 1),
        an_agent(5, live=Pool(held=25), free_since=T0 - 900),
        an_agent(6, live=Pool(25), free_since=T0 - 60),
    )
    assert who_gets(floor) == {1: 6, 2: 5}


def test_round_robin_goes_to_the_longest_since_last_assignment_then_the_lower_id():
    floor = a_floor(
        a_queue(selection=Selection.ROUND_ROBIN),
        *(some_work(n, at=T0 + n) for n in (1, 2, 3)),
        an_agent(5, last_assigned_at=T0 - 5),
        an_agent(7, last_assigned_at=T0 - 50),
        an_agent(6, last_assigned_at=T0 - 50),
    )
    assert who_gets(floor) == {1: 6, 2: 7, 3: 5}


def test_required_skills_keep_work_for_those_who_have_them():
    floor = a_floor(a_queue(), some_work(1, skills=((FRENCH, 3),)), an_agent(5, skills={FRENCH: 2}))
    assert who_gets(floor) == {}
    assert who_gets(floor, T0 + 9999) == {}
    floor.put_agent(an_agent(5, skills={FRENCH: 3}))
    assert who_gets(floor, T0 + 9999) == {1: 5}


def test_rings_widen_with_the_wait():
    rings = (Step(30, level=4), Step(30, level=3), Step())
    floor = a_floor(
        a_queue(steps=rings),
        *(some_work(n, wishes=(FRENCH,)) for n in (1, 2, 3)),
        an_agent(5, skills={FRENCH: 3}, live=Pool(50)),
        an_agent(6, live=Pool(25)),
    )
    assert floor.decide(T0).look_again_at == T0 + 30
    assert who_gets(floor, T0 + 29.9) == {}
    assert who_gets(floor, T0 + 30) == {1: 5, 2: 5}
    assert who_gets(floor, T0 + 60) == {3: 6}


def test_a_restart_resumes_at_the_ring_of_the_elapsed_wait():
    rings = (Step(30, level=4), Step(30, level=3), Step())
    floor = a_floor(a_queue(steps=rings), some_work(1, wishes=(FRENCH,)), an_agent(6))
    assert who_gets(floor, T0 + 61) == {1: 6}


def test_the_known_agent_is_waited_for_only_while_reachable():
    rings = (Step(30, agent=True), Step())
    busy = an_agent(5, live=full(Pool()))
    work = some_work(1, preferred_id=5)
    assert who_gets(a_floor(a_queue(steps=rings), work, busy, an_agent(6)), T0 + 10) == {}
    assert who_gets(a_floor(a_queue(steps=rings), work, busy, an_agent(6)), T0 + 30) == {1: 6}
    gone = an_agent(5, presence=Presence.OFFLINE)
    assert who_gets(a_floor(a_queue(steps=rings), work, gone, an_agent(6)), T0 + 10) == {1: 6}


def test_the_known_agent_going_offline_frees_the_work_at_once():
    rings = (Step(300, agent=True), Step())
    floor = a_floor(
        a_queue(steps=rings),
        some_work(1, preferred_id=5),
        an_agent(5, live=full(Pool())),
        an_agent(6),
    )
    assert who_gets(floor) == {}
    floor.put_agent(an_agent(5, presence=Presence.OFFLINE))
    assert who_gets(floor, T0 + 1) == {1: 6}


def test_work_meant_for_an_agent_needs_no_profile_row_and_waits_for_nobody_who_declined():
    work = some_work(1, medium=Medium.MAIL, preferred_id=5, preferred_until=T0 + 3600)
    assert who_gets(a_floor(a_queue(), work, an_agent(5, queues=(2,)), a_queue(2), an_agent(6))) == {1: 5}
    declined = some_work(1, medium=Medium.MAIL, preferred_id=5, preferred_until=T0 + 3600, tried=frozenset({5}))
    assert who_gets(a_floor(a_queue(), declined, an_agent(5), an_agent(6))) == {1: 6}


def test_a_profile_row_with_a_delay_joins_when_the_work_has_waited_that_long():
    floor = a_floor(a_queue(), some_work(1), an_agent(5, rows=(Row(1, delay=45),)))
    assert floor.decide(T0).look_again_at <= T0 + 45
    assert who_gets(floor, T0 + 44) == {}
    assert who_gets(floor, T0 + 45) == {1: 5}


def test_overflow_agents_join_after_the_delay_and_own_agents_stay_first():
    queue = a_queue(1, overflows=(Overflow(2, after=60),))
    floor = a_floor(queue, a_queue(2), some_work(1), some_work(2), an_agent(5, queues=(2,)))
    assert who_gets(floor, T0 + 59) == {}
    floor.put_agent(an_agent(6, live=Pool(25)))
    floor.put_agent(an_agent(5, queues=(2,), live=Pool(25, 25)))
    assert who_gets(floor, T0 + 59) == {1: 6}
    floor.put_agent(an_agent(5, queues=(2,), live=Pool(25)))
    outcome = floor.decide(T0 + 60)
    assert [(one.work.id, one.agent.id, one.route) for one in outcome.decisions] == [(2, 5, 2)]


def test_many_refused_offers_open_the_overflow_early():
    queue = a_queue(1, overflows=(Overflow(2, after=600),), max_offers=3)
    floor = a_floor(queue, a_queue(2), some_work(1, offers=3), an_agent(5, queues=(2,)))
    assert who_gets(floor) == {1: 5}


def test_a_closed_queue_holds_its_work_until_it_opens():
    floor = a_floor(a_queue(is_open=False), some_work(1), an_agent(5))
    assert who_gets(floor) == {}
    floor.put_queue(a_queue(is_open=True))
    assert who_gets(floor) == {1: 5}


def test_declined_work_goes_to_somebody_else():
    floor = a_floor(a_queue(), some_work(1, tried=frozenset({5})), an_agent(5), an_agent(6))
    assert who_gets(floor) == {1: 6}


def test_when_everyone_was_tried_it_rests_longer_each_time_and_starts_over():
    floor = a_floor(a_queue(), some_work(1, tried=frozenset({5})), an_agent(5))
    outcome = floor.decide(T0)
    [reset] = outcome.resets
    assert (reset.work.tried, reset.work.round, outcome.look_again_at) == (frozenset(), 1, T0 + 15)
    assert who_gets(floor, T0 + 14) == {}
    assert who_gets(floor, T0 + 15) == {1: 5}
    floor.put_work(some_work(1, tried=frozenset({5}), round=1))
    floor.put_agent(an_agent(5))
    assert floor.decide(T0 + 20).resets[0].work.not_before == T0 + 20 + 30


def test_it_does_not_start_over_while_those_who_refused_could_not_take_it_either():
    floor = a_floor(a_queue(), some_work(1, tried=frozenset({5})), an_agent(5, presence=Presence.NOT_RESPONDING))
    assert floor.decide(T0).resets == ()
    floor.put_agent(an_agent(5))
    assert len(floor.decide(T0 + 1).resets) == 1


def test_live_work_is_offered_with_a_deadline_and_deferred_work_is_simply_given():
    floor = a_floor(
        a_queue(),
        an_agent(5, live=Pool(200)),
        some_work(1, medium=Medium.CALL),
        some_work(2, medium=Medium.CHAT),
        some_work(3, medium=Medium.MAIL),
    )
    by_work = {one.work.id: one for one in floor.decide(T0).decisions}
    assert by_work[1].expires_at == T0 + 20
    assert by_work[2].expires_at == T0 + 30
    assert (by_work[3].acceptance, by_work[3].expires_at) == (Acceptance.AUTO, None)
    assert by_work[1].work.pool == PoolName.LIVE


def test_a_limit_leaves_the_rest_for_the_next_call():
    floor = a_floor(a_queue(), *(some_work(n) for n in range(1, 6)), an_agent(5), an_agent(6))
    first = floor.decide(T0, limit=2).decisions
    rest = floor.decide(T0).decisions
    assert (len(first), len(rest)) == (2, 3)


def test_changed_work_loses_its_old_place():
    floor = a_floor(a_queue(), some_work(1), some_work(2, at=T0 + 1))
    floor.decide(T0)
    floor.put_work(some_work(2, at=T0 + 1, priority=Priority.URGENT))
    floor.put_agent(an_agent(5, live=Pool(25)))
    assert who_gets(floor) == {2: 5}


def test_canceled_work_and_dropped_agents_are_forgotten():
    floor = a_floor(a_queue(), some_work(1), some_work(2), an_agent(5), an_agent(6))
    floor.drop_work(1)
    floor.drop_agent(5)
    assert who_gets(floor) == {2: 6}
    assert who_gets(Floor()) == {}


def test_a_witness_sees_the_floor_as_it_was():
    floor = a_floor(a_queue(), some_work(1), an_agent(5))
    seen = []
    floor.decide(T0, witness=lambda one: seen.append((1 in floor.works, floor.staff.agents[5].live.held)))
    assert seen == [(True, 0)]
