"""Small sound files that every player can play: silence."""

import io
import wave

RATE = 8_000
# An MPEG-1 layer III frame header: 64 kbit/s, 44.1 kHz, mono. A frame of zeros behind it is 26 ms of silence.
HEADER = bytes((0xFF, 0xFB, 0x50, 0xC4))
FRAME = 208
FRAMES_A_SECOND = 44_100 / 1_152


def mp3(seconds: int) -> bytes:
    """Silence as MP3."""
    return (HEADER + bytes(FRAME - len(HEADER))) * max(1, round(seconds * FRAMES_A_SECOND))


def wav(seconds: int) -> bytes:
    """Silence as WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(2 * RATE * seconds))
    return out.getvalue()
