"""What callers hear while they wait where a line has no music of its own: soft bells, exactly one round long."""

import io
import math
import wave
from array import array
from functools import cache

RATE = 8_000
LONGEST = 120
# A slow walk over a pentatonic scale (Hz): no tone clashes with the one that still rings.
TUNE = (392.00, 523.25, 587.33, 659.25, 587.33, 783.99, 659.25, 523.25, 440.00, 523.25, 392.00, 329.63)
BEAT = 1.25
RINGS = 3.0
LOUDNESS = 6_000


@cache
def bells(seconds: int) -> bytes:
    """A WAV file (8 kHz, 16 bit, mono) of `seconds`."""
    seconds = min(max(seconds, 1), LONGEST)
    samples = [0.0] * (seconds * RATE)
    strokes = {tone: _stroke(tone) for tone in set(TUNE)}
    for number in range(int(seconds / BEAT)):
        start = int(number * BEAT * RATE)
        stroke = strokes[TUNE[number % len(TUNE)]]
        for place in range(min(len(stroke), len(samples) - start)):
            samples[start + place] += stroke[place]
    # The last second fades, so that what is said next does not cut a tone.
    for place in range(RATE):
        samples[-1 - place] *= place / RATE
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array("h", (int(max(-1.0, min(1.0, one)) * LOUDNESS) for one in samples)).tobytes())
    return out.getvalue()


def _stroke(tone: float) -> list[float]:
    """One bell: its tone and a fainter octave, struck softly, dying away."""
    turn = 2 * math.pi * tone / RATE
    found = []
    for place in range(int(RINGS * RATE)):
        swing = 0.5 * math.sin(turn * place) + 0.12 * math.sin(2 * turn * place)
        found.append(min(1.0, place / 160) * math.exp(-2.2 * place / RATE) * swing)
    return found
