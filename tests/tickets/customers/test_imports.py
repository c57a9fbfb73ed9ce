"""Import files: encodings, separators, Excel, guessed columns, and the report on every row."""

import io
import json
import os
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from typer.testing import CliRunner

from contact_center.core.db import Database
from tests.conftest import NOW
from tests.factories import make_ticket
from tickets.customers.cli import app
from tickets.customers.import_rows import store_batch
from tickets.customers.imports import Candidate, Field, Plan, guess_columns, plan_import
from tickets.customers.tables import BadTable, read_table
from tickets.models import Customer, Ticket
from tickets.states import ContactKind

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "customers"
EMAIL, PHONE = ContactKind.EMAIL, ContactKind.PHONE


def plan(data: bytes | str, name: str = "people.csv") -> Plan:
    table = read_table(data.encode() if isinstance(data, str) else data, name)
    return plan_import(table, guess_columns(table))


def corpus(name: str) -> bytes:
    if not CORPUS.is_dir() and not os.environ.get("CI"):
        pytest.skip("../shared/corpora is not here")
    return (CORPUS / name).read_bytes()


def workbook(rows: list[list[str | float]]) -> bytes:
    """The smallest .xlsx that spreadsheet programs open."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = [
            f'<c r="{chr(65 + column)}{number}"><v>{value}</v></c>'
            if isinstance(value, float)
            else f'<c r="{chr(65 + column)}{number}" t="inlineStr"><is><t>{value}</t></is></c>'
            for column, value in enumerate(row)
        ]
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return target.getvalue()


def test_vietnamese_headers_and_semicolons_are_understood() -> None:
    found = plan("Họ và tên;SĐT;Thư điện tử;Mã KH;Hạng\nNguyễn Văn An;0912 345 678;AN@shop.vn;C7;vàng\n")
    assert found.candidates == (
        Candidate(
            2, "Nguyễn Văn An", ((PHONE, "+84912345678"), (EMAIL, "an@shop.vn")), "", "C7", None, "", {"Hạng": "vàng"}
        ),
    )
    assert found.columns["SĐT"] is Field.PHONE


def test_excel_numbers_stay_phone_numbers() -> None:
    found = plan(workbook([["Name", "Phone", "Points"], ["An", 84912345678.0, 12.5]]), "people.xlsx")
    assert found.candidates[0].points == ((PHONE, "+84912345678"),)
    assert found.candidates[0].attributes == {"Points": "12.5"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "windows-1252"])
def test_encodings_are_told_apart(encoding: str) -> None:
    found = plan("name,email\nJöhn Döe,j@example.com\n".encode(encoding))
    assert found.candidates[0].name == "Jöhn Döe"


def test_two_name_columns_keep_the_order_of_their_language() -> None:
    found = plan("first_name,last_name,email\nAn,Nguyễn Văn,a@x.vn\nJane,Smith,j@x.vn\n")
    assert [entry.name for entry in found.candidates] == ["Nguyễn Văn An", "Jane Smith"]


def test_an_unknown_column_full_of_addresses_is_an_address() -> None:
    found = plan("who,reach\nAn,an@x.vn\nBình,binh@x.vn\n")
    assert found.columns == {"who": None, "reach": Field.EMAIL}


def test_a_person_may_have_several_addresses() -> None:
    found = plan("Name,Email,Email 2,Phone 1,Phone 2\nAn,a@x.vn,A@x.vn,0912345678,0912345679\n")
    assert found.candidates[0].points == ((EMAIL, "a@x.vn"), (PHONE, "+84912345678"), (PHONE, "+84912345679"))


def test_a_bad_value_is_left_out_and_named_but_the_row_stays() -> None:
    found = plan("name,email,phone\nAn,an@x.vn,12\n")
    assert found.candidates[0].points == ((EMAIL, "an@x.vn"),)
    assert [(problem.row, problem.column, problem.fatal) for problem in found.problems] == [(2, "phone", False)]


def test_a_row_nobody_could_be_recognised_by_stays_out() -> None:
    found = plan("name,email\nAn,\n\nBình,b@x.vn\n")
    assert (found.rejected, [entry.row for entry in found.candidates]) == (1, [4])


def test_rows_of_one_person_are_one_and_a_shared_phone_belongs_to_the_first() -> None:
    found = plan("name,email,phone\nAn,a@x.vn,0912345678\nAn,A@X.vn,\nBình,b@x.vn,0912345678\nChi,,0912345678\n")
    assert [(entry.row, len(entry.points)) for entry in found.candidates] == [(2, 2), (4, 1)]
    assert [(problem.row, problem.fatal) for problem in found.problems] == [(3, True), (4, False), (5, True)]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_what_holds_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(BadTable):
        read_table(data, "people.csv")


def test_a_file_that_unpacks_too_far_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("big", "w") as part:
        for _ in range(301):
            part.write(bytes(1024 * 1024))
    with pytest.raises(BadTable, match="300 MB"):
        read_table(target.getvalue(), "bomb.xlsx")


@pytest.mark.parametrize(
    ("name", "candidates", "rejected"),
    [
        ("contacts.csv", 25, 0),
        ("import-contacts-sample.csv", 25, 0),
        ("invalid_bytes.csv", 2, 0),
        ("with_emoji.csv", 0, 1),
    ],
)
def test_real_contact_files_are_read(name: str, candidates: int, rejected: int) -> None:
    found = plan(corpus(name), name)
    assert (len(found.candidates), found.rejected) == (candidates, rejected)


@given(st.binary(max_size=400))
def test_any_bytes_give_a_report_or_one_clear_refusal(data: bytes) -> None:
    try:
        found = plan(data)
    except BadTable:
        return
    named = {entry.row for entry in found.candidates} | {problem.row for problem in found.problems if problem.fatal}
    assert len(named) == len(read_table(data, "people.csv").rows)


def store(tx: Connection, found: Plan) -> list[str]:
    return [row.outcome.value for row in store_batch(tx, found.candidates, now=NOW)]


async def test_importing_again_changes_nothing(db: Database) -> None:
    found = plan("id,name,email,phone,company,rank\nC1,An,an@x.vn,0912345678,Acme,gold\nC2,Bình,b@x.vn,,,\n")
    assert await db.write(store, found) == ["created", "created"]
    later = NOW + timedelta(days=1)
    again = await db.write(lambda tx: [row.outcome.value for row in store_batch(tx, found.candidates, now=later)])
    assert again == ["unchanged", "unchanged"]
    row = await db.read(lambda tx: tx.execute(select(Customer.__table__).where(Customer.external_id == "C1")).one())
    assert (row.name, row.company, row.attributes) == ("An", "Acme", {"rank": "gold"})
    assert row.search == "an acme c1 an@x.vn +84912345678"


async def test_an_import_completes_a_customer_who_wrote_before(db: Database) -> None:
    await db.write(make_ticket, sender="+84912345678")
    found = plan("id,name,email,phone\nC1,Lê An,an@x.vn,0912345678\n")
    assert await db.write(store, found) == ["updated"]
    owner = await db.read(lambda tx: tx.execute(select(Ticket.customer_id)).scalar_one())
    row = await db.read(lambda tx: tx.execute(select(Customer.__table__)).one())
    assert (row.id, row.name, row.external_id) == (owner, "Lê An", "C1")


async def test_an_address_of_somebody_else_stays_with_them(db: Database) -> None:
    await db.write(store, plan("id,name,email\nC1,An,family@x.vn\n"))
    found = plan("id,name,email\nC2,Bình,family@x.vn\n")
    [stored] = await db.write(lambda tx: store_batch(tx, found.candidates, now=NOW))
    assert (stored.outcome.value, stored.taken) == ("created", ("family@x.vn",))


def test_the_command_reports_writes_and_is_idempotent(sqlite_url: str, tmp_path: Path, monkeypatch: Any) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Tên;SĐT;Hạng\nAn;0912345678;vàng\nBình;12;\n")
    monkeypatch.setenv("CONTACT_CENTER_DATABASE_URL", sqlite_url)
    run = CliRunner().invoke
    dry = run(app, ["import", str(file), "--region", "VN", "--dry-run", "--json"])
    assert (dry.exit_code, json.loads(dry.stdout)["created"]) == (1, 0)
    first = run(app, ["import", str(file), "--region", "VN", "--column", "Hạng=note", "--json"])
    told = json.loads(first.stdout)
    assert (told["created"], told["rejected"], told["columns"]["Hạng"]) == (1, 1, "note")
    assert json.loads(run(app, ["import", str(file), "--region", "VN", "--json"]).stdout)["updated"] == 1
    assert "belongs" not in run(app, ["import", str(file), "--region", "VN"]).output
    assert run(app, ["import", str(file), "--column", "Nope=phone"]).exit_code == 1
