"""`render`: a part of the page that a function makes anew whenever values change."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..flow.dialect import understood
from ..flow.errors import DeclarationError
from ..flow.fragments import Fragment
from ..flow.graph import Graph, Node, building
from ..flow.listeners import name_of, options
from ..flow.plan import compile_plan
from ..flow.sources import (
    Dependency,
    Nodes,
    Source,
    changes_and_load,
    event,
    listen,
    sources_of,
)
from .base import Component
from .dialect import RENDER
from .layout import Column

Builder = Callable[..., Any]


class Part(Column):
    """Where a part stands. Its value, for the program alone, is the graph that stands there."""

    type = "part"
    heavy = True

    load = event("The part stands on the page.")

    def postprocess(self, value: Any, media: Any) -> object:
        """Check the graph and prepare its components here, in the builder's thread."""
        if not isinstance(value, Fragment):
            raise ValueError(f"only a function given to render() makes it, not {value!r}.")
        value.keys()
        value.check_followed()
        page: Graph = value
        while isinstance(page, Fragment):
            page = page.outer
        compile_plan(value, getattr(page, "settings", None))
        for node in value.nodes:
            if isinstance(node, Component):
                node.prepare(media)
        return value


def render(
    inputs: Nodes = None,
    triggers: Source | Sequence[Source] | None = None,
    *,
    key: int | str | None = None,
    **kwargs: Any,
) -> Callable[[Builder], Dependency]:
    """Decorate a function that makes a part of the page, here, out of the values of `inputs`.

        count = oc.Slider(1, 9, value=3, step=1, label="Tracks")

        @oc.render(inputs=count)
        def tracks(n):
            for i in range(int(n)):
                name = oc.Textbox(label=f"Track {i + 1}", key=f"name {i}")
                name.submit(rename, name, status)

    Whatever the function makes, listeners too, is this session's own and stands until the function
    has run again: then what still runs for it is cancelled. The function runs when the page loads
    and when an input changes; a newer change ends a run that is not done. It may be async, and
    takes what other listeners' functions may take beside inputs.

    inputs: components whose values the function gets, as for a listener. triggers: when it runs,
    instead of the load of the page and the change of each input. key: of the part itself, inside of
    another one. A component with a `key` keeps its value when it is made again, and stays the one
    that users see. What stands outside may be listened to, read and written, but not placed.

    Gives the listener: `tracks.then(...)`. Raises DeclarationError outside of `with Blocks():` and
    for a generator; errors of the function reach its user as those of every listener do.
    """

    if kwargs:
        understood("render()", kwargs, RENDER, ("inputs", "triggers", "key"))

    if callable(inputs) and not isinstance(inputs, Node):  # @render without its parentheses
        raise DeclarationError(
            f"render(): write @render() over {name_of(inputs)}(), or @render(inputs=...)."
        )

    def declare(fn: Builder) -> Dependency:
        outer = building.get()
        if outer is None:
            raise DeclarationError("render(): works only inside `with Blocks():`.")
        if not inspect.isroutine(fn):
            raise DeclarationError(f"render(): needs a function, not {fn!r}.")
        if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
            raise DeclarationError(
                f"render(): {name_of(fn)}() is a generator; a part is made in one go, so leave the"
                " yield out."
            )
        part = Part(key=key)
        given = {"trigger_mode": "restart", "show_progress": "hidden", "api_name": False}
        where = f"render() of {name_of(fn)}()"
        made = options(where, {**given, "concurrency_limit": None})
        if triggers is None:
            sources = changes_and_load(where, outer, inputs)
        else:
            sources = sources_of(where, triggers)
        built = _builder(fn, part, outer)
        standing = listen(sources, built, inputs, part, None, made, where)
        assert isinstance(standing, Dependency)
        return standing

    return declare


def _builder(fn: Builder, part: Part, outer: Graph) -> Builder:
    """The function, called while a new fragment is open; what it returned is left aside."""
    if inspect.iscoroutinefunction(fn):

        @functools.wraps(fn)
        async def build_async(*args: Any, **kwargs: Any) -> Fragment:
            fragment = Fragment(part, outer)
            fragment.begin()
            try:
                await fn(*args, **kwargs)
            finally:
                fragment.end()
            return fragment

        return build_async

    @functools.wraps(fn)
    def build(*args: Any, **kwargs: Any) -> Fragment:
        fragment = Fragment(part, outer)
        fragment.begin()
        try:
            fn(*args, **kwargs)
        finally:
            fragment.end()
        return fragment

    return build
