"""Uploads: accepted kinds, disguised and dangerous files, sizes, versions, access."""

from __future__ import annotations

import io
import zipfile

import pytest

from engine import clock
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from handlers.materials import service as materials
from handlers.materials.files import FileRefused, FileTooLarge
from handlers.projects import service as projects
from tests.handlers.conftest import DAIRY, SCHOOL, Office
from tests.pdf import packed, pdf, stream

PDF = pdf()
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
JPG = b"\xff\xd8\xff\xe0" + b"\x00" * 64
DWG = b"AC1032" + b"\x00" * 64


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as written:
        for name in names:
            written.writestr(name, "x")
    return stream.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")
XLSX = archive("[Content_Types].xml", "xl/workbook.xml")
OFD = archive("OFD.xml", "Doc_0/Document.xml")


@pytest.fixture(scope="module")
def project_id(office: Office) -> int:
    return office.register().id


def store(office: Office, project_id: int, name: str, content: bytes, user: str = SCHOOL, item: str = "设计方案") -> materials.Material:
    with office.engine.unit_of_work() as session:
        return materials.store_material(session, office.actor(user), project_id, item, name, io.BytesIO(content))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("总平面图.pdf", PDF),
        ("a.PNG", PNG),
        ("a.jpeg", JPG),
        ("a.jpg", JPG),
        ("报告.docx", DOCX),
        ("表.xlsx", XLSX),
        ("批复.ofd", OFD),
        ("图.dwg", DWG),
        ("全套.zip", archive("a.txt")),
    ],
    ids=["pdf", "png", "jpeg", "jpg", "docx", "xlsx", "ofd", "dwg", "zip"],
)
def test_accepted_kinds(office: Office, project_id: int, name: str, content: bytes) -> None:
    stored = store(office, project_id, name, content)
    with office.engine.reading() as session:
        found, path = materials.open_material(session, office.actor(SCHOOL), stored.id)
    assert found.filename == name and path.read_bytes() == content and found.size == len(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("evil.exe", b"MZ"),
        ("page.html", b"<script>"),
        ("noextension", PDF),
        ("报告.pdf", b"<script>alert(1)</script>"),
        ("报告.pdf", PNG),
        ("图.png", PDF),
        ("报告.docx", archive("a.txt")),
        ("报告.docx", archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
        ("批复.ofd", DOCX),
        ("图.dwg", b"not a drawing"),
        ("全套.zip", b"PK\x03\x04 broken"),
        ("空.pdf", b""),
        ("double.pdf.exe", PDF),
        ("报告.pdf", pdf(b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>")),
        ("报告.pdf", pdf(b"/OpenAction<</S/JavaScript/J#53(app.alert(1))>>")),
        ("报告.pdf", pdf(b"/OpenAction<</S 4 0 R/F(cmd.exe)>>", b"/Launch")),
        ("报告.pdf", packed(b"/OpenAction<</S/JavaScript/JS(x)>>")),
        ("报告.pdf", pdf(b"/Names<</EmbeddedFiles<</Names[(a)<</Type/Filespec/F(a.exe)/EF<</F 4 0 R>>>>]>>>>", stream(b"MZ"))),
        ("报告.pdf", PDF[:-20]),
        ("报告.pdf", pdf(b"/A" + b"[" * 20_000 + b"]" * 20_000)),
        ("全套.zip", archive("图纸/setup.EXE")),
        ("表.xlsx", archive("[Content_Types].xml", "xl/workbook.xml", "xl/activeX/activeX1.bin")),
    ],
    ids=[
        "program",
        "page",
        "no extension",
        "script as pdf",
        "png as pdf",
        "pdf as png",
        "zip as docx",
        "docx with macro",
        "docx as ofd",
        "text as dwg",
        "broken zip",
        "empty",
        "two extensions",
        "pdf with script",
        "pdf with script under an escaped name",
        "pdf that launches",
        "pdf with packed script",
        "pdf with a file inside",
        "pdf cut off",
        "pdf nested without end",
        "program in a zip",
        "xlsx with activex",
    ],
)
def test_disguised_dangerous_and_empty_files_are_refused_and_leave_nothing(
    office: Office, project_id: int, name: str, content: bytes
) -> None:
    folder = office.engine.settings.files_dir
    before = sorted(folder.rglob("*"))
    with pytest.raises(FileRefused):
        store(office, project_id, name, content)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "content",
    [
        pdf(b"/JSharp 1/LaunchPad 2"),
        pdf(b"/Scan 4 0 R", stream(b"\x00/JS\x01/Launch\x02")),
        pdf(b"/Outlines 1 0 R"),
        packed(b"/Lang(zh-CN)"),
    ],
    ids=["a name that begins so", "chance bytes of a scan", "objects in a circle", "packed objects"],
)
def test_a_pdf_that_only_shows_something_is_accepted(office: Office, project_id: int, content: bytes) -> None:
    assert store(office, project_id, "说明.pdf", content).kind == "pdf"


def test_a_file_over_the_limit_is_refused(office: Office, project_id: int) -> None:
    with pytest.raises(FileTooLarge) as refused:
        store(office, project_id, "big.pdf", PDF + b"0" * 1024 * 1024)
    assert refused.value.status == 413


@pytest.mark.parametrize("name", ["../../etc/passwd.pdf", "C:\\temp\\报告.pdf", "a/b\x00c.pdf"])
def test_a_path_in_the_name_is_cut_off(office: Office, project_id: int, name: str) -> None:
    stored = store(office, project_id, name, PDF)
    assert "/" not in stored.filename and "\\" not in stored.filename and "\x00" not in stored.filename


def test_a_second_file_of_a_material_is_its_next_version(office: Office, project_id: int) -> None:
    first = store(office, project_id, "a.pdf", PDF, item="版本测试")
    second = store(office, project_id, "b.pdf", pdf(note=b"second"), item="版本测试")
    assert (first.version, second.version) == (1, 2)
    with office.engine.reading() as session:
        listed = [m.version for m in materials.materials_of(session, project_id) if m.item == "版本测试"]
    assert listed == [2, 1]


def test_a_material_needs_a_name(office: Office, project_id: int) -> None:
    with pytest.raises(Invalid):
        store(office, project_id, "a.pdf", PDF, item="  ")


def test_another_investor_neither_uploads_nor_downloads(office: Office, project_id: int) -> None:
    stored = store(office, project_id, "a.pdf", PDF)
    with pytest.raises(NotFound):
        store(office, project_id, "a.pdf", PDF, user=DAIRY)
    with office.engine.reading() as session, pytest.raises(NotFound):
        materials.open_material(session, office.actor(DAIRY), stored.id)


def test_an_office_without_anything_to_do_in_the_project_adds_nothing(office: Office, project_id: int) -> None:
    with pytest.raises(Forbidden):
        store(office, project_id, "a.pdf", PDF, user="zhangwei")


def test_the_window_files_for_the_applicant(office: Office, project_id: int) -> None:
    assert store(office, project_id, "a.pdf", PDF, user="guli").uploaded_by == "guli"


def test_the_offices_download(office: Office, project_id: int) -> None:
    stored = store(office, project_id, "a.pdf", PDF)
    with office.engine.reading() as session:
        assert materials.open_material(session, office.actor("lijianguo"), stored.id)[1].exists()
        with pytest.raises(NotFound):
            materials.open_material(session, office.actor("lijianguo"), 999_999)


def test_a_closed_project_takes_no_more_materials(office: Office) -> None:
    closed = office.register().id
    with office.engine.unit_of_work() as session:
        projects.close_project(session, closed, "completed", clock.now())
    with pytest.raises(Conflict):
        store(office, closed, "a.pdf", PDF)
