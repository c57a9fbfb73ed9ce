"""Administration of rules: what they wait for, ask and do; what they would have matched; their order, on and off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Row as Record
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui import automation_words, condition_words
from agent_ui.automation_words import Names, Told, told
from agent_ui.entries import Gettext
from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, go
from agent_ui.pages.macros import posted_actions, read_actions
from agent_ui.pages.ticket import translate
from agent_ui.sentences import PRIORITIES, STATUSES
from agent_ui.views import Choice
from contact_center.accounts.web import locale_of
from contact_center.automations import actions, conditions, placeholders, preview, rules
from contact_center.automations.actions import FOR_RULES
from contact_center.automations.conditions import OPERATORS, Condition, Conditions, Field
from contact_center.automations.preview import Preview
from contact_center.automations.rules import Wanted
from contact_center.automations.triggers import Trigger
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.services import services
from tickets.numbers import number_of

TABLES = {"status": STATUSES, "priority": PRIORITIES}
GROUPS = ("every", "some")


def routes() -> list[Route]:
    """/admin/rules and what can be done to one."""
    return [
        administer("/rules", index),
        administer("/rules/new", edit, "GET", "POST"),
        administer("/rules/{rule_id:int}", edit, "GET", "POST"),
        administer("/rules/{rule_id:int}/switch", switch, "POST"),
        administer("/rules/{rule_id:int}/move", move, "POST"),
        administer("/rules/{rule_id:int}/delete", remove, "POST"),
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """A rule in the list, in words; `error` is what it last failed with."""

    rule: Record[Any]
    waits_for: str
    every: Sequence[str]
    some: Sequence[str]
    does: Sequence[Told]
    error: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket that a rule would have met, and why."""

    number: int
    subject: str
    customer: str
    at: Any
    why: str


async def index(request: Request) -> Response:
    """All rules in the order in which they run."""
    _ = translate(await locale_of(request))
    found, known = await services(request).db.read(_read)
    lines = [_line(row, known, _) for row in found]
    return await admin_page(request, "rules.html", "rules", lines=lines)


def _read(tx: Connection) -> tuple[Sequence[Record[Any]], Names]:
    return rules.listed(tx), automation_words.names(tx)


def _line(row: Record[Any], known: Names, _: Gettext) -> Line:
    every, some = ([_phrase(one, known, _) for one in row.conditions.get(group, ())] for group in GROUPS)
    does = [told(actions.Action(actions.Do(one["do"]), one["value"]), known, _) for one in row.actions]
    return Line(row, _(condition_words.TRIGGERS[Trigger(row.trigger)]), every, some, does, error_of(row, _))


def error_of(row: Record[Any], _: Gettext) -> str:
    """Why a rule last failed, as a sentence; "" if it did not."""
    if not row.error:
        return ""
    message, params = row.error["message"], row.error["params"]
    return _(message).format(**params) if params else _(message)


def _phrase(one: Mapping[str, str], known: Names, _: Gettext) -> str:
    value = known.get((one["field"], one["value"]), one["value"])
    return condition_words.phrase(one["field"], one["op"], value, one.get("name", ""), tables=TABLES, _=_)


async def edit(request: Request) -> Response:
    """A new rule, or one that exists; `preview` shows what it would have met and saves nothing."""
    db, rule_id = services(request).db, request.path_params.get("rule_id")
    kept = await db.read(rules.access, rule_id) if rule_id is not None else None
    if request.method == "GET":
        values = {"name": kept.name, "trigger": kept.trigger} if kept else {"trigger": Trigger.TICKET_OPENED.value}
        rows = (kept.conditions, list(kept.actions)) if kept else ({}, [{"do": "tag", "value": ""}])
        return await _show(request, kept, blank(await locale_of(request), values), *rows)
    form = await read_form(request)
    asked, does = posted_conditions(form), posted_actions(form)
    name = " ".join(form.text("name", required="preview" not in form.values, longest=rules.LONGEST_NAME).split())
    trigger, wanted = form.choice("trigger", Trigger, Trigger.TICKET_OPENED), read_conditions(form, asked)
    if "preview" in form.values:
        return await _show(request, kept, form, asked, does)
    acts = read_actions(form, does, FOR_RULES)
    if not form.ok:
        return await _show(request, kept, form, asked, does)
    rule, rights = Wanted(name, trigger, wanted, acts), {"user_id": request.state.person.id, "now": utcnow()}
    saving = (
        db.write(rules.create, rule, **rights) if rule_id is None else db.write(rules.change, rule_id, rule, **rights)
    )
    saved = await form.attempt(saving, name="name")
    if not form.ok:
        return await _show(request, kept, form, asked, does)
    return go(f"/admin/rules/{rule_id or saved}", "saved" if rule_id else "created")


def posted_conditions(form: Form) -> dict[str, list[dict[str, str]]]:
    """The rows of the posted form, as they were typed, by their group."""
    names = ("c_group", "c_field", "c_op", "c_value", "c_name")
    found: dict[str, list[dict[str, str]]] = {group: [] for group in GROUPS}
    for group, *row in zip(*(form.several(name) for name in names), strict=False):
        if group in found:
            found[group].append(dict(zip(("field", "op", "value", "name"), row, strict=True)))
    return found


def read_conditions(form: Form, rows: Mapping[str, Any]) -> Conditions:
    """The same, checked; what is wrong becomes a mistake of the form."""
    try:
        return conditions.read(rows)
    except Invalid as error:
        form.refuse(error, "conditions")
        return Conditions()


async def switch(request: Request) -> Response:
    """On or off, from now on."""
    form, rule_id = await read_form(request), request.path_params["rule_id"]
    by = {"user_id": request.state.person.id, "now": utcnow()}
    await services(request).db.write(rules.switch, rule_id, on=form.flag("on"), **by)
    return go(f"/admin/rules/{rule_id}", "saved")


async def move(request: Request) -> Response:
    """One place earlier or later."""
    form, rule_id = await read_form(request), request.path_params["rule_id"]
    by = {"user_id": request.state.person.id, "now": utcnow()}
    await services(request).db.write(rules.move, rule_id, up=form.text("to") == "up", **by)
    return go("/admin/rules", "saved")


async def remove(request: Request) -> Response:
    """Delete a rule."""
    by = {"user_id": request.state.person.id, "now": utcnow()}
    await services(request).db.write(rules.remove, request.path_params["rule_id"], **by)
    return go("/admin/rules", "removed")


def _values(tx: Connection, _: Gettext) -> tuple[Names, Mapping[str, list[Choice]], Mapping[str, list[Choice]]]:
    """Names, and the options of actions and of conditions."""
    does = automation_words.choices(tx, FOR_RULES, _)
    yes_no = [Choice(key, _(word)) for key, word in condition_words.YES_NO.items()]
    asks = {
        Field.CHANNEL.value: [Choice(key, _(word)) for key, word in condition_words.CHANNELS.items()],
        Field.QUEUE.value: does["queue"],
        Field.TOPIC.value: does["topic"],
        Field.PRIORITY.value: does["priority"],
        Field.STATUS.value: [Choice(key, _(word)) for key, word in STATUSES.items()],
        **dict.fromkeys(condition_words.FLAGS, yes_no),
    }
    return automation_words.names(tx), does, asks


async def _show(
    request: Request,
    kept: Record[Any] | None,
    form: Form,
    asked: Mapping[str, Any],
    does: list[dict[str, str]],
) -> Response:
    _, db = translate(await locale_of(request)), services(request).db
    known, values, asks = await db.read(_values, _)
    seen: Preview | None = None
    if "conditions" not in form.errors and (kept is not None or "preview" in form.values):
        trigger = form.choice("trigger", Trigger, Trigger.TICKET_OPENED)
        seen = await db.read(preview.look, trigger, conditions.read(asked))
    return await admin_page(
        request,
        "rule.html",
        "rules",
        status=200 if form.ok else 422,
        rule=kept,
        error=error_of(kept, _) if kept else "",
        form=form,
        triggers=[Choice(one.value, _(word)) for one, word in condition_words.TRIGGERS.items()],
        asked={group: asked.get(group, ()) for group in GROUPS},
        fields=[Choice(one.value, _(word)) for one, word in condition_words.FIELDS.items()],
        ops={one.value: [Choice(op.value, _(condition_words.OPS[op])) for op in OPERATORS[one]] for one in Field},
        asks=asks,
        rows=does,
        kinds=[Choice(kind.value, _(automation_words.DOES[kind])) for kind in FOR_RULES],
        values=values,
        placeholders=placeholders.NAMES[:-1],
        seen=seen,
        matches=[_seen(one, known, _) for one in seen.shown] if seen else [],
    )


def _seen(one: preview.Match, known: Names, _: Gettext) -> Seen:
    why = ", ".join(_phrase(_stored(reason), known, _) for reason in one.reasons)
    return Seen(number_of(one.ticket_id), one.subject, one.customer, one.at, why)


def _stored(one: Condition) -> dict[str, str]:
    return {"field": one.field.value, "op": one.op.value, "value": one.value, "name": one.name}
