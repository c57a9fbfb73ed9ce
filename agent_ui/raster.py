"""Which files may be shown as pictures or played: told by their own bytes, never by what a sender says."""

import puremagic

RASTER = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
SOUNDS = frozenset({"audio/mpeg", "audio/wav", "audio/x-wav", "audio/ogg"})
# The second byte of an MPEG frame of layer III (a UTF-16 mark, 0xFE, is none of them).
MPEG_AUDIO = frozenset({0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3})
HEAD_BYTES = 4_096


def raster_type(head: bytes) -> str | None:
    """The type of a raster image by its first bytes; None for everything else."""
    try:
        found = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        return None
    return found if found in RASTER else None


def sound_type(head: bytes) -> str | None:
    """The type of a recording by its first bytes (MP3, WAV, Ogg); None for everything else."""
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] in MPEG_AUDIO):
        return "audio/mpeg"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    return "audio/ogg" if head.startswith(b"OggS") else None
