"""What a front end must show: values, properties, sound, runs, notices, faults, a session's end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from .clipping import Clipping
from .model import Outcome
from .notices import Notice
from .plan import Plan
from .record import record
from .results import UNSET
from .units import Seconds

Origin = tuple[int, Seconds]
"""Of which node's recording a piece was made, and from which second of it."""

Onward = Callable[[Any, Origin | None], None]
"""Takes a piece of a live stream at 16 bit, (frames, channels), and its origin."""


@record
class Set:
    """A node has another value, other properties, or both. The value is in stored form."""

    session: str
    node: int
    value: object = UNSET
    props: Mapping[str, object] | None = None


@record
class Sound:
    """A stream of sound to a listener goes on, ends, or is cut off.

    stage: "more" with one more `piece`, "end" after the last, "flush" to be silent at once. epoch:
    of the stream; what is left of an older one is void. live: what waits too long is worth nothing
    any more. origin: what the piece was made of, if that is known. pcm: the piece at 16 bit,
    (frames, channels), where that is known already. tape: of sound that is not live, all of it so
    far, to be read from. clipping: counts what of the stream was cut at full scale.
    """

    session: str
    node: int
    epoch: int
    stage: Literal["more", "end", "flush"]
    piece: object = None
    live: bool = False
    origin: Origin | None = None
    pcm: Any = None
    tape: Any = None
    clipping: Clipping | None = None


@record
class Command:
    """A front end is asked to do what its user could: "stop_recording"."""

    session: str
    node: int
    command: str


@record
class Run:
    """A request reached another station; shown on the outputs of its listener."""

    session: str
    outcome: Outcome


@record
class Toast:
    """A message that has no place of its own."""

    session: str
    notice: Notice


@record
class Fault:
    """Sound that came out of operators and cannot be heard, or an error in one of them.

    node: where it would have been heard, or whose recording it came of. where: the chain. error:
    the first one of a recording; None tells that there were `count` of them by now. resting: no
    more is tried until the next recording.
    """

    session: str
    node: int
    where: str
    error: Exception | None
    count: int
    resting: bool = False


@record
class Part:
    """The part of the page below a node is another one.

    plan: what stands there now. old: what stood there, with the parts inside of it. left: sounds
    and files that stood there.
    """

    session: str
    node: int
    plan: Plan
    old: tuple[Plan, ...]
    left: tuple[object, ...] = ()


@record
class Gone:
    """The session is over and none of its work runs any more; what it owned can go."""

    session: str


Patch = Set | Sound | Command | Run | Toast | Fault | Part | Gone

Emit = Callable[[Patch], Onward | None]
"""Shows a patch to its front end. What it returns for the first piece of a live stream takes all
pieces behind that: to tell where a stream leads once is enough, and it has fifty in a second."""
