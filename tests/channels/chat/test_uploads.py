"""Files: named safely, measured by their bytes, and only what may be sent."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.chat.images import raster
from channels.chat.tokens import Tokens, Upload
from channels.chat.uploads import check, file_name, stored_files
from contact_center.core.errors import Invalid

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 640, 480) + b"\x08\x06\x00\x00\x00"
GIF = b"GIF89a" + struct.pack("<HH", 3, 2)
JPEG = b"\xff\xd8\xff\xe0\x00\x04xx\xff\xc0\x00\x11\x08" + struct.pack(">HH", 200, 320) + b"\x03" * 8
WEBP_LOSSY = b"RIFF\x00\x00\x00\x00WEBPVP8 \x00\x00\x00\x00\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 10, 20)
WEBP_EXTENDED = b"RIFF\x00\x00\x00\x00WEBPVP8X" + b"\x00" * 8 + b"\x09\x00\x00\x13\x00\x00"
WEBP_LOSSLESS = b"RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00\x2f" + struct.pack("<I", 9 | 19 << 14)


@pytest.mark.parametrize(
    ("data", "kind", "width", "height"),
    [
        (PNG, "image/png", 640, 480),
        (GIF, "image/gif", 3, 2),
        (JPEG, "image/jpeg", 320, 200),
        (WEBP_LOSSY, "image/webp", 10, 20),
        (WEBP_EXTENDED, "image/webp", 10, 20),
        (WEBP_LOSSLESS, "image/webp", 10, 20),
    ],
)
def test_an_image_is_known_by_its_bytes(data: bytes, kind: str, width: int, height: int) -> None:
    assert raster(data) == (kind, width, height)


@given(st.binary() | st.sampled_from([PNG, GIF, JPEG, WEBP_LOSSY, WEBP_EXTENDED, WEBP_LOSSLESS]).map(lambda d: d[:-9]))
def test_no_bytes_raise(data: bytes) -> None:
    found = raster(data)
    assert found is None or found.width > 0


@pytest.mark.parametrize("data", [b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n", GIF[:6] + b"\x00\x00\x00\x00", b""])
def test_what_is_no_sane_image_is_none(data: bytes) -> None:
    assert raster(data) is None


@pytest.mark.parametrize(
    ("data", "kind"), [(b"<script>", "image/png"), (PNG, "image/gif"), (b"x", "text/html"), (b"", "image/png")]
)
def test_liars_and_unwanted_kinds_are_refused(data: bytes, kind: str) -> None:
    with pytest.raises(Invalid):
        check(data, kind)


def test_a_document_is_taken_without_measures() -> None:
    assert check(b"%PDF-1.4", "application/pdf") is None
    assert check(PNG, "image/png") == ("image/png", 640, 480)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("a.png", "a.png"),
        ("%C4%91%C6%A1n%20h%C3%A0ng.pdf", "đơn hàng.pdf"),
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C%3A%5Ctemp%5Cx.txt", "x.txt"),
        ("a%0D%0Ab.png", "a__b.png"),
        ("", "file"),
        ("...", "file"),
        ("x" * 300 + ".pdf", "x" * 110 + ".pdf"),
    ],
)
def test_a_file_name_is_only_a_name(header: str, name: str) -> None:
    assert file_name(header) == name


def test_files_of_another_visit_are_not_attached() -> None:
    tokens = Tokens("tests")
    mine = tokens.upload_id(1, Upload("d", "a.png", "image/png", 3, 1, 1))
    files = stored_files(tokens, 1, [mine])
    assert files is not None
    assert [one.filename for one in files] == ["a.png"]
    assert stored_files(tokens, 2, [mine]) is None
    assert stored_files(tokens, 1, [mine, "forged"]) is None
