"""A file through an app's live graph, as if somebody had played it into the microphone.

Sound that goes straight from a stream to a speaker (`stream.pipe(...).to(out)`) runs as it does in
a session, block by block, with nothing that waits: hours of it take seconds and little memory.
Where a function stands between, a whole session is run, on a clock that jumps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..components.base import Component
from ..flow.errors import DeclarationError
from ..flow.follow import lending
from ..flow.generators import clip_blocks
from ..flow.graph import Node
from ..flow.offline import run
from ..flow.plan import Plan
from ..flow.sources import Derived
from .media.blocks import read_blocks, write_blocks

if TYPE_CHECKING:
    from .app import Blocks
    from .testing.lab import Lab


def stream_file(
    app: Blocks,
    source: str | Path,
    sink: str | Path,
    *,
    values: Mapping[str, object] | None = None,
    output: Component | None = None,
) -> Path:
    """Push a sound file through an app's live graph, without a browser and as fast as it goes.

        sound.stream_file(app, "dry.wav", "wet.wav", values={"Music": -12})

    source: is played into the microphone. sink: gets what is heard at the streaming output: wav,
    flac, ogg or mp3 by its name; its samples are those of a live session. values: of components by
    their label, set before it begins. output: which one, where several stream. Returns sink.
    Raises DeclarationError where no live sound comes out, ClipError for what cannot be read.
    """
    # The production host on virtual time, with real first values; no test is run by it.
    from .testing.lab import Lab

    plan = app.plan()
    out = _output(plan, output)
    with Lab(app, trace=False) as user:
        for name, value in (values or {}).items():
            _set(user, name, value)
        edge = next((each for each, node in plan.edges if node is out), None)
        if edge is not None and not _per_take(edge):
            return _straight(user, edge, Path(source), Path(sink))
        microphone = _microphone(plan, out) if edge is None else edge.base.node
        assert isinstance(microphone, Component)
        return _by_session(user, microphone, out, Path(source), Path(sink))


def _per_take(edge: Derived) -> bool:
    """Whether other streams come into it, which in a session end with the take."""
    parts = (part for each in edge.operators for part in getattr(each, "parts", (each,)))
    return any(getattr(part, "per_take", False) for part in parts)


def _straight(user: Lab, edge: Derived, source: Path, sink: Path) -> Path:
    session = user.host.program.sessions[user.token]
    with lending(session.value):
        (path,) = run(read_blocks(source), *edge.operators, write_blocks(sink))  # pyright: ignore[reportArgumentType]: whatever pipe() takes
    return path


def _by_session(user: Lab, mic: Component, out: Component, source: Path, sink: Path) -> Path:
    user.record(mic, source)
    user.settle()
    failed = [toast.message for toast in user.toasts if toast.level == "error"]
    clip = user.stored(out)
    if failed or clip is None:
        why = failed[0] if failed else f"nothing came out at {out.where}"
        raise DeclarationError(f"stream_file: {why}")
    (path,) = run(clip_blocks(clip), write_blocks(sink))
    return path


def live_outputs(plan: Plan) -> list[Component]:
    """The components at which live sound comes out, in the order of the page."""
    found: list[Node] = [node for _, node in plan.edges]
    for sizes in plan.chunked.values():
        for listeners in sizes.values():
            found += [plan.nodes[id] for each in listeners for id in each.outputs]
    for derived, listener in plan.derived:
        if derived.port == "stream":
            found += [plan.nodes[id] for id in listener.outputs]
    streaming = {n.id: n for n in found if n.streaming and isinstance(n, Component)}
    return [streaming[id] for id in sorted(streaming)]


def _output(plan: Plan, given: Component | None) -> Component:
    found = live_outputs(plan)
    if given is None and len(found) == 1:
        return found[0]
    if given in found:
        return given
    known = ", ".join(each.where for each in found) or "none"
    raise DeclarationError(f"stream_file: say at which output sound comes out: there is {known}")


def _microphone(plan: Plan, out: Component) -> Component:
    """Whose recording a function makes this output's sound of."""
    found: list[Node] = [
        plan.nodes[id]
        for id, sizes in plan.chunked.items()
        for each in (each for listeners in sizes.values() for each in listeners)
        if out.id in each.outputs
    ]
    found += [d.base.node for d, each in plan.derived if out.id in each.outputs]
    (microphone, *_) = found
    assert isinstance(microphone, Component)
    return microphone


def _set(user: Lab, name: str, value: object) -> None:
    component = user.find(name)
    if "upload" in component.acts and isinstance(value, str | Path | Sequence):
        user.upload(component, value)  # pyright: ignore[reportArgumentType]: checked there
    else:
        user.input(component, value)
