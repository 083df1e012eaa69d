"""Registration: investors for themselves, the window on behalf, nobody else; wrong fields are named and nothing is started."""

from __future__ import annotations

from typing import Any

from tests.e2e import city
from tests.webapp.conftest import Town


def answer(**changes: Any) -> dict[str, Any]:
    data = city.example("project_registration")
    data["project"] |= {"xmdm": ""} | changes
    return {"data": data}


def count(town: Town) -> int:
    page = town.visit("zrzyj").get("/projects").text
    return page.count('class="name"')


def test_an_investor_registers_and_lands_on_the_project(town: Town) -> None:
    done = town.visit(city.APPLICANT).post("/projects/new", json=answer(xmmc="昌吉市第十三小学新建工程"))
    assert done.status_code == 200, done.text
    assert done.json is not None
    page = town.visit(city.APPLICANT).get(done.json["next"]).text
    assert "昌吉市第十三小学新建工程" in page
    assert "政府投资房屋建筑类" in page


def test_the_form_starts_with_the_investors_own_company(town: Town) -> None:
    assert "昌吉市教育局" in town.visit(city.APPLICANT).get("/projects/new").text


def test_wrong_fields_are_named_and_nothing_is_registered(town: Town) -> None:
    before = count(town)
    refused = town.visit(city.APPLICANT).post("/projects/new", json=answer(xmmc="", jsdwdm="116523010123456710"))
    assert refused.status_code == 422
    assert refused.json is not None
    assert {"project.xmmc", "project.jsdwdm"} <= set(refused.json["errors"])
    assert count(town) == before


def test_a_body_that_is_no_form_is_refused(town: Town) -> None:
    client = town.visit(city.APPLICANT)
    assert client.post("/projects/new", json={"data": "x"}).status_code in {400, 422}
    assert client.post("/projects/new", data="x").status_code == 422


def test_the_window_registers_on_behalf_and_it_is_recorded(town: Town) -> None:
    window = town.visit("xzspj_window")
    assert "先选择项目单位" in window.get("/projects/new").text
    assert "昌吉市教育局" in window.get(f"/projects/new?for={city.APPLICANT}").text
    done = window.post(f"/projects/new?for={city.APPLICANT}", json=answer(xmmc="窗口代为登记的项目"))
    assert done.status_code == 200, done.text
    assert done.json is not None
    assert "窗口代办" in window.get(done.json["next"]).text
    assert "窗口代为登记的项目" in town.visit(city.APPLICANT).get("/projects").text


def test_the_window_cannot_register_for_itself_or_for_staff(town: Town) -> None:
    window = town.visit("xzspj_window")
    assert window.post("/projects/new", json=answer()).status_code == 403
    assert window.post("/projects/new?for=zjj", json=answer()).status_code == 422
    assert window.get("/projects/new?for=zjj").status_code == 422


def test_other_staff_cannot_register(town: Town) -> None:
    clerk = town.visit("zjj")
    assert clerk.get("/projects/new").status_code == 403
    assert clerk.post(f"/projects/new?for={city.APPLICANT}", json=answer()).status_code == 403
    assert "登记项目" not in clerk.get("/projects").text


def test_an_investor_cannot_register_for_another(town: Town) -> None:
    refused = town.visit(city.APPLICANT).post("/projects/new?for=xzspj_window", json=answer())
    assert refused.status_code == 403


def test_a_project_code_is_registered_once(town: Town) -> None:
    code = city.example("project_registration")["project"].get("xmdm") or "2205-652301-04-01-100015"
    client = town.visit(city.APPLICANT)
    first = client.post("/projects/new", json=answer(xmdm=code))
    assert first.status_code in {200, 409}, first.text
    assert client.post("/projects/new", json=answer(xmdm=code)).status_code == 409
