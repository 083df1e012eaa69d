"""What the eye would object to in a diagram file: overlaps, crossings, lines through shapes, hidden labels.

Reads the diagram interchange (BPMN 2.0.2, chapter 12) of one `.bpmn` file and returns sentences, one per fault;
an empty list means that the picture is clean. Distances are diagram pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path

from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
WAYPOINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
CONTAINERS = {"participant", "lane", "subProcess"}
SLACK = 1.0
"""Pixels that two boxes may share before it counts as an overlap."""

Point = tuple[float, float]
Segment = tuple[Point, Point]


@dataclass(frozen=True)
class Box:
    """An axis-parallel rectangle; `x`, `y` is its top left corner."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box, slack: float = SLACK) -> bool:
        """Whether the two boxes share more than `slack` pixels in both directions."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return wide > slack and high > slack

    def contains(self, other: Box) -> bool:
        """Whether `other` lies wholly inside this box."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )

    def cut_by(self, segment: Segment) -> bool:
        """Whether an orthogonal segment runs through the inside of the box (touching the border is allowed)."""
        (x1, y1), (x2, y2) = segment
        line = Box(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))
        wide = min(self.x + self.width, line.x + line.width) - max(self.x, line.x)
        high = min(self.y + self.height, line.y + line.height) - max(self.y, line.y)
        return wide >= 0 and high >= 0 and (wide > SLACK or high > SLACK) and self._inside(line)

    def _inside(self, line: Box) -> bool:
        if line.width == 0:
            return self.x + SLACK < line.x < self.x + self.width - SLACK
        return self.y + SLACK < line.y < self.y + self.height - SLACK


@dataclass
class Picture:
    """The shapes, edges and labels of one diagram, by element id."""

    kind: dict[str, str] = field(default_factory=dict)
    host: dict[str, str] = field(default_factory=dict)
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    ancestors: dict[str, set[str]] = field(default_factory=dict)
    shapes: dict[str, Box] = field(default_factory=dict)
    edges: dict[str, list[Segment]] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)


def _box(element: etree._Element) -> Box:
    bounds = element.find(f"{DC}Bounds")
    assert bounds is not None
    return Box(*(float(bounds.get(key, "nan")) for key in ("x", "y", "width", "height")))


def read_picture(path: str | Path) -> Picture:
    """Read the elements and their interchange from a `.bpmn` file."""
    root = etree.parse(str(path)).getroot()
    picture = Picture()
    for element in root.iter(f"{BPMN}*"):
        ident = element.get("id")
        if ident is None:
            continue
        picture.kind[ident] = etree.QName(element).localname
        picture.ancestors[ident] = {parent.get("id", "") for parent in element.iterancestors()}
        if element.get("attachedToRef"):
            picture.host[ident] = element.get("attachedToRef", "")
        if element.get("sourceRef"):
            picture.ends[ident] = (element.get("sourceRef", ""), element.get("targetRef", ""))
    for shape in root.iter(f"{DI}BPMNShape", f"{DI}BPMNEdge"):
        ident = shape.get("bpmnElement", "")
        label = shape.find(f"{DI}BPMNLabel")
        if label is not None:
            picture.labels[ident] = _box(label)
        if shape.tag == f"{DI}BPMNShape":
            picture.shapes[ident] = _box(shape)
        else:
            points = [(float(p.get("x", "nan")), float(p.get("y", "nan"))) for p in shape.iter(WAYPOINT)]
            picture.edges[ident] = list(pairwise(points))
    return picture


def _crosses(one: Segment, two: Segment) -> bool:
    """Whether two orthogonal segments cross in a point inside both (not at an end)."""
    if (one[0][0] == one[1][0]) == (two[0][0] == two[1][0]):
        return False
    upright, level = (one, two) if one[0][0] == one[1][0] else (two, one)
    x, y = upright[0][0], level[0][1]
    low, high = sorted((upright[0][1], upright[1][1]))
    left, right = sorted((level[0][0], level[1][0]))
    return low < y < high and left < x < right


def _shared(one: Segment, two: Segment) -> bool:
    """Whether two segments lie on top of each other for more than a point."""
    for axis in (0, 1):
        if one[0][axis] == one[1][axis] == two[0][axis] == two[1][axis]:
            other = 1 - axis
            low = max(min(one[0][other], one[1][other]), min(two[0][other], two[1][other]))
            high = min(max(one[0][other], one[1][other]), max(two[0][other], two[1][other]))
            return high - low > SLACK
    return False


def _shape_faults(picture: Picture) -> Iterator[str]:
    plain = {i: b for i, b in picture.shapes.items() if picture.kind[i] not in {"participant", "lane"}}
    for (one, box), (two, other) in combinations(plain.items(), 2):
        if one in picture.ancestors[two] or two in picture.ancestors[one]:
            outer, inner = (one, two) if one in picture.ancestors[two] else (two, one)
            if not picture.shapes[outer].contains(picture.shapes[inner]):
                yield f"{inner} sticks out of {outer}"
        elif picture.host.get(one) != two and picture.host.get(two) != one and box.overlaps(other):
            yield f"{one} overlaps {two}"


def _frame_faults(picture: Picture) -> Iterator[str]:
    pools = [box for i, box in picture.shapes.items() if picture.kind[i] == "participant"]
    for ident, box in [*picture.shapes.items(), *picture.labels.items()]:
        if not any(pool.contains(box) for pool in pools):
            yield f"{ident} leaves the pool"


def _edge_faults(picture: Picture) -> Iterator[str]:
    for flow, segments in picture.edges.items():
        for (x1, y1), (x2, y2) in segments:
            if x1 != x2 and y1 != y2:
                yield f"{flow} is not orthogonal"
        ends = picture.ends[flow]
        for shape, box in picture.shapes.items():
            outer = picture.kind[shape] in {"participant", "lane"} or shape in picture.ancestors[flow]
            if not outer and any(box.cut_by(segment) for segment in segments) and shape not in ends:
                yield f"{flow} runs through {shape}"
            if shape in ends and any(box.cut_by(segment) for segment in segments):
                yield f"{flow} runs into {shape}"
    for (one, a), (two, b) in combinations(picture.edges.items(), 2):
        if any(_crosses(s, t) for s in a for t in b):
            yield f"{one} crosses {two}"
        related = set(picture.ends[one]) & set(picture.ends[two])
        if not related and any(_shared(s, t) for s in a for t in b):
            yield f"{one} lies on {two}"


def _label_faults(picture: Picture) -> Iterator[str]:
    for ident, box in picture.labels.items():
        for shape, other in picture.shapes.items():
            if picture.kind[shape] not in CONTAINERS and shape != ident and box.overlaps(other):
                yield f"label of {ident} overlaps {shape}"
        for flow, segments in picture.edges.items():
            if any(box.cut_by(segment) for segment in segments):
                yield f"label of {ident} is crossed by {flow}"
    for (one, box), (two, other) in combinations(picture.labels.items(), 2):
        if box.overlaps(other):
            yield f"labels of {one} and {two} overlap"
    frames = {i: b for i, b in picture.shapes.items() if picture.kind[i] == "subProcess"}
    for ident, box in picture.labels.items():
        for frame, border in frames.items():
            if box.overlaps(border) and not border.contains(box):
                yield f"label of {ident} is cut by the border of {frame}"


def findings(path: str | Path) -> list[str]:
    """Every fault of the picture as a sentence with element ids; empty when the picture is clean."""
    picture = read_picture(path)
    return [*_shape_faults(picture), *_frame_faults(picture), *_edge_faults(picture), *_label_faults(picture)]
