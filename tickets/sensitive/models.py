"""The originals of masked messages, sealed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId


class SealedOriginal(Base):
    """What a message said before it was masked; only the holder of the secret key opens it."""

    __tablename__ = "sealed_originals"

    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), primary_key=True)
    # kind -> how many were found.
    found: Mapped[dict[str, Any]]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_sealed_originals_created_at", "created_at"),)
