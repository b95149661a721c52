"""A graph of components and listeners as Mermaid text, and as an SVG in layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Literal


@dataclass(frozen=True, slots=True)
class Box:
    """A component (`is_node`) or a listener."""

    id: str
    lines: tuple[str, ...]
    is_node: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """What leads from one box to another, and how."""

    begin: str
    end: str
    label: str
    kind: Literal["trigger", "input", "output", "cancel"]


def mermaid(boxes: Sequence[Box], edges: Sequence[Edge]) -> str:
    """A flowchart; listeners are round, inputs and cancels dotted."""
    lines = ["flowchart LR"]
    for box in boxes:
        text = "<br/>".join(_quoted(line) for line in box.lines)
        lines.append(f'  {box.id}["{text}"]' if box.is_node else f'  {box.id}(["{text}"])')
    for edge in edges:
        arrow = "-->" if edge.kind in ("trigger", "output") else "-.->"
        label = f'|"{_quoted(edge.label)}"|' if edge.label else ""
        lines.append(f"  {edge.begin} {arrow}{label} {edge.end}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Mermaid's own escapes: `#quot;` and the like."""
    for sign, name in (
        ("#", "#35;"),
        ('"', "#quot;"),
        ("|", "#124;"),
        ("<", "#lt;"),
        (">", "#gt;"),
    ):
        text = text.replace(sign, name)
    return text


# -- SVG ---------------------------------------------------------------------------------------

CHARACTER, LINE, PAD = 7.3, 16, 10
BETWEEN_LAYERS, BETWEEN_BOXES = 84, 22
SWEEPS = 8
"""More than a handful of sweeps of the barycentre method change nothing (Sugiyama 1981)."""

Layers = list[list[str]]


def layered_svg(boxes: Sequence[Box], edges: Sequence[Edge]) -> str:
    """Boxes in layers from left to right, so that most edges lead to the right."""
    by_id = {box.id: box for box in boxes}
    layers = _layers(boxes, edges)
    routes = [_route(edge, layers) for edge in edges]
    places, width, height = _places(_ordered(layers, routes), by_id)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" font-family="ui-monospace, monospace"'
        ' font-size="12" fill="currentColor" stroke="none" role="img">',
        '<defs><marker id="to" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
        *_edges(edges, routes, places, [places[box.id] for box in boxes]),
        *(_box(box, *places[box.id]) for box in boxes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _layers(boxes: Sequence[Box], edges: Sequence[Edge]) -> Layers:
    """Each box behind all that lead to it; of a cycle, the edge that closes it is left out."""
    leads = {box.id: list[str]() for box in boxes}
    for edge in edges:
        if edge.kind != "cancel" and edge.begin != edge.end:
            leads[edge.begin].append(edge.end)
    order, seen = list[str](), set[str]()
    for root in leads:
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(leads[root]))]
        while stack:
            id, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                order.append(id)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(leads[following])))
    place = {id: n for n, id in enumerate(reversed(order))}
    depth = dict.fromkeys(place, 0)
    for id in place:
        for end in leads[id]:
            if place[end] > place[id]:  # else it closes a cycle
                depth[end] = max(depth[end], depth[id] + 1)
    layers: Layers = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for box in boxes:
        layers[depth[box.id]].append(box.id)
    return layers


def _route(edge: Edge, layers: Layers) -> list[str]:
    """The boxes that an edge touches, and a point in each layer between; adds those points."""
    begin, end = (
        next(n for n, layer in enumerate(layers) if id in layer) for id in (edge.begin, edge.end)
    )
    step = 1 if end > begin else -1
    points = [f"{edge.begin}>{edge.end}>{edge.kind}>{n}" for n in range(begin + step, end, step)]
    for n, point in zip(range(begin + step, end, step), points, strict=True):
        if point not in layers[n]:
            layers[n].append(point)
    return [edge.begin, *points, edge.end]


def _ordered(layers: Layers, routes: Sequence[list[str]]) -> Layers:
    """Each box near the middle of its neighbours, so that few edges cross."""
    near = dict[str, list[str]]()
    for route in routes:
        for begin, end in pairwise(route):
            near.setdefault(begin, []).append(end)
            near.setdefault(end, []).append(begin)
    for _ in range(SWEEPS):
        rank = {id: (n + 0.5) / len(layer) for layer in layers for n, id in enumerate(layer)}

        def middle(id: str, rank: dict[str, float] = rank) -> float:
            found = [rank[other] for other in near.get(id, ())]
            return sum(found) / len(found) if found else rank[id]

        for layer in layers:
            layer.sort(key=middle)
    return layers


Place = tuple[float, float, float, float]


def _places(layers: Layers, boxes: dict[str, Box]) -> tuple[dict[str, Place], float, float]:
    """x, y, width and height of each box; width and height of all."""
    sizes = {
        id: (
            2 * PAD + CHARACTER * max(len(line) for line in box.lines),
            2 * PAD + LINE * len(box.lines) - 4,
        )
        for id, box in boxes.items()
    }
    sizes |= {id: (0.0, LINE / 2) for layer in layers for id in layer if id not in boxes}
    heights = [sum(sizes[id][1] + BETWEEN_BOXES for id in layer) for layer in layers]
    highest = max(heights, default=0.0)
    places = dict[str, Place]()
    x = float(PAD)
    for layer, height in zip(layers, heights, strict=True):
        widest = max((sizes[id][0] for id in layer), default=0.0)
        y = PAD + (highest - height) / 2 + BETWEEN_BOXES / 2
        for id in layer:
            own, high = sizes[id]
            places[id] = (x + (widest - own) / 2, y, own, high)
            y += high + BETWEEN_BOXES
        x += widest + BETWEEN_LAYERS
    return places, max(x - BETWEEN_LAYERS, 0.0) + PAD, highest + 2 * PAD


def _box(box: Box, x: float, y: float, width: float, height: float) -> str:
    radius = 3 if box.is_node else height / 2
    texts = "".join(_lines(box.lines, x + width / 2, y + PAD + 10))
    return (
        f'<g><rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"'
        f' fill="none" stroke="currentColor"/>{texts}</g>'
    )


def _lines(lines: Iterable[str], x: float, y: float) -> Iterable[str]:
    for n, line in enumerate(lines):
        yield _text(line, x, y + n * LINE, 0.65 if n else 1)


def _text(text: str, x: float, y: float, opacity: float) -> str:
    fade = f' opacity="{opacity:g}"' if opacity < 1 else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle"{fade}>{escape(text)}</text>'


Curve = tuple[tuple[float, float], ...]
"""A cubic Bézier curve by its four points."""


def _edges(
    edges: Sequence[Edge],
    routes: Sequence[list[str]],
    places: dict[str, Place],
    taken: list[Place],
) -> Iterable[str]:
    """Lines and their words, which keep off each other and off the boxes."""
    for edge, route in zip(edges, routes, strict=True):
        curves = _curves(edge, route, places)
        (x, y), *_ = curves[0]
        path = f"M{x:g} {y:g}" + "".join(
            "C" + " ".join(f"{x:g} {y:g}" for x, y in curve[1:]) for curve in curves
        )
        dash = "" if edge.kind in ("trigger", "output") else ' stroke-dasharray="4 3"'
        yield (
            f'<path d="{path}" fill="none" stroke="currentColor" opacity="0.55"{dash}'
            ' marker-end="url(#to)"/>'
        )
        if edge.label:
            word = min(_words(edge.label, curves[0]), key=lambda at: _covers(at, taken))
            taken.append(word)
            yield _text(edge.label, word[0] + word[2] / 2, word[1] + LINE - 6, 0.8)


def _curves(edge: Edge, route: Sequence[str], places: dict[str, Place]) -> list[Curve]:
    begin, end = places[edge.begin], places[edge.end]
    back = end[0] + end[2] < begin[0]  # then from side to side, below the edges that lead forth
    first, last, height = (
        (begin[0], end[0] + end[2], 0.8) if back else (begin[0] + begin[2], end[0], 0.5)
    )
    start, stop = (first, begin[1] + begin[3] * height), (last, end[1] + end[3] * height)
    if abs(begin[0] + begin[2] / 2 - end[0] - end[2] / 2) < 1 and edge.begin != edge.end:
        # in one layer: around what stands between
        stop = (end[0] + end[2], stop[1])
        right = max(first, stop[0]) + 48
        return [(start, (right, start[1]), (right, stop[1]), stop)]
    between = [(x, y + high / 2) for x, y, _, high in (places[id] for id in route[1:-1])]
    curves = list[Curve]()
    for (x1, y1), (x2, y2) in pairwise([start, *between, stop]):
        bend = (x2 - x1) / 2 if back else max(30.0, (x2 - x1) / 2)
        curves.append(((x1, y1), (x1 + bend, y1), (x2 - bend, y2), (x2, y2)))
    return curves


def _words(label: str, curve: Curve) -> Iterable[Place]:
    """Where a label may stand: over its line, in the middle or else nearer to an end."""
    width = CHARACTER * len(label)
    for n in (8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13):
        t = n / 16
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        x, y = (sum(w * p[i] for w, p in zip(weights, curve, strict=True)) for i in (0, 1))
        yield x - width / 2, y - LINE + 2, width, LINE - 4
        yield x - width / 2, y + 2, width, LINE - 4


def _covers(at: Place, taken: Iterable[Place]) -> float:
    """How much of a place is taken already, in square pixels."""
    x, y, width, height = at
    return sum(
        max(0.0, min(x + width, x2 + w2) - max(x, x2))
        * max(0.0, min(y + height, y2 + h2) - max(y, y2))
        for x2, y2, w2, h2 in taken
    )
