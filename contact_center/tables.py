"""Imports every module that declares tables, so that the metadata is whole (migrations, tests)."""

import contact_center.accounts.models
import contact_center.core.events
import tickets.models
from contact_center.core.schema import Base

METADATA = Base.metadata

__all__ = ["METADATA", "contact_center", "tickets"]
