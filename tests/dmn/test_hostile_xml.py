"""Untrusted DMN XML is refused fast with a clear error: entity bomb, external entity, 20 MB, deep nesting, other roots."""

from __future__ import annotations

import time

import pytest

from engine.dmn import DmnInvalid, parse_dmn

NS = "https://www.omg.org/spec/DMN/20191111/MODEL/"
BOMB = """<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha">{}]><definitions xmlns="{}">&z9;</definitions>""".format(
    "".join(f'<!ENTITY z{n} "{f"&z{n - 1};" * 10 if n else "&a;" * 10}">' for n in range(10)), NS
)
XXE = f"""<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><definitions xmlns="{NS}"><text>&x;</text></definitions>"""
REMOTE = f"""<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd"><definitions xmlns="{NS}"/>"""
LATE = f"""<?xml version="1.0"?><!-- {"x" * 5000} --><!DOCTYPE d [<!ENTITY x "y">]><definitions xmlns="{NS}"/>"""
DEEP = f'<definitions xmlns="{NS}">' + "<context>" * 100_000
NESTED = f'<definitions xmlns="{NS}">' + "<list>" * 230 + "</list>" * 230 + "</definitions>"

HOSTILE = {
    "entity bomb": BOMB.encode(),
    "entity bomb in UTF-16": BOMB.encode("utf-16"),
    "external entity": XXE.encode(),
    "remote document type": REMOTE.encode(),
    "document type after a long comment": LATE.encode(),
    "20 MB": b"<definitions>" + b" " * 20_000_000,
    "100,000 levels": DEEP.encode(),
    "230 levels": NESTED.encode(),
    "DMN 1.1": b'<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd"/>',
    "BPMN": b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>',
    "another root": f'<decision xmlns="{NS}"/>'.encode(),
    "empty": b"",
    "no XML": b"\x00\x01",
    "cut off": f'<definitions xmlns="{NS}"><decision id="a">'.encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused_fast(name: str) -> None:
    start = time.process_time()
    with pytest.raises(DmnInvalid) as caught:
        parse_dmn(HOSTILE[name], "bad.dmn")
    assert time.process_time() - start < 1
    assert "bad.dmn" in str(caught.value)
    assert caught.value.code == "dmn_invalid"


def test_deeply_nested_boxes_below_the_limit_are_read() -> None:
    boxes = "<list>" * 60 + "<literalExpression><text>1</text></literalExpression>" + "</list>" * 60
    model = parse_dmn(f'<definitions xmlns="{NS}" namespace="n"><decision id="a" name="a">{boxes}</decision></definitions>'.encode())
    value = model.evaluate("a", {}).value
    for _ in range(60):
        (value,) = value
    assert value == 1
