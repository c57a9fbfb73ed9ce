"""A photo as a customer would take it: a parcel with a crack, drawn pixel by pixel so that no file is shipped."""

import random
import struct
import zlib

WIDTH, HEIGHT = 320, 240
WALL, FLOOR = (222, 226, 230), (176, 164, 150)
BOX, LID, TAPE, CRACK = (181, 137, 92), (201, 160, 114), (224, 205, 170), (60, 42, 28)


def crushed_parcel(seed: int) -> bytes:
    """A PNG of a damaged parcel; each seed has its own crack."""
    crack = _crack(random.Random(seed))
    rows = b"".join(b"\0" + b"".join(bytes(_colour(x, y, crack)) for x in range(WIDTH)) for y in range(HEIGHT))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _crack(rng: random.Random) -> dict[int, int]:
    """x of the crack at each y, a line that wanders down the front."""
    x, line = rng.randrange(110, 210), {}
    for y in range(110, 200):
        x += rng.choice((-3, -2, -1, 1, 2, 3))
        line[y] = x
    return line


def _colour(x: int, y: int, crack: dict[int, int]) -> tuple[int, int, int]:
    if 80 <= x <= 240 and 110 <= y <= 200:
        if abs(x - crack.get(y, -99)) <= 2:
            return CRACK
        return TAPE if 150 <= x <= 170 else BOX
    if 80 <= x <= 240 and 84 <= y < 110:
        return TAPE if 150 <= x <= 170 else LID
    return FLOOR if y > 180 else WALL
