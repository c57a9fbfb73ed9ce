"""Imports every module that declares tables, so that the metadata is whole (migrations, tests)."""

import channels.chat.models
import channels.email.models
import channels.health
import channels.models
import channels.phone.flow.models
import channels.phone.models
import channels.sms.models
import contact_center.accounts.models
import contact_center.automations.models
import contact_center.automations.rule_models
import contact_center.core.events
import contact_center.core.installation
import knowledge_base.models
import knowledge_base.topic_models
import routing.models
import tickets.blocks
import tickets.counters
import tickets.customers.events
import tickets.customers.merge
import tickets.customers.unsubscribes
import tickets.draft_files
import tickets.drafts
import tickets.identity_checks
import tickets.identity_codes
import tickets.links
import tickets.merging
import tickets.models
import tickets.notifications
import tickets.origins
import tickets.quality.models
import tickets.saved_views
import tickets.scans
import tickets.scheduled
import tickets.search
import tickets.sensitive.models
import tickets.sla_models
import tickets.spam
import tickets.timers
from contact_center.core.schema import Base

METADATA = Base.metadata

__all__ = ["METADATA", "channels", "contact_center", "knowledge_base", "routing", "tickets"]
