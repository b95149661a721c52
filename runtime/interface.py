"""`Interface`: an app made from one function and the components around it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..components.base import Component
from ..components.button import Button
from ..components.clearbutton import QUIETLY, empty_values
from ..components.layout import Column, Row
from ..components.markdown import Markdown
from ..components.shortcuts import component
from ..components.state import State
from ..flow.errors import DeclarationError
from ..flow.graph import building
from ..flow.listeners import ConcurrencyLimit, name_of
from ..flow.signature import signature
from ..flow.sources import Dependency, Port, Source, on
from .app import Blocks

Given = str | Mapping[str, Any] | Component
"""A component, or its name ("audio", "microphone", "text", …), or a dict with "name"."""


class Interface(Blocks):
    """Inputs on one side, outputs on the other, and a function between them.

    fn: takes one value per input and returns one per output; a generator shows each yield.
    inputs, outputs: components or their names; None for a function that takes, or returns, nothing.
    live: run whenever an input changes (or streams), without a button. title, description, article:
    Markdown above and below. submit_btn, stop_btn, clear_btn: their texts. Other arguments as in a
    listener (`Source.__call__`).
    """

    kind = "interface"

    def __init__(
        self,
        fn: Callable[..., Any],
        inputs: Given | Sequence[Given] | None,
        outputs: Given | Sequence[Given] | None,
        *,
        live: bool = False,
        title: str | None = None,
        description: str | None = None,
        article: str | None = None,
        submit_btn: str = "Submit",
        stop_btn: str = "Stop",
        clear_btn: str | None = "Clear",
        batch: bool = False,
        max_batch_size: int = 4,
        api_name: str | None = None,
        concurrency_limit: ConcurrencyLimit = "default",
        stream_every: float = 0.5,
        time_limit: float | None = 30,
        **kwargs: Any,
    ) -> None:
        super().__init__(title=title or "ossicle", **kwargs)
        self.fn = fn
        self.live = live
        self.input_components = _components(inputs)
        self.output_components = _components(outputs)
        if not self.input_components and not self.output_components:
            raise DeclarationError("Interface: give inputs or outputs; it has neither.")
        self._check_state()
        self._label()
        self._options: dict[str, Any] = {
            "batch": batch,
            "max_batch_size": max_batch_size,
            "api_name": api_name,
            "concurrency_limit": concurrency_limit,
        }
        self._streaming: dict[str, Any] = {"stream_every": stream_every, "time_limit": time_limit}
        with self:
            self._build(title, description, article, submit_btn, stop_btn, clear_btn)

    # -- components ------------------------------------------------------------------------------

    def _check_state(self) -> None:
        """A State is given back by the function that takes it, or it would never move."""
        ins = [c for c in self.input_components if isinstance(c, State)]
        outs = [c for c in self.output_components if isinstance(c, State)]
        if len(ins) != len(outs) or len(ins) > 1:
            raise DeclarationError(
                f"Interface: {len(ins)} State among the inputs and {len(outs)} among the outputs;"
                ' it takes none, or one in each ("state").'
            )
        if ins and ins[0] is not outs[0]:  # written twice, meant once
            place = self.output_components.index(outs[0])
            self.output_components[place] = ins[0]

    def _label(self) -> None:
        """Inputs are called like the function's parameters, outputs "output" with their number."""
        names = signature(self.fn).names
        for index, each in enumerate(self.input_components):
            if not isinstance(each, State):
                name = names[index] if index < len(names) else f"input {index}"
                each.default(label=name.replace("_", " "))
        shown = [c for c in self.output_components if not isinstance(c, State)]
        for index, each in enumerate(shown):
            each.default(label="output" if len(shown) == 1 else f"output {index}")
            if each not in self.input_components:
                each.default(interactive=False)

    # -- layout ----------------------------------------------------------------------------------

    def _build(
        self,
        title: str | None,
        description: str | None,
        article: str | None,
        submit: str,
        stop: str,
        clear: str | None,
    ) -> None:
        if title:
            Markdown(f"# {title}")
        if description:
            Markdown(description)
        outputs = [c for c in self.output_components if c not in self.input_components]
        with Row():
            buttons = Buttons()
            if self.input_components:
                with Column():
                    for each in self.input_components:
                        each.render()
                    buttons.make(None if self.live else submit, clear, self._stop_text(stop))
            if outputs or not self.input_components:
                with Column():
                    for each in outputs:
                        each.render()
                    if not self.input_components:
                        buttons.make("Generate" if submit == "Submit" else submit, None, None)
        if article:
            Markdown(article)
        self._listen(buttons)

    def _stop_text(self, stop: str) -> str | None:
        """Only what goes on for a while is worth a button to stop it."""
        inner = getattr(self.fn, "__call__", self.fn)  # noqa: B004
        goes_on = any(
            test(fn)
            for test in (inspect.isgeneratorfunction, inspect.isasyncgenfunction)
            for fn in (self.fn, inner)
        )
        return stop if goes_on and not self.live else None

    # -- listeners -------------------------------------------------------------------------------

    def _listen(self, buttons: Buttons) -> None:
        if self.live:
            run = self._listen_live(buttons)
        else:
            assert buttons.submit
            triggers: list[Source] = [buttons.submit.click]
            triggers += [Port(c, "submit") for c in self.input_components if "submit" in c.ports]
            run = self._on(triggers, scroll_to_output=True)
            if buttons.stop:
                self._swap_buttons(triggers, run, buttons.submit, buttons.stop)
        if buttons.clear:
            self._listen_clear(buttons.clear)

    def _listen_live(self, buttons: Buttons) -> Dependency:
        if not self.input_components:
            assert buttons.submit
            return self._on([self.load, buttons.submit.click])
        streams = [c for c in self.input_components if getattr(c, "streaming", False)]
        if streams:
            return self._on([Port(c, "stream") for c in streams], **self._streaming)
        changes = [c.change for c in self.input_components if not isinstance(c, State)]
        return self._on(changes, trigger_mode="always_last")

    def _on(self, triggers: Sequence[Source], **more: Any) -> Dependency:
        return on(
            triggers,
            self.fn,
            list(self.input_components),
            list(self.output_components),
            **self._options,
            **more,
        )

    def _swap_buttons(
        self, triggers: list[Source], run: Dependency, submit: Button, stop: Button
    ) -> None:
        """While it runs, Stop stands where Submit stood."""
        options: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_name": False}

        def shown(running: bool) -> Callable[[], list[Button]]:
            return lambda: [Button(visible=not running), Button(visible=running)]

        on(triggers, shown(True), None, [submit, stop], trigger_mode="multiple", **options)
        run.then(shown(False), None, [submit, stop], trigger_mode="multiple", **options)
        stop.click(None, None, None, cancels=[run], **options)

    def _listen_clear(self, clear: Button) -> None:
        everything = list(dict.fromkeys((*self.input_components, *self.output_components)))
        clear.click(empty_values(everything), None, list(everything), **QUIETLY)

    def __repr__(self) -> str:
        return f"<Interface {name_of(self.fn)}>"


class Buttons:
    """Submit, Stop and Clear of an Interface; each may be absent."""

    def __init__(self) -> None:
        self.submit: Button | None = None
        self.stop: Button | None = None
        self.clear: Button | None = None

    def make(self, submit: str | None, clear: str | None, stop: str | None) -> None:
        """Place those that have a text, in one row."""
        if not (submit or clear):
            return
        with Row():
            if clear:
                self.clear = Button(clear)
            if submit:
                self.submit = Button(submit, variant="primary")
            if stop:
                self.stop = Button(stop, variant="stop", visible=False)


def _components(given: Given | Sequence[Given] | None) -> list[Component]:
    if given is None:
        return []
    each = [given] if isinstance(given, str | Mapping | Component) else list(given)
    token = building.set(None)  # they are placed by the Interface, not where they are made
    try:
        return [component(c) for c in each]
    finally:
        building.reset(token)
