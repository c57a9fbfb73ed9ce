"""Who works in the demo shop: people, queues, skills, profiles, topics and channel accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from channels.chat.identity import rotated
from channels.phone.people import PHONE
from contact_center.accounts import users
from contact_center.accounts.models import Team, TeamMember, User
from contact_center.accounts.passwords import hash_password
from contact_center.accounts.permissions import Role
from contact_center.core.secrets import Vault
from contact_center.core.upsert import insert_once
from contact_center.demo import line_plan
from contact_center.demo.scripts import SCRIPTS
from contact_center.demo.voice.world import ACCOUNT_SID, AUTH_TOKEN
from routing import profiles
from routing.queue_settings import write as queue_settings
from tickets import channel_accounts, queues, service_levels, topics
from tickets.hours import always_open, calendar_data
from tickets.sla import default_policy, policy_data
from tickets.states import Channel

PASSWORD = "lotus-and-lane"
SHOP = "Lotus & Lane"
MAIL_ADDRESS = "help@lotus-lane.example"
SMS_NUMBER = "+15005550006"
WHATSAPP_NUMBER = "+15005550199"
PHONE_NUMBER = "+15005550100"
# The number of the person in front of the demo; nobody simulated has it.
NUMBER = "+84901234567"
TWILIO_ACCOUNT, TWILIO_TOKEN = ACCOUNT_SID, AUTH_TOKEN

ALWAYS = calendar_data(always_open())
OFFICE = {
    "zone": "Asia/Ho_Chi_Minh",
    "week": {day: [["08:00", "12:00"], ["13:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}


@dataclass(frozen=True, slots=True)
class Colleague:
    """One agent of the floor: the queues they serve (in order of priority) and how well they know a skill (1-5)."""

    name: str
    locale: str
    queues: tuple[str, ...]
    skills: Mapping[str, int]
    team: str


AGENTS = (
    Colleague("Mai Tran", "vi", ("Orders", "Billing", "Technical"), {"vi": 5, "en": 4, "Returns": 4}, "Saigon"),
    Colleague("Linh Nguyen", "vi", ("Orders", "Technical", "Billing"), {"vi": 5, "en": 3, "Devices": 3}, "Saigon"),
    Colleague("Quang Pham", "vi", ("Technical", "Orders", "Billing"), {"vi": 5, "en": 3, "Devices": 5}, "Saigon"),
    Colleague(
        "Thao Le", "vi", ("Billing", "Orders", "Technical", "Business"), {"vi": 5, "en": 4, "Payments": 5}, "Saigon"
    ),
    Colleague("Emma Clarke", "en", ("Orders", "Billing", "Technical"), {"en": 5, "Returns": 5}, "Dublin"),
    Colleague("Noah Walsh", "en", ("Technical", "Orders", "Billing"), {"en": 5, "Devices": 5}, "Dublin"),
    Colleague("Aoife Byrne", "en", ("Billing", "Orders", "Technical"), {"en": 5, "Payments": 4}, "Dublin"),
    Colleague("Sam Okafor", "en", ("Orders", "Technical", "Billing", "Business"), {"en": 5}, "Dublin"),
)
SUPERVISORS = (("Huong Vo", "vi", "Saigon"), ("Brian Doyle", "en", "Dublin"))
QA = ("Ines Duarte", "en")
ADMIN = ("Alex Kim", "en")

# (name, office hours?, target seconds): three queues around the clock, one that shows hours.
QUEUES = (("Orders", False, 20), ("Billing", False, 30), ("Technical", False, 40), ("Business", True, 60))
ALWAYS_OPEN = tuple(name for name, hours, _ in QUEUES if not hours)


@dataclass(slots=True)
class Cast:
    """The ids of what was made, by name."""

    queues: dict[str, int] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    supervisors: dict[str, int] = field(default_factory=dict)
    skills: dict[str, int] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    qa: int = 0
    admin: int = 0


def email_of(name: str) -> str:
    """The login of somebody: mai.tran@lotus-lane.example."""
    return f"{name.lower().replace(' ', '.')}@lotus-lane.example"


def client_of(name: str) -> str:
    """The phone in somebody's browser, as the carrier calls it: client:mai.tran."""
    return f"client:{name.lower().replace(' ', '.')}"


def build(tx: Connection, vault: Vault, *, now: datetime) -> Cast:
    """Make everybody and everything; `now` is the day the shop opened."""
    cast = Cast()
    _people(tx, cast, now=now)
    _queues(tx, cast, now=now)
    _skills(tx, cast, now=now)
    _topics(tx, cast, now=now)
    _accounts(tx, vault, cast, now=now)
    return cast


def load(tx: Connection) -> Cast:
    """The cast of a database that was seeded before."""
    cast = Cast()
    by_name = {row.name: row.id for row in tx.execute(select(User.id, User.name))}
    cast.agents = {agent.name: by_name[agent.name] for agent in AGENTS}
    cast.supervisors = {name: by_name[name] for name, _, _ in SUPERVISORS}
    cast.qa, cast.admin = by_name[QA[0]], by_name[ADMIN[0]]
    cast.queues = {row.name: row.id for row in queues.all_named(tx)}
    cast.accounts = {row.name: row.id for row in channel_accounts.all_named(tx)}
    cast.topics = topics.by_path(tx)
    return cast


def _people(tx: Connection, cast: Cast, *, now: datetime) -> None:
    password = hash_password(PASSWORD)
    everybody = [
        *((a.name, a.locale, Role.AGENT, a.team) for a in AGENTS),
        *((name, locale, Role.SUPERVISOR, team) for name, locale, team in SUPERVISORS),
        (*QA, Role.QA, "Quality"),
        (*ADMIN, Role.ADMIN, "Quality"),
    ]
    for name, locale, role, team in everybody:
        user_id = users.add(
            tx, email=email_of(name), name=name, role=role, password_hash=password, now=now, locale=locale
        )
        users.set_preferences(tx, user_id, {PHONE: client_of(name)}, now=now)
        insert_once(tx, Team, key=["name"], values={"name": team})
        team_id = tx.execute(select(Team.id).where(Team.name == team)).scalar_one()
        tx.execute(insert(TeamMember), {"team_id": team_id, "user_id": user_id})
        if role is Role.AGENT:
            cast.agents[name] = user_id
        elif role is Role.SUPERVISOR:
            cast.supervisors[name] = user_id
        elif role is Role.QA:
            cast.qa = user_id
        else:
            cast.admin = user_id


def _queues(tx: Connection, cast: Cast, *, now: datetime) -> None:
    around = service_levels.create_calendar(tx, "Around the clock", ALWAYS)
    office = service_levels.create_calendar(tx, "Saigon office hours", OFFICE)
    policy = service_levels.create_policy(tx, "Standard", policy_data(default_policy()))
    for name, hours, seconds in QUEUES:
        cast.queues[name] = queues.create(
            tx,
            name,
            now=now,
            calendar_id=office if hours else around,
            sla_policy_id=policy,
            target_share=80,
            target_seconds=seconds,
            signature=f"{SHOP} · {name}",
            routing=queue_settings({}),
        )


def _skills(tx: Connection, cast: Cast, *, now: datetime) -> None:
    names = {skill for agent in AGENTS for skill in agent.skills}
    cast.skills = {name: profiles.add_skill(tx, name) for name in sorted(names)}
    for agent in AGENTS:
        user_id = cast.agents[agent.name]
        for place, queue in enumerate(agent.queues):
            # Their first two queues at once, the others after a moment: specialists first.
            profiles.set_row(tx, user_id, cast.queues[queue], priority=place + 1, delay=0 if place < 2 else 20, now=now)
        for skill, level in agent.skills.items():
            profiles.set_skill(tx, user_id, cast.skills[skill], level, now=now)
        profiles.set_pools(tx, user_id, live=100, deferred=100, now=now)


def _topics(tx: Connection, cast: Cast, *, now: datetime) -> None:
    for script in SCRIPTS:
        parent, child = script.topic
        if parent not in cast.topics:
            cast.topics[parent] = topics.create(tx, parent, now=now)
        path = f"{parent} / {child}"
        if path not in cast.topics:
            cast.topics[path] = topics.create(tx, child, now=now, parent_id=cast.topics[parent])


def _accounts(tx: Connection, vault: Vault, cast: Cast, *, now: datetime) -> None:
    carrier = {"account_sid": TWILIO_ACCOUNT, "auth_token": TWILIO_TOKEN}
    # The ports of its counterparts are chosen anew at every start: see demo.server.
    mail = {"domain": "lotus-lane.example", "sender_name": SHOP}
    # The shop's page signs tokens with it for whoever signs in there.
    vouching = rotated({}, now=now, keep_old=False)
    wanted: tuple[tuple[str, Channel, str, dict[str, Any], dict[str, Any]], ...] = (
        ("Shop mail", Channel.EMAIL, MAIL_ADDRESS, {**mail, "receiver": True}, {}),
        ("Shop SMS", Channel.SMS, SMS_NUMBER, {"region": "VN"}, carrier),
        ("Shop WhatsApp", Channel.WHATSAPP, WHATSAPP_NUMBER, {"region": "VN"}, carrier),
        ("Shop line", Channel.PHONE, PHONE_NUMBER, {"region": "VN", "plan": line_plan.stored(cast.queues)}, carrier),
        ("Shop chat", Channel.CHAT, "shop", {"title": SHOP, "origins": ["*"], "accent": "#2f5d4a"}, vouching),
    )
    for name, channel, address, settings, secrets in wanted:
        cast.accounts[name] = channel_accounts.create(
            tx,
            vault,
            channel=channel,
            name=name,
            address=address,
            queue_id=cast.queues["Orders"],
            now=now,
            settings=settings,
            secrets=secrets,
            key="shop" if channel is Channel.CHAT else None,
        )
