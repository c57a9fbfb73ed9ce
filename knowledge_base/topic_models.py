"""What corrections taught about topics: counts of words, and which ticket taught what."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId


class TopicWord(Base):
    """In how many lessons of a topic a word or pair of words stood; the empty word counts the lessons."""

    __tablename__ = "topic_words"

    topic_id: Mapped[int] = mapped_column(BigId, ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True)
    word: Mapped[str] = mapped_column(primary_key=True)
    lessons: Mapped[int]

    __table_args__ = (Index("ix_topic_words_word", "word"),)


class TopicLesson(Base):
    """The topic that a ticket last taught: a lesson is given once, and taken back when the topic is corrected."""

    __tablename__ = "topic_lessons"

    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(BigId, ForeignKey("topics.id", ondelete="CASCADE"))
