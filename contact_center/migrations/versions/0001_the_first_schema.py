"""The first schema."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema
from knowledge_base.models import create_search_indexes
from tickets.search import create_search_indexes as create_ticket_search_indexes

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The first schema."""
    op.create_table(
        "away_reasons",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("productive", sa.Boolean(), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_away_reasons")),
        sa.UniqueConstraint("name", name=op.f("uq_away_reasons_name")),
    )
    op.create_table(
        "calendars",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("definition", schema.Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendars")),
        sa.UniqueConstraint("name", name=op.f("uq_calendars_name")),
    )
    op.create_table(
        "customers",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("company", schema.SafeText(), nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=True),
        sa.Column("timezone", schema.SafeText(), nullable=True),
        sa.Column("vip", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("external_id", schema.SafeText(), nullable=True),
        sa.Column("attributes", schema.Json, nullable=False),
        sa.Column("merged_into_id", schema.BigId, nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["merged_into_id"], ["customers.id"], name=op.f("fk_customers_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("external_id", name=op.f("uq_customers_external_id")),
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customers_merged_into_id"), ["merged_into_id"], unique=False)

    op.create_table(
        "events",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", schema.Json, nullable=False),
        sa.Column("topics", schema.Json, nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("dispatched_at", schema.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_dispatched_at", ["dispatched_at"], unique=False)
        batch_op.create_index(
            "ix_events_waiting",
            ["id"],
            unique=False,
            postgresql_where=sa.text("dispatched_at IS NULL"),
            sqlite_where=sa.text("dispatched_at IS NULL"),
        )

    op.create_table(
        "handler_failures",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("event_id", schema.BigId, nullable=False),
        sa.Column("handler", schema.SafeText(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", schema.UtcDateTime(), nullable=False),
        sa.Column("dead_at", schema.UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handler_failures")),
        sa.UniqueConstraint("event_id", "handler", name="uq_handler_failures_event_id_handler"),
    )
    with op.batch_alter_table("handler_failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handler_failures_event_id"), ["event_id"], unique=False)

    op.create_table(
        "installation_facts",
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("value", schema.Json, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation_facts")),
    )
    op.create_table(
        "process_leases",
        sa.Column("process_id", schema.SafeText(), nullable=False),
        sa.Column("expires_at", schema.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("process_id", name=op.f("pk_process_leases")),
    )
    with op.batch_alter_table("process_leases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_process_leases_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "rate_counts",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("key", schema.SafeText(), nullable=False),
        sa.Column("window", schema.UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_counts")),
        sa.UniqueConstraint("key", "window", name=op.f("uq_rate_counts_key_window")),
    )
    op.create_table(
        "scorecards",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scorecards")),
        sa.UniqueConstraint("name", name=op.f("uq_scorecards_name")),
    )
    op.create_table(
        "skills",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skills")),
        sa.UniqueConstraint("name", name=op.f("uq_skills_name")),
    )
    op.create_table(
        "sla_policies",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("definition", schema.Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_policies")),
        sa.UniqueConstraint("name", name=op.f("uq_sla_policies_name")),
    )
    op.create_table(
        "tags",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name", name=op.f("uq_tags_name")),
    )
    op.create_table(
        "teams",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name", name=op.f("uq_teams_name")),
    )
    op.create_table(
        "ticket_counters",
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("assignee_id", schema.BigId, nullable=False),
        sa.Column("status", schema.SafeText(), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "assignee_id", "status", name=op.f("pk_ticket_counters")),
    )
    op.create_table(
        "topics",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("parent_id", schema.BigId, nullable=True),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["topics.id"], name=op.f("fk_topics_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
        sa.UniqueConstraint("parent_id", "name", name=op.f("uq_topics_parent_id_name")),
    )
    with op.batch_alter_table("topics", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_topics_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("email", schema.SafeText(), nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("role", schema.SafeText(), nullable=False),
        sa.Column("password", schema.SafeText(), nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=True),
        sa.Column("timezone", schema.SafeText(), nullable=True),
        sa.Column("preferences", schema.Json, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "agent_connections",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("connection_id", schema.SafeText(), nullable=False),
        sa.Column("process_id", schema.SafeText(), nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("opened_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_agent_connections_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_connections")),
        sa.UniqueConstraint("connection_id", name=op.f("uq_agent_connections_connection_id")),
    )
    with op.batch_alter_table("agent_connections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_connections_process_id"), ["process_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_agent_connections_user_id"), ["user_id"], unique=False)

    op.create_table(
        "agent_skills",
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("skill_id", schema.BigId, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 5", name=op.f("ck_agent_skills_level")),
        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"], name=op.f("fk_agent_skills_skill_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_agent_skills_user_id")),
        sa.PrimaryKeyConstraint("user_id", "skill_id", name=op.f("pk_agent_skills")),
    )
    with op.batch_alter_table("agent_skills", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_skills_skill_id"), ["skill_id"], unique=False)

    op.create_table(
        "agent_states",
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("presence", schema.SafeText(), nullable=False),
        sa.Column("reason", schema.SafeText(), nullable=True),
        sa.Column("since", schema.UtcDateTime(), nullable=False),
        sa.Column("next_presence", schema.SafeText(), nullable=True),
        sa.Column("next_reason", schema.SafeText(), nullable=True),
        sa.Column("media_off", schema.Json, nullable=False),
        sa.Column("live_capacity", sa.Integer(), nullable=False),
        sa.Column("deferred_capacity", sa.Integer(), nullable=False),
        sa.Column("live_held", sa.Integer(), nullable=False),
        sa.Column("deferred_held", sa.Integer(), nullable=False),
        sa.Column("last_assigned_at", schema.UtcDateTime(), nullable=True),
        sa.Column("free_since", schema.UtcDateTime(), nullable=False),
        sa.Column("lost_at", schema.UtcDateTime(), nullable=True),
        sa.Column("out_until", schema.UtcDateTime(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("live_held >= 0 AND deferred_held >= 0", name=op.f("ck_agent_states_held")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_agent_states_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_agent_states")),
    )
    with op.batch_alter_table("agent_states", schema=None) as batch_op:
        batch_op.create_index(
            "ix_agent_states_lost",
            ["lost_at"],
            unique=False,
            postgresql_where=sa.text("lost_at IS NOT NULL"),
            sqlite_where=sa.text("lost_at IS NOT NULL"),
        )

    op.create_table(
        "audit_log",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("at", schema.UtcDateTime(), nullable=False),
        sa.Column("user_id", schema.BigId, nullable=True),
        sa.Column("action", schema.SafeText(), nullable=False),
        sa.Column("target", schema.SafeText(), nullable=False),
        sa.Column("details", schema.Json, nullable=False),
        sa.Column("address", schema.SafeText(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_audit_log_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.create_index("ix_audit_log_at", ["at", "id"], unique=False)

    op.create_table(
        "contact_points",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("customer_id", schema.BigId, nullable=False),
        sa.Column("kind", schema.SafeText(), nullable=False),
        sa.Column("value", schema.SafeText(), nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("verified_at", schema.UtcDateTime(), nullable=True),
        sa.Column("suppressed_at", schema.UtcDateTime(), nullable=True),
        sa.Column("suppressed_reason", schema.SafeText(), nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_contact_points_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_points")),
        sa.UniqueConstraint("kind", "value", name=op.f("uq_contact_points_kind_value")),
    )
    with op.batch_alter_table("contact_points", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_points_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "customer_events",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("customer_id", schema.BigId, nullable=False),
        sa.Column("external_id", schema.SafeText(), nullable=False),
        sa.Column("kind", schema.SafeText(), nullable=False),
        sa.Column("title", schema.SafeText(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("currency", schema.SafeText(), nullable=False),
        sa.Column("url", schema.SafeText(), nullable=False),
        sa.Column("data", schema.Json, nullable=False),
        sa.Column("occurred_at", schema.UtcDateTime(), nullable=False),
        sa.Column("received_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_events_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_events")),
        sa.UniqueConstraint("external_id", name=op.f("uq_customer_events_external_id")),
    )
    with op.batch_alter_table("customer_events", schema=None) as batch_op:
        batch_op.create_index("ix_customer_events_customer", ["customer_id", "kind", "occurred_at", "id"], unique=False)

    op.create_table(
        "customer_merges",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("kept_id", schema.BigId, nullable=False),
        sa.Column("merged_id", schema.BigId, nullable=False),
        sa.Column("by_user_id", schema.BigId, nullable=True),
        sa.Column("merged_at", schema.UtcDateTime(), nullable=False),
        sa.Column("moved", schema.Json, nullable=False),
        sa.Column("before", schema.Json, nullable=False),
        sa.Column("evidence", schema.Json, nullable=False),
        sa.Column("undone_at", schema.UtcDateTime(), nullable=True),
        sa.Column("undone_by_id", schema.BigId, nullable=True),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_customer_merges_by_user_id")),
        sa.ForeignKeyConstraint(["kept_id"], ["customers.id"], name=op.f("fk_customer_merges_kept_id")),
        sa.ForeignKeyConstraint(["merged_id"], ["customers.id"], name=op.f("fk_customer_merges_merged_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["users.id"], name=op.f("fk_customer_merges_undone_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_merges")),
    )
    with op.batch_alter_table("customer_merges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_merges_kept_id"), ["kept_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_merges_merged_id"), ["merged_id"], unique=False)

    op.create_table(
        "presence_log",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("presence", schema.SafeText(), nullable=False),
        sa.Column("reason", schema.SafeText(), nullable=True),
        sa.Column("started_at", schema.UtcDateTime(), nullable=False),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.Column("by_user_id", schema.BigId, nullable=True),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_presence_log_by_user_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_presence_log_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence_log")),
    )
    with op.batch_alter_table("presence_log", schema=None) as batch_op:
        batch_op.create_index("ix_presence_log_user", ["user_id", "started_at"], unique=False)
        batch_op.create_index(
            "uq_presence_log_open",
            ["user_id"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "queues",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=False),
        sa.Column("calendar_id", schema.BigId, nullable=True),
        sa.Column("sla_policy_id", schema.BigId, nullable=True),
        sa.Column("target_share", sa.Integer(), nullable=False),
        sa.Column("target_seconds", sa.Integer(), nullable=False),
        sa.Column("acknowledge", sa.Boolean(), nullable=False),
        sa.Column("survey", sa.Boolean(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("routing", schema.Json, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name=op.f("fk_queues_calendar_id")),
        sa.ForeignKeyConstraint(["sla_policy_id"], ["sla_policies.id"], name=op.f("fk_queues_sla_policy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queues")),
        sa.UniqueConstraint("name", name=op.f("uq_queues_name")),
    )
    with op.batch_alter_table("queues", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_queues_calendar_id"), ["calendar_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_queues_sla_policy_id"), ["sla_policy_id"], unique=False)

    op.create_table(
        "saved_views",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("owner_id", schema.BigId, nullable=True),
        sa.Column("filters", schema.Json, nullable=False),
        sa.Column("sort", schema.SafeText(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_saved_views_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_views_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "scorecard_versions",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("scorecard_id", schema.BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", schema.Json, nullable=False),
        sa.Column("created_by_id", schema.BigId, nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_scorecard_versions_created_by_id")),
        sa.ForeignKeyConstraint(["scorecard_id"], ["scorecards.id"], name=op.f("fk_scorecard_versions_scorecard_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scorecard_versions")),
        sa.UniqueConstraint("scorecard_id", "number", name="uq_scorecard_versions_number"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("digest", schema.SafeText(), nullable=False),
        sa.Column("device", schema.SafeText(), nullable=False),
        sa.Column("address", schema.SafeText(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("seen_at", schema.UtcDateTime(), nullable=False),
        sa.Column("expires_at", schema.UtcDateTime(), nullable=False),
        sa.Column("revoked_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_sessions_digest")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "team_members",
        sa.Column("team_id", schema.BigId, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_team_members_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_team_members_user_id")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_members")),
    )
    with op.batch_alter_table("team_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_team_members_user_id"), ["user_id"], unique=False)

    op.create_table(
        "channel_accounts",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel", schema.SafeText(), nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("address", schema.SafeText(), nullable=False),
        sa.Column("key", schema.SafeText(), nullable=False),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("settings", schema.Json, nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("last_inbound_at", schema.UtcDateTime(), nullable=True),
        sa.Column("last_error", schema.SafeText(), nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_channel_accounts_queue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_accounts")),
        sa.UniqueConstraint("channel", "address", name=op.f("uq_channel_accounts_channel_address")),
        sa.UniqueConstraint("key", name=op.f("uq_channel_accounts_key")),
        sa.UniqueConstraint("name", name=op.f("uq_channel_accounts_name")),
    )
    with op.batch_alter_table("channel_accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_channel_accounts_queue_id"), ["queue_id"], unique=False)

    op.create_table(
        "profile_rows",
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("delay", sa.Integer(), nullable=False),
        sa.CheckConstraint("priority BETWEEN 1 AND 9 AND delay >= 0", name=op.f("ck_profile_rows_bounds")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_profile_rows_queue_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_profile_rows_user_id")),
        sa.PrimaryKeyConstraint("user_id", "queue_id", name=op.f("pk_profile_rows")),
    )
    with op.batch_alter_table("profile_rows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_profile_rows_queue_id"), ["queue_id"], unique=False)

    op.create_table(
        "journal",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel", schema.SafeText(), nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=True),
        sa.Column("external_id", schema.SafeText(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("reason", schema.SafeText(), nullable=True),
        sa.Column("sender", schema.SafeText(), nullable=False),
        sa.Column("summary", schema.SafeText(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("raw_digest", schema.SafeText(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("received_at", schema.UtcDateTime(), nullable=False),
        sa.Column("finished_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_journal_channel_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("channel_account_id", "external_id", name="uq_journal_external"),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index("ix_journal_received_at", ["received_at", "id"], unique=False)
        batch_op.create_index("ix_journal_state", ["state", "id"], unique=False)

    op.create_table(
        "mailbox_cursors",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=False),
        sa.Column("folder", schema.SafeText(), nullable=False),
        sa.Column("uidvalidity", schema.BigId, nullable=False),
        sa.Column("last_uid", schema.BigId, nullable=False),
        sa.Column("holder", schema.SafeText(), nullable=False),
        sa.Column("held_until", schema.UtcDateTime(), nullable=True),
        sa.Column("checked_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_mailbox_cursors_channel_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox_cursors")),
        sa.UniqueConstraint("channel_account_id", "folder", name="uq_mailbox_cursors_folder"),
    )
    op.create_table(
        "sms_consents",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("contact_point_id", schema.BigId, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=True),
        sa.Column("wish", schema.SafeText(), nullable=False),
        sa.Column("source", schema.SafeText(), nullable=False),
        sa.Column("word", schema.SafeText(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_sms_consents_channel_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_points.id"], name=op.f("fk_sms_consents_contact_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_consents")),
    )
    with op.batch_alter_table("sms_consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sms_consents_contact_point_id"), ["contact_point_id"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("subject", schema.SafeText(), nullable=False),
        sa.Column("status", schema.SafeText(), nullable=False),
        sa.Column("hold_reason", schema.SafeText(), nullable=True),
        sa.Column("priority", schema.SafeText(), nullable=False),
        sa.Column("kind", schema.SafeText(), nullable=False),
        sa.Column("channel", schema.SafeText(), nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=True),
        sa.Column("thread_key", schema.SafeText(), nullable=True),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("topic_id", schema.BigId, nullable=True),
        sa.Column("assignee_id", schema.BigId, nullable=True),
        sa.Column("customer_id", schema.BigId, nullable=False),
        sa.Column("contact_point_id", schema.BigId, nullable=True),
        sa.Column("locale", schema.SafeText(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("public_seq", sa.Integer(), nullable=False),
        sa.Column("preview", schema.SafeText(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("updated_at", schema.UtcDateTime(), nullable=False),
        sa.Column("last_inbound_at", schema.UtcDateTime(), nullable=True),
        sa.Column("last_outbound_at", schema.UtcDateTime(), nullable=True),
        sa.Column("waiting_since", schema.UtcDateTime(), nullable=True),
        sa.Column("first_response_at", schema.UtcDateTime(), nullable=True),
        sa.Column("snoozed_until", schema.UtcDateTime(), nullable=True),
        sa.Column("resolved_at", schema.UtcDateTime(), nullable=True),
        sa.Column("resolved_by_id", schema.BigId, nullable=True),
        sa.Column("closed_at", schema.UtcDateTime(), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("follows_up_id", schema.BigId, nullable=True),
        sa.Column("parent_id", schema.BigId, nullable=True),
        sa.Column("merged_into_id", schema.BigId, nullable=True),
        sa.Column("sla_due_at", schema.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("seq >= public_seq", name=op.f("ck_tickets_seq")),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=op.f("fk_tickets_assignee_id")),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_tickets_channel_account_id")
        ),
        sa.ForeignKeyConstraint(["contact_point_id"], ["contact_points.id"], name=op.f("fk_tickets_contact_point_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_tickets_customer_id")),
        sa.ForeignKeyConstraint(["follows_up_id"], ["tickets.id"], name=op.f("fk_tickets_follows_up_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["tickets.id"], name=op.f("fk_tickets_merged_into_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["tickets.id"], name=op.f("fk_tickets_parent_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_tickets_queue_id")),
        sa.ForeignKeyConstraint(["resolved_by_id"], ["users.id"], name=op.f("fk_tickets_resolved_by_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_tickets_topic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index("ix_tickets_assignee_status", ["assignee_id", "status", "updated_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_contact_point_id"), ["contact_point_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_follows_up_id"), ["follows_up_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_merged_into_id"), ["merged_into_id"], unique=False)
        batch_op.create_index(
            "ix_tickets_merged_thread",
            ["channel_account_id", "thread_key"],
            unique=False,
            postgresql_where=sa.text("merged_into_id IS NOT NULL"),
            sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_tickets_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index("ix_tickets_queue_status", ["queue_id", "status", "updated_at", "id"], unique=False)
        batch_op.create_index(
            "ix_tickets_resolved_at",
            ["resolved_at"],
            unique=False,
            postgresql_where=sa.text("status = 'resolved'"),
            sqlite_where=sa.text("status = 'resolved'"),
        )
        batch_op.create_index(
            "ix_tickets_resolved_thread",
            ["channel_account_id", "thread_key"],
            unique=False,
            postgresql_where=sa.text("thread_key IS NOT NULL AND status = 'resolved'"),
            sqlite_where=sa.text("thread_key IS NOT NULL AND status = 'resolved'"),
        )
        batch_op.create_index(
            "ix_tickets_sla_due",
            ["sla_due_at", "id"],
            unique=False,
            postgresql_where=sa.text("sla_due_at IS NOT NULL"),
            sqlite_where=sa.text("sla_due_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_tickets_snoozed_until",
            ["snoozed_until"],
            unique=False,
            postgresql_where=sa.text("snoozed_until IS NOT NULL"),
            sqlite_where=sa.text("snoozed_until IS NOT NULL"),
        )
        batch_op.create_index("ix_tickets_status", ["status", "updated_at", "id"], unique=False)
        batch_op.create_index(
            "ix_tickets_waiting",
            ["waiting_since", "id"],
            unique=False,
            postgresql_where=sa.text("waiting_since IS NOT NULL"),
            sqlite_where=sa.text("waiting_since IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_tickets_open_thread",
            ["channel_account_id", "thread_key"],
            unique=True,
            postgresql_where=sa.text("thread_key IS NOT NULL AND status NOT IN ('resolved', 'closed')"),
            sqlite_where=sa.text("thread_key IS NOT NULL AND status NOT IN ('resolved', 'closed')"),
        )

    op.create_table(
        "articles",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("external_id", schema.SafeText(), nullable=True),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("publish_at", schema.UtcDateTime(), nullable=True),
        sa.Column("source", schema.SafeText(), nullable=False),
        sa.Column("source_ticket_id", schema.BigId, nullable=True),
        sa.Column("author_id", schema.BigId, nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("updated_at", schema.UtcDateTime(), nullable=False),
        sa.Column("published_at", schema.UtcDateTime(), nullable=True),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("helpful", sa.Integer(), nullable=False),
        sa.Column("unhelpful", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_articles_author_id")),
        sa.ForeignKeyConstraint(["source_ticket_id"], ["tickets.id"], name=op.f("fk_articles_source_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("external_id", name=op.f("uq_articles_external_id")),
        sa.UniqueConstraint("source_ticket_id", name=op.f("uq_articles_source_ticket_id")),
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_articles_publish_at"), ["publish_at"], unique=False)
        batch_op.create_index("ix_articles_state", ["state", "updated_at", "id"], unique=False)

    op.create_table(
        "assignments",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("reason", schema.SafeText(), nullable=False),
        sa.Column("by_user_id", schema.BigId, nullable=True),
        sa.Column("offer_id", schema.BigId, nullable=True),
        sa.Column("started_at", schema.UtcDateTime(), nullable=False),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.Column("end_reason", schema.SafeText(), nullable=True),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_assignments_by_user_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_assignments_queue_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_assignments_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_assignments_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignments_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index("ix_assignments_user", ["user_id", "started_at"], unique=False)
        batch_op.create_index(
            "uq_assignments_open",
            ["ticket_id"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "chat_visits",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("key", schema.SafeText(), nullable=False),
        sa.Column("account_id", schema.BigId, nullable=False),
        sa.Column("customer_id", schema.BigId, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=True),
        sa.Column("from_seq", sa.Integer(), nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("email", schema.SafeText(), nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=False),
        sa.Column("page", schema.SafeText(), nullable=False),
        sa.Column("opened_at", schema.UtcDateTime(), nullable=False),
        sa.Column("online_until", schema.UtcDateTime(), nullable=True),
        sa.Column("left_at", schema.UtcDateTime(), nullable=True),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.Column("ended_by", schema.SafeText(), nullable=True),
        sa.Column("delivered_seq", sa.Integer(), nullable=False),
        sa.Column("seen_seq", sa.Integer(), nullable=False),
        sa.Column("mailed_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["channel_accounts.id"], name=op.f("fk_chat_visits_account_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_chat_visits_customer_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_chat_visits_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_visits")),
        sa.UniqueConstraint("key", name=op.f("uq_chat_visits_key")),
    )
    with op.batch_alter_table("chat_visits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_visits_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_chat_visits_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_chat_visits_online",
            ["online_until"],
            unique=False,
            postgresql_where=sa.text("left_at IS NULL AND online_until IS NOT NULL"),
            sqlite_where=sa.text("left_at IS NULL AND online_until IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_chat_visits_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "complaints",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("stage", schema.SafeText(), nullable=False),
        sa.Column("opener", schema.SafeText(), nullable=False),
        sa.Column("opened_by_id", schema.BigId, nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("severity", schema.SafeText(), nullable=True),
        sa.Column("owner_id", schema.BigId, nullable=True),
        sa.Column("subject_agent_id", schema.BigId, nullable=True),
        sa.Column("acknowledgement", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("decision", schema.SafeText(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("root_cause", schema.SafeText(), nullable=False),
        sa.Column("communicated", sa.Text(), nullable=False),
        sa.Column("received_at", schema.UtcDateTime(), nullable=False),
        sa.Column("updated_at", schema.UtcDateTime(), nullable=False),
        sa.Column("due_at", schema.UtcDateTime(), nullable=True),
        sa.Column("decided_at", schema.UtcDateTime(), nullable=True),
        sa.Column("closed_at", schema.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["opened_by_id"], ["users.id"], name=op.f("fk_complaints_opened_by_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_complaints_owner_id")),
        sa.ForeignKeyConstraint(["subject_agent_id"], ["users.id"], name=op.f("fk_complaints_subject_agent_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_complaints_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_complaints_ticket_id")),
    )
    with op.batch_alter_table("complaints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_complaints_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index("ix_complaints_stage", ["stage", "received_at", "id"], unique=False)

    op.create_table(
        "drafts",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("channel", schema.SafeText(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("begun_at_seq", sa.Integer(), nullable=False),
        sa.Column("updated_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_drafts_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_drafts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("ticket_id", "user_id", "channel", name=op.f("uq_drafts_ticket_id_user_id_channel")),
    )
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_drafts_user_id"), ["user_id"], unique=False)

    op.create_table(
        "mail_prints",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=False),
        sa.Column("fingerprint", schema.SafeText(), nullable=False),
        sa.Column("journal_id", schema.BigId, nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_mail_prints_channel_account_id")
        ),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name=op.f("fk_mail_prints_journal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_prints")),
        sa.UniqueConstraint("channel_account_id", "fingerprint", name="uq_mail_prints_fingerprint"),
    )
    with op.batch_alter_table("mail_prints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_prints_journal_id"), ["journal_id"], unique=False)

    op.create_table(
        "messages",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("public_seq", sa.Integer(), nullable=True),
        sa.Column("kind", schema.SafeText(), nullable=False),
        sa.Column("channel", schema.SafeText(), nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=True),
        sa.Column("author_kind", schema.SafeText(), nullable=False),
        sa.Column("user_id", schema.BigId, nullable=True),
        sa.Column("contact_point_id", schema.BigId, nullable=True),
        sa.Column("subject", schema.SafeText(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("quoted", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("external_id", schema.SafeText(), nullable=True),
        sa.Column("client_id", schema.SafeText(), nullable=True),
        sa.Column("journal_id", schema.BigId, nullable=True),
        sa.Column("matched_by", schema.SafeText(), nullable=True),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("delivery", schema.SafeText(), nullable=True),
        sa.Column("delivery_error", schema.SafeText(), nullable=True),
        sa.Column("send_after", schema.UtcDateTime(), nullable=True),
        sa.Column("meta", schema.Json, nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_messages_channel_account_id")
        ),
        sa.ForeignKeyConstraint(["contact_point_id"], ["contact_points.id"], name=op.f("fk_messages_contact_point_id")),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name=op.f("fk_messages_journal_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_messages_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_messages_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("channel_account_id", "external_id", name="uq_messages_external"),
        sa.UniqueConstraint("client_id", name=op.f("uq_messages_client_id")),
        sa.UniqueConstraint("ticket_id", "seq", name=op.f("uq_messages_ticket_id_seq")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_messages_journal_id"), ["journal_id"], unique=False)
        batch_op.create_index(
            "ix_messages_to_send",
            ["send_after", "id"],
            unique=False,
            postgresql_where=sa.text("delivery = 'queued'"),
            sqlite_where=sa.text("delivery = 'queued'"),
        )
        batch_op.create_index(
            "uq_messages_public_seq",
            ["ticket_id", "public_seq"],
            unique=True,
            postgresql_where=sa.text("public_seq IS NOT NULL"),
            sqlite_where=sa.text("public_seq IS NOT NULL"),
        )

    op.create_table(
        "reminders",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=True),
        sa.Column("kind", schema.SafeText(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_at", schema.UtcDateTime(), nullable=False),
        sa.Column("client_id", schema.SafeText(), nullable=True),
        sa.Column("created_by_id", schema.BigId, nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("rang_at", schema.UtcDateTime(), nullable=True),
        sa.Column("done_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_reminders_created_by_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_reminders_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reminders_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders")),
        sa.UniqueConstraint("client_id", name=op.f("uq_reminders_client_id")),
    )
    with op.batch_alter_table("reminders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reminders_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reminders_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "ix_reminders_waiting",
            ["due_at", "id"],
            unique=False,
            postgresql_where=sa.text("rang_at IS NULL AND done_at IS NULL"),
            sqlite_where=sa.text("rang_at IS NULL AND done_at IS NULL"),
        )

    op.create_table(
        "sla_books",
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("applied_seq", sa.Integer(), nullable=False),
        sa.Column("queue_id", sa.Integer(), nullable=False),
        sa.Column("priority", schema.SafeText(), nullable=False),
        sa.Column("status", schema.SafeText(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_sla_books_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_sla_books")),
    )
    op.create_table(
        "sla_clocks",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("metric", schema.SafeText(), nullable=False),
        sa.Column("started_at", schema.UtcDateTime(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=True),
        sa.Column("counted_from", schema.UtcDateTime(), nullable=False),
        sa.Column("carried", sa.Double(), nullable=False),
        sa.Column("pauses", schema.Json, nullable=False),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.Column("breached_at", schema.UtcDateTime(), nullable=True),
        sa.Column("dropped_at", schema.UtcDateTime(), nullable=True),
        sa.Column("due_at", schema.UtcDateTime(), nullable=True),
        sa.Column("warn_at", schema.UtcDateTime(), nullable=True),
        sa.Column("warned_at", schema.UtcDateTime(), nullable=True),
        sa.Column("next_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_sla_clocks_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_clocks")),
    )
    with op.batch_alter_table("sla_clocks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sla_clocks_next_at",
            ["next_at", "id"],
            unique=False,
            postgresql_where=sa.text("next_at IS NOT NULL"),
            sqlite_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_sla_clocks_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(
            "uq_sla_clocks_unfinished",
            ["ticket_id", "metric"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL AND dropped_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL AND dropped_at IS NULL"),
        )

    op.create_table(
        "ticket_links",
        sa.Column("first_id", schema.BigId, nullable=False),
        sa.Column("second_id", schema.BigId, nullable=False),
        sa.Column("by_user_id", schema.BigId, nullable=False),
        sa.Column("linked_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_ticket_links_by_user_id")),
        sa.ForeignKeyConstraint(["first_id"], ["tickets.id"], name=op.f("fk_ticket_links_first_id")),
        sa.ForeignKeyConstraint(["second_id"], ["tickets.id"], name=op.f("fk_ticket_links_second_id")),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_ticket_links")),
    )
    with op.batch_alter_table("ticket_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_links_second_id"), ["second_id"], unique=False)

    op.create_table(
        "ticket_merges",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("kept_id", schema.BigId, nullable=False),
        sa.Column("merged_id", schema.BigId, nullable=False),
        sa.Column("by_user_id", schema.BigId, nullable=False),
        sa.Column("merged_at", schema.UtcDateTime(), nullable=False),
        sa.Column("status", schema.SafeText(), nullable=False),
        sa.Column("waiting_since", schema.UtcDateTime(), nullable=True),
        sa.Column("resolved_at", schema.UtcDateTime(), nullable=True),
        sa.Column("undone_at", schema.UtcDateTime(), nullable=True),
        sa.Column("undone_by_id", schema.BigId, nullable=True),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_ticket_merges_by_user_id")),
        sa.ForeignKeyConstraint(["kept_id"], ["tickets.id"], name=op.f("fk_ticket_merges_kept_id")),
        sa.ForeignKeyConstraint(["merged_id"], ["tickets.id"], name=op.f("fk_ticket_merges_merged_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["users.id"], name=op.f("fk_ticket_merges_undone_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_merges")),
    )
    with op.batch_alter_table("ticket_merges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_merges_kept_id"), ["kept_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_merges_merged_id"), ["merged_id"], unique=False)

    op.create_table(
        "ticket_places",
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("assignee_id", schema.BigId, nullable=False),
        sa.Column("status", schema.SafeText(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_places_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_places")),
    )
    op.create_table(
        "ticket_reads",
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_reads_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ticket_reads_user_id")),
        sa.PrimaryKeyConstraint("ticket_id", "user_id", name=op.f("pk_ticket_reads")),
    )
    op.create_table(
        "ticket_tags",
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("tag_id", schema.BigId, nullable=False),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_ticket_tags_tag_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_tags_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "tag_id", name=op.f("pk_ticket_tags")),
    )
    with op.batch_alter_table("ticket_tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_tags_tag_id"), ["tag_id"], unique=False)

    op.create_table(
        "ticket_texts",
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_texts_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_texts")),
    )
    op.create_table(
        "work_items",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("pool", schema.SafeText(), nullable=False),
        sa.Column("medium", schema.SafeText(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("agent_id", schema.BigId, nullable=True),
        sa.Column("enqueued_at", schema.UtcDateTime(), nullable=False),
        sa.Column("waiting_since", schema.UtcDateTime(), nullable=False),
        sa.Column("priority", schema.SafeText(), nullable=False),
        sa.Column("credit", sa.Integer(), nullable=False),
        sa.Column("due_at", schema.UtcDateTime(), nullable=True),
        sa.Column("skills", schema.Json, nullable=False),
        sa.Column("wishes", schema.Json, nullable=False),
        sa.Column("tried", schema.Json, nullable=False),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("not_before", schema.UtcDateTime(), nullable=True),
        sa.Column("preferred_id", schema.BigId, nullable=True),
        sa.Column("preferred_until", schema.UtcDateTime(), nullable=True),
        sa.Column("transfers", sa.Integer(), nullable=False),
        sa.Column("assigned_at", schema.UtcDateTime(), nullable=True),
        sa.Column("paused_at", schema.UtcDateTime(), nullable=True),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.Column("wrap_until", schema.UtcDateTime(), nullable=True),
        sa.Column("finished_at", schema.UtcDateTime(), nullable=True),
        sa.Column("disposition", schema.SafeText(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_work_items_agent_id")),
        sa.ForeignKeyConstraint(["preferred_id"], ["users.id"], name=op.f("fk_work_items_preferred_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_work_items_queue_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_work_items_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_items")),
    )
    with op.batch_alter_table("work_items", schema=None) as batch_op:
        batch_op.create_index(
            "ix_work_items_agent",
            ["agent_id"],
            unique=False,
            postgresql_where=sa.text("state NOT IN ('completed', 'canceled')"),
            sqlite_where=sa.text("state NOT IN ('completed', 'canceled')"),
        )
        batch_op.create_index(batch_op.f("ix_work_items_queue_id"), ["queue_id"], unique=False)
        batch_op.create_index(
            "ix_work_items_queued",
            ["id", "version"],
            unique=False,
            postgresql_where=sa.text("state = 'queued'"),
            sqlite_where=sa.text("state = 'queued'"),
        )
        batch_op.create_index(batch_op.f("ix_work_items_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(
            "ix_work_items_wrapping",
            ["wrap_until"],
            unique=False,
            postgresql_where=sa.text("state = 'wrapping'"),
            sqlite_where=sa.text("state = 'wrapping'"),
        )
        batch_op.create_index(
            "uq_work_items_open",
            ["ticket_id"],
            unique=True,
            postgresql_where=sa.text("state NOT IN ('completed', 'canceled')"),
            sqlite_where=sa.text("state NOT IN ('completed', 'canceled')"),
        )

    op.create_table(
        "article_cases",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("article_id", schema.BigId, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("relation", schema.SafeText(), nullable=False),
        sa.Column("user_id", schema.BigId, nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_cases_article_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_article_cases_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_article_cases_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_cases")),
        sa.UniqueConstraint("article_id", "ticket_id", "relation", name="uq_article_cases_relation"),
    )
    with op.batch_alter_table("article_cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_cases_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "article_evidence",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("article_id", schema.BigId, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("message_id", schema.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("role", schema.SafeText(), nullable=False),
        sa.Column("sentence", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_evidence_article_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_article_evidence_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_article_evidence_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_evidence")),
    )
    with op.batch_alter_table("article_evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_evidence_article_id"), ["article_id"], unique=False)

    op.create_table(
        "article_feedback",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("article_id", schema.BigId, nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=False),
        sa.Column("reader", schema.SafeText(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_feedback_article_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_feedback")),
        sa.UniqueConstraint("article_id", "reader", name="uq_article_feedback_reader"),
    )
    op.create_table(
        "article_revisions",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("article_id", schema.BigId, nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", schema.SafeText(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("note", schema.SafeText(), nullable=False),
        sa.Column("author_id", schema.BigId, nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_revisions_article_id")),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_article_revisions_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_revisions")),
        sa.UniqueConstraint("article_id", "locale", "number", name="uq_article_revisions_number"),
    )
    op.create_table(
        "article_tags",
        sa.Column("article_id", schema.BigId, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_tags_article_id")),
        sa.PrimaryKeyConstraint("article_id", "name", name=op.f("pk_article_tags")),
    )
    op.create_table(
        "article_texts",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("article_id", schema.BigId, nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=False),
        sa.Column("slug", schema.SafeText(), nullable=False),
        sa.Column("title", schema.SafeText(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("search_title", sa.Text(), nullable=False),
        sa.Column("search_body", sa.Text(), nullable=False),
        sa.Column("title_length", sa.Integer(), nullable=False),
        sa.Column("body_length", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_texts_article_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_texts")),
        sa.UniqueConstraint("article_id", "locale", name="uq_article_texts_article_id_locale"),
        sa.UniqueConstraint("slug", name=op.f("uq_article_texts_slug")),
    )
    with op.batch_alter_table("article_texts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_texts_article_id"), ["article_id"], unique=False)
        batch_op.create_index("ix_article_texts_locale", ["locale", "article_id"], unique=False)

    op.create_table(
        "attachments",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("message_id", schema.BigId, nullable=False),
        sa.Column("digest", schema.SafeText(), nullable=False),
        sa.Column("filename", schema.SafeText(), nullable=False),
        sa.Column("content_type", schema.SafeText(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("inline", sa.Boolean(), nullable=False),
        sa.Column("content_id", schema.SafeText(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_attachments_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    with op.batch_alter_table("attachments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachments_message_id"), ["message_id"], unique=False)

    op.create_table(
        "calls",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=False),
        sa.Column("external_id", schema.SafeText(), nullable=False),
        sa.Column("source", schema.SafeText(), nullable=False),
        sa.Column("direction", schema.SafeText(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("number", schema.SafeText(), nullable=False),
        sa.Column("line", schema.SafeText(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("contact_point_id", schema.BigId, nullable=True),
        sa.Column("ticket_id", schema.BigId, nullable=True),
        sa.Column("message_id", schema.BigId, nullable=True),
        sa.Column("user_id", schema.BigId, nullable=True),
        sa.Column("agent", schema.SafeText(), nullable=False),
        sa.Column("queue", schema.SafeText(), nullable=False),
        sa.Column("rang_at", schema.UtcDateTime(), nullable=True),
        sa.Column("answered_at", schema.UtcDateTime(), nullable=True),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.Column("ending", schema.SafeText(), nullable=True),
        sa.Column("cause", schema.SafeText(), nullable=False),
        sa.Column("wait_seconds", sa.Integer(), nullable=False),
        sa.Column("talk_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_calls_channel_account_id")
        ),
        sa.ForeignKeyConstraint(["contact_point_id"], ["contact_points.id"], name=op.f("fk_calls_contact_point_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_calls_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_calls_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_calls_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("channel_account_id", "external_id", name=op.f("uq_calls_channel_account_id_external_id")),
    )
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_calls_contact_point_id"), ["contact_point_id"], unique=False)
        batch_op.create_index("ix_calls_number", ["number", "rang_at"], unique=False)
        batch_op.create_index("ix_calls_rang_at", ["rang_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_calls_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_calls_user_id"), ["user_id"], unique=False)

    op.create_table(
        "complaint_steps",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("complaint_id", schema.BigId, nullable=False),
        sa.Column("source", schema.SafeText(), nullable=True),
        sa.Column("target", schema.SafeText(), nullable=False),
        sa.Column("user_id", schema.BigId, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changes", schema.Json, nullable=False),
        sa.Column("at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"], name=op.f("fk_complaint_steps_complaint_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_complaint_steps_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_steps")),
    )
    with op.batch_alter_table("complaint_steps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_complaint_steps_complaint_id"), ["complaint_id"], unique=False)

    op.create_table(
        "delivery_attempts",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("message_id", schema.BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("external_id", schema.SafeText(), nullable=True),
        sa.Column("error_code", schema.SafeText(), nullable=True),
        sa.Column("error", schema.SafeText(), nullable=True),
        sa.Column("lease_until", schema.UtcDateTime(), nullable=False),
        sa.Column("started_at", schema.UtcDateTime(), nullable=False),
        sa.Column("finished_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_delivery_attempts_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
        sa.UniqueConstraint("message_id", "number", name=op.f("uq_delivery_attempts_message_id_number")),
    )
    with op.batch_alter_table("delivery_attempts", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_attempts_external_id", ["external_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_attempts_message_id"), ["message_id"], unique=False)
        batch_op.create_index(
            "ix_delivery_attempts_open",
            ["lease_until"],
            unique=False,
            postgresql_where=sa.text("state = 'sending'"),
            sqlite_where=sa.text("state = 'sending'"),
        )

    op.create_table(
        "evaluations",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("assignment_id", schema.BigId, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("agent_id", schema.BigId, nullable=False),
        sa.Column("evaluator_id", schema.BigId, nullable=False),
        sa.Column("scorecard_version_id", schema.BigId, nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("raw_score", sa.Integer(), nullable=True),
        sa.Column("final_score", sa.Integer(), nullable=True),
        sa.Column("verdict", schema.SafeText(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("updated_at", schema.UtcDateTime(), nullable=False),
        sa.Column("finished_at", schema.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_evaluations_agent_id")),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name=op.f("fk_evaluations_assignment_id")),
        sa.ForeignKeyConstraint(["evaluator_id"], ["users.id"], name=op.f("fk_evaluations_evaluator_id")),
        sa.ForeignKeyConstraint(
            ["scorecard_version_id"], ["scorecard_versions.id"], name=op.f("fk_evaluations_scorecard_version_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_evaluations_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint("assignment_id", "scorecard_version_id", "evaluator_id", name="uq_evaluations_once"),
    )
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.create_index("ix_evaluations_agent", ["agent_id", "finished_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_evaluations_scorecard_version_id"), ["scorecard_version_id"], unique=False)
        batch_op.create_index("ix_evaluations_state", ["state", "updated_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evaluations_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "external_references",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("reference", schema.SafeText(), nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("message_id", schema.BigId, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_external_references_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_external_references_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_references")),
    )
    with op.batch_alter_table("external_references", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_external_references_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_external_references_reference"), ["reference"], unique=False)

    op.create_table(
        "offers",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("work_item_id", schema.BigId, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("agent_id", schema.BigId, nullable=False),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("offered_at", schema.UtcDateTime(), nullable=False),
        sa.Column("expires_at", schema.UtcDateTime(), nullable=False),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.Column("reason", schema.SafeText(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_offers_agent_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_offers_queue_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_offers_ticket_id")),
        sa.ForeignKeyConstraint(["work_item_id"], ["work_items.id"], name=op.f("fk_offers_work_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.create_index("ix_offers_agent", ["agent_id", "offered_at"], unique=False)
        batch_op.create_index(
            "ix_offers_expires",
            ["expires_at"],
            unique=False,
            postgresql_where=sa.text("state = 'offered'"),
            sqlite_where=sa.text("state = 'offered'"),
        )
        batch_op.create_index(batch_op.f("ix_offers_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_offers_work_item_id"), ["work_item_id"], unique=False)
        batch_op.create_index(
            "uq_offers_open",
            ["work_item_id"],
            unique=True,
            postgresql_where=sa.text("state = 'offered'"),
            sqlite_where=sa.text("state = 'offered'"),
        )

    op.create_table(
        "queue_entries",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("work_item_id", schema.BigId, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("medium", schema.SafeText(), nullable=False),
        sa.Column("entered_at", schema.UtcDateTime(), nullable=False),
        sa.Column("exited_at", schema.UtcDateTime(), nullable=True),
        sa.Column("exit", schema.SafeText(), nullable=True),
        sa.Column("reason", schema.SafeText(), nullable=True),
        sa.Column("agent_id", schema.BigId, nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_queue_entries_agent_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_queue_entries_queue_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_queue_entries_ticket_id")),
        sa.ForeignKeyConstraint(["work_item_id"], ["work_items.id"], name=op.f("fk_queue_entries_work_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_entries")),
    )
    with op.batch_alter_table("queue_entries", schema=None) as batch_op:
        batch_op.create_index("ix_queue_entries_exited", ["queue_id", "exited_at"], unique=False)
        batch_op.create_index("ix_queue_entries_item", ["work_item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_queue_entries_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(
            "uq_queue_entries_open",
            ["work_item_id"],
            unique=True,
            postgresql_where=sa.text("exited_at IS NULL"),
            sqlite_where=sa.text("exited_at IS NULL"),
        )

    op.create_table(
        "sms_media",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("message_id", schema.BigId, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("url", schema.SafeText(), nullable=False),
        sa.Column("content_type", schema.SafeText(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", schema.UtcDateTime(), nullable=False),
        sa.Column("error", schema.SafeText(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_sms_media_channel_account_id")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_sms_media_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_media")),
        sa.UniqueConstraint("message_id", "position", name=op.f("uq_sms_media_message_id_position")),
    )
    with op.batch_alter_table("sms_media", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sms_media_waiting",
            ["due_at"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "surveys",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("token", schema.SafeText(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("resolved_at", schema.UtcDateTime(), nullable=False),
        sa.Column("customer_id", schema.BigId, nullable=False),
        sa.Column("agent_id", schema.BigId, nullable=True),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("channel", schema.SafeText(), nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=False),
        sa.Column("message_id", schema.BigId, nullable=True),
        sa.Column("due_at", schema.UtcDateTime(), nullable=False),
        sa.Column("sent_at", schema.UtcDateTime(), nullable=True),
        sa.Column("expires_at", schema.UtcDateTime(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("answered_at", schema.UtcDateTime(), nullable=True),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_surveys_rating")),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_surveys_agent_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_surveys_customer_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_surveys_message_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_surveys_queue_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_surveys_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surveys")),
        sa.UniqueConstraint("ticket_id", "resolved_at", name="uq_surveys_resolution"),
        sa.UniqueConstraint("token", name=op.f("uq_surveys_token")),
    )
    with op.batch_alter_table("surveys", schema=None) as batch_op:
        batch_op.create_index("ix_surveys_agent", ["agent_id", "answered_at"], unique=False)
        batch_op.create_index("ix_surveys_answered_at", ["answered_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_surveys_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_surveys_planned",
            ["due_at", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'planned'"),
            sqlite_where=sa.text("state = 'planned'"),
        )

    op.create_table(
        "evaluation_answers",
        sa.Column("evaluation_id", schema.BigId, nullable=False),
        sa.Column("question", schema.SafeText(), nullable=False),
        sa.Column("choice", schema.SafeText(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("fk_evaluation_answers_evaluation_id")
        ),
        sa.PrimaryKeyConstraint("evaluation_id", "question", name=op.f("pk_evaluation_answers")),
    )
    op.create_table(
        "routing_decisions",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("work_item_id", schema.BigId, nullable=False),
        sa.Column("offer_id", schema.BigId, nullable=True),
        sa.Column("agent_id", schema.BigId, nullable=True),
        sa.Column("kind", schema.SafeText(), nullable=False),
        sa.Column("at", schema.UtcDateTime(), nullable=False),
        sa.Column("record", schema.Json, nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_routing_decisions_agent_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_routing_decisions_offer_id")),
        sa.ForeignKeyConstraint(["work_item_id"], ["work_items.id"], name=op.f("fk_routing_decisions_work_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_decisions")),
    )
    with op.batch_alter_table("routing_decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_routing_decisions_offer_id"), ["offer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_routing_decisions_work_item_id"), ["work_item_id"], unique=False)
    create_search_indexes(op.get_bind())
    create_ticket_search_indexes(op.get_bind())
