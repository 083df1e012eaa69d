"""The town of the whole journey: every unit and person of the demonstration, the deployed content, and what people enter."""

from __future__ import annotations

from typing import Any

from engine import Engine, clock, commands
from engine.clock import CHINA
from engine.policy import SYSTEM
from handlers.demo.people import add_people
from handlers.directory import service as directory
from handlers.driving.answers import answer, fitted, merged
from handlers.driving.service import deploy_everything
from tests.e2e.city import MORNING

INVESTOR, INVESTOR_PASSWORD = "penglihua", "Tian-Shan-88"
OTHER_INVESTOR = "liumin"
WINDOW, WINDOW_PASSWORD = "guli", "Bo-Gda-Feng-9"

PROJECT: dict[str, Any] = {
    "xmmc": "庭州文旅街区",
    "tzly": "企业投资",
    "xmzjsx": "民间资金",
    "gcfl": "房屋建筑",
    "jsxz": "新建",
    "gbhy": "8870",
    "gnyt": "文体旅游",
    "jsdw": "新疆庭州文旅发展有限公司",
    "jsdwdm": "91652301MA7DEM0677",
    "jsdwlx": "企业",
    "frdb": "彭志刚",
    "frzjh": "652301198007110619",
    "lxr": "彭丽华",
    "lxrsjh": "13899610006",
    "lxlx": "备案",
    "tl13": False,
    "ztze": 36800,
    "zbj": 12800,
    "zjly": [{"ly": "企业自有资金", "je": 12800}, {"ly": "银行贷款", "je": 24000}],
    "jsdd": "昌吉市宁边西路与长宁路交汇处",
    "jsddxzqh": "652301",
    "sfxxgc": False,
    "jsgmjnr": "新建文旅商业街区、演艺中心、地下停车场及景观广场，打造城市文化客厅。",
    "ydmj": 68000,
    "jzmj": 82000,
    "jzgd": 23.9,
    "gndy": False,
    "sfwhtx": False,
    "tdhqfs": "出让",
    "tdsfdsjfa": False,
    "ghfwn": True,
    "sfwcqypg": True,
    "sfzsyz": True,
    "nkgsj": "2022-10-15",
    "njcsj": "2024-09-30",
    "sfsm": False,
    "hyzcsm": True,
}


def found_town(engine: Engine) -> None:
    """Units, everybody of the demonstration, the content; the investor and the window's clerk have passwords."""
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, to=MORNING)
    deploy_everything(engine)
    with engine.unit_of_work() as session:
        add_people(session)
        directory.reset_password(session, INVESTOR, INVESTOR_PASSWORD)
        directory.reset_password(session, WINDOW, WINDOW_PASSWORD)


def said(form_id: str, over: dict[str, Any] | None = None) -> dict[str, Any]:
    """What somebody enters in a form for this project today: its example, fitted to the project, with `over` on top."""
    today = clock.now().astimezone(CHINA).date()
    example = answer(form_id, today=today, company=PROJECT["jsdw"], code=PROJECT["jsdwdm"])
    return merged(merged(example, fitted(form_id, {"project": PROJECT})), over or {})
