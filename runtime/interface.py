"""`Interface`: an app made from one function and the components around it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from ..components.base import Component
from ..components.button import Button
from ..components.clearbutton import QUIETLY, empty_values
from ..components.downloadbutton import DownloadButton
from ..components.examples import Cache, Examples, cached
from ..components.layout import Accordion, Column, Row
from ..components.markdown import Markdown
from ..components.shortcuts import component
from ..components.state import State
from ..flow.dialect import Foreign
from ..flow.errors import DeclarationError
from ..flow.graph import building
from ..flow.injected import Success
from ..flow.listeners import ConcurrencyLimit, ShowProgress, name_of
from ..flow.remarks import remark
from ..flow.signature import signature
from ..flow.sources import Dependency, Port, Source, on
from .app import Blocks
from .dialect import INTERFACE
from .flagging import FlagLog

Given = str | Mapping[str, Any] | Component
"""A component, or its name ("audio", "microphone", "text", …), or a dict with "name"."""

FlaggingMode = Literal["manual", "never", "auto"]

STREAMING = {"stream_every": 0.5, "time_limit": 30.0}
"""Seconds, where inputs stream."""


class Interface(Blocks):
    """Inputs on one side, outputs on the other, and a function between them.

    fn: takes one value per input and returns one per output; a generator shows each yield.
    inputs, outputs: components or their names; None for a function that takes, or returns, nothing.
    examples: samples for the inputs (a State is none of them), and cache_examples,
        examples_per_page, example_labels: as for `Examples`. run_examples_on_click: run `fn` too.
    live: run whenever an input changes (or streams), without a button.
    title, description, article: Markdown above and below.
    additional_inputs: more inputs, after the others, in an Accordion that starts closed;
        additional_inputs_accordion: its label, or the Accordion.
    submit_btn, stop_btn, clear_btn: their texts, or Buttons; None for clear_btn leaves it out.
    flagging_mode: what is written to the disk of the machine that runs the app, for its author:
        "never" nothing, which is the default; "manual" values that the user flags by a button;
        "auto" those of each run that succeeded. An interface without outputs has nothing to flag.
        allow_flagging: its older name, where True is "manual" and False "never".
    flagging_options: a button for each, "Flag as …": texts, or pairs (text, what is written).
    flagging_dir: the folder; see `FlagLog` for what it holds.
    Other arguments as in a listener (`Source.__call__`) and in Blocks.
    """

    kind = "interface"
    foreign: ClassVar[Mapping[str, Foreign]] = INTERFACE

    def __init__(
        self,
        fn: Callable[..., Any],
        inputs: Given | Sequence[Given] | None,
        outputs: Given | Sequence[Given] | None,
        examples: Sequence[Any] | str | Path | None = None,
        *,
        cache_examples: Cache | None = False,
        cache_mode: Literal["eager", "lazy"] | None = None,
        examples_per_page: int = 10,
        example_labels: Sequence[str] | None = None,
        run_examples_on_click: bool = False,
        live: bool = False,
        title: str | None = None,
        description: str | None = None,
        article: str | None = None,
        additional_inputs: Given | Sequence[Given] | None = None,
        additional_inputs_accordion: str | Accordion | None = None,
        submit_btn: str | Button = "Submit",
        stop_btn: str | Button = "Stop",
        clear_btn: str | Button | None = "Clear",
        flagging_mode: FlaggingMode | None = None,
        allow_flagging: FlaggingMode | bool | None = None,
        flagging_options: Sequence[str | tuple[str, str]] | None = None,
        flagging_dir: str | Path = "flagged",
        batch: bool = False,
        max_batch_size: int = 4,
        api_name: str | Literal[False] | None = None,
        show_progress: ShowProgress | None = None,
        concurrency_limit: ConcurrencyLimit = "default",
        stream_every: float = STREAMING["stream_every"],
        time_limit: float | None = STREAMING["time_limit"],
        **kwargs: Any,
    ) -> None:
        super().__init__(title=title or "ossicle", **kwargs)
        flagging_mode = _flagging(flagging_mode, allow_flagging)
        if not callable(fn):
            raise DeclarationError(f"Interface: fn must be callable, not {fn!r}.")
        if not isinstance(live, bool):  # pyright: ignore[reportUnnecessaryIsInstance]  # apps are not typed
            raise DeclarationError(f"Interface: live={live!r} must be True or False.")
        self.fn = fn
        self.live = live
        additional = _components(additional_inputs)
        self.input_components = [*_components(inputs), *additional]
        self.output_components = _components(outputs)
        if not self.input_components and not self.output_components:
            raise DeclarationError("Interface: give inputs or outputs; it has neither.")
        self._check_state()
        self._label()
        self._options: dict[str, Any] = {
            "batch": batch,
            "max_batch_size": max_batch_size,
            "api_name": api_name,
            "show_progress": show_progress,
            "concurrency_limit": concurrency_limit,
        }
        self._streaming: dict[str, Any] = {"stream_every": stream_every, "time_limit": time_limit}
        flags = _flag_options(flagging_options) if flagging_mode == "manual" else []
        parts = _Parts(submit_btn, stop_btn, clear_btn, flags)
        self.frame = self._stand()
        with self.frame or self:
            if title:
                Markdown(f"# {title}")
            if description:
                Markdown(description)
            self._build(parts, additional, additional_inputs_accordion)
            run = self._listen(parts)
            if examples is not None:
                self._show_examples(
                    examples,
                    cached(cache_examples, cache_mode),
                    run_examples_on_click,
                    {"examples_per_page": examples_per_page, "example_labels": example_labels},
                )
            if article:
                Markdown(article)
            if flagging_mode != "never" and self.output_components:
                self._listen_flags(parts, run, flagging_mode, Path(flagging_dir))

    # -- inside of another Blocks ----------------------------------------------------------------

    def _stand(self) -> Column | None:
        """Written inside another Blocks it stands there at once, as a component does."""
        outer = building.get()
        if outer is None:
            return None
        self.load = Port(outer.root, "load")
        self.unload = Port(outer.root, "unload")
        return Column(min_width=0)

    def render(self) -> Self:
        """Stand here; one that was written inside of this Blocks moves here."""
        graph = building.get()
        if self.frame is None or graph is None or graph is not self.frame.graph:
            return super().render()
        graph.move(self.frame)
        return self

    @staticmethod
    def _put(node: Component) -> None:
        """Place a component here; one made inside the outer Blocks stands there already."""
        graph = building.get()
        if graph is not None and graph.stands(node):
            graph.move(node)
        else:
            node.render()

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
            pressed = isinstance(each, Button | DownloadButton)  # what greys them is no reading
            if each not in self.input_components and not pressed:
                each.default(interactive=False)

    # -- layout ----------------------------------------------------------------------------------

    def _build(
        self, parts: _Parts, additional: list[Component], accordion: str | Accordion | None
    ) -> None:
        outputs = [c for c in self.output_components if c not in self.input_components]
        with Row():
            if self.input_components:
                with Column():
                    for each in self.input_components:
                        if each not in additional:
                            self._put(each)
                    if additional:
                        self._add(additional, accordion)
                    parts.place(submit=not self.live, stop=self._goes_on and not self.live)
            if outputs or not self.input_components:
                with Column():
                    for each in outputs:
                        self._put(each)
                    if not self.input_components:
                        parts.generate()
                    if outputs:
                        parts.place_flags()
        if not outputs and self.output_components:
            parts.place_flags()

    def _add(self, additional: list[Component], given: str | Accordion | None) -> None:
        accordion = (
            given
            if isinstance(given, Accordion)
            else Accordion(given or "Additional inputs", open=False)
        )
        with accordion:
            for each in additional:
                self._put(each)

    @property
    def _goes_on(self) -> bool:
        """Only what goes on for a while is worth a button to stop it."""
        inner = getattr(self.fn, "__call__", self.fn)  # noqa: B004
        return any(
            test(fn)
            for test in (inspect.isgeneratorfunction, inspect.isasyncgenfunction)
            for fn in (self.fn, inner)
        )

    def _show_examples(
        self,
        examples: Sequence[Any] | str | Path,
        cache: Cache,
        run: bool,
        options: dict[str, Any],
    ) -> None:
        filled = [c for c in self.input_components if not isinstance(c, State)]
        cached: dict[str, Any] = {}
        if cache:
            if len(filled) < len(self.input_components):
                raise DeclarationError(
                    "Interface: cache_examples: a State is each session's own; leave the cache out."
                )
            cached = {
                "outputs": self.output_components,
                "fn": self.fn,
                "cache_examples": cache,
                "batch": self._options["batch"],
                "concurrency_limit": self._options["concurrency_limit"],
            }
        made = Examples(examples, filled, **cached, **options)
        if run and not cache:
            assert made.load_input_event
            self._on([made.load_input_event.success], trigger_mode="always_last")

    # -- listeners -------------------------------------------------------------------------------

    def _listen(self, parts: _Parts) -> Dependency:
        if not self._streams:
            for name, value in self._streaming.items():
                if value not in (STREAMING[name], None):
                    remark(
                        f"Interface: {name}={value!r} does nothing here; write live=True and give"
                        " an input that streams, or leave it out."
                    )
        if self.live:
            run = self._listen_live(parts)
        else:
            triggers: list[Source] = [parts.submit.click]
            triggers += [Port(c, "submit") for c in self.input_components if "submit" in c.ports]
            run = self._on(triggers, scroll_to_output=bool(self.output_components))
            if parts.stop.graph:
                self._swap_buttons(triggers, run, parts.submit, parts.stop)
        if parts.clear and parts.clear.graph:
            self._listen_clear(parts.clear)
        return run

    @property
    def _streams(self) -> list[Component]:
        """The inputs whose chunks it runs on."""
        if not self.live:
            return []
        return [c for c in self.input_components if getattr(c, "streaming", False)]

    def _listen_live(self, parts: _Parts) -> Dependency:
        if not self.input_components:
            return self._on([self.load, parts.submit.click])
        if self._streams:
            return self._on([Port(c, "stream") for c in self._streams], **self._streaming)
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

    def _listen_flags(
        self, parts: _Parts, run: Dependency, mode: FlaggingMode, folder: Path
    ) -> None:
        """What shows is what is written: stored values, of inputs and outputs."""
        everything = [
            c
            for c in dict.fromkeys((*self.input_components, *self.output_components))
            if not isinstance(c, State)
        ]
        log = FlagLog(folder, [c.label or c.type for c in everything])
        options: dict[str, Any] = {
            "queue": False,
            "show_progress": "hidden",
            "api_name": False,
            "preprocess": False,
            "trigger_mode": "multiple",
            "on_disconnect": "finish",
        }
        if mode == "auto":
            run.success(_writer(log, "", quiet=True), list(everything), None, **options)
        for button, flag in zip(parts.flag_buttons, parts.flags, strict=True):
            button.click(_writer(log, flag[1]), list(everything), None, **options)

    def __repr__(self) -> str:
        return f"<Interface {name_of(self.fn)}>"


class _Parts:
    """The buttons of an Interface: made first, placed where and if they are wanted."""

    def __init__(
        self,
        submit: str | Button,
        stop: str | Button,
        clear: str | Button | None,
        flags: list[tuple[str, str]],
    ) -> None:
        self._named = submit != "Submit"
        self.submit = _button(submit, variant="primary")
        self.stop = _button(stop, variant="stop")
        self.stop.default(visible=False)
        self.clear = None if clear is None else _button(clear)
        self.flags = flags
        self.flag_buttons = [_button(text) for text, _ in flags]

    def place(self, *, submit: bool, stop: bool) -> None:
        """Those that are wanted, in one row."""
        wanted = [self.clear, self.submit if submit else None, self.stop if stop else None]
        if any(wanted):
            with Row():
                for button in wanted:
                    if button:
                        button.render()

    def generate(self) -> None:
        """The one button of an interface without inputs."""
        if not self._named:
            self.submit.value = "Generate"
        self.submit.render()

    def place_flags(self) -> None:
        if self.flag_buttons:
            with Row():
                for button in self.flag_buttons:
                    button.render()


def _flagging(mode: object, allow: object) -> FlaggingMode:
    given = mode if mode is not None else allow
    if given is None or given is False:
        given = "never"
    elif given is True:
        given = "manual"
    if given not in ("manual", "never", "auto"):
        raise DeclarationError(
            f"Interface: flagging_mode={given!r} is unknown; choose manual, never or auto."
        )
    return given


def _button(given: str | Button, **options: Any) -> Button:
    return given if isinstance(given, Button) else Button(given, render=False, **options)


def _flag_options(given: Sequence[str | tuple[str, str]] | None) -> list[tuple[str, str]]:
    """(text on the button, what is written) for each option."""
    if not given:
        return [("Flag", "")]
    pairs = [each if isinstance(each, tuple) else (each, each) for each in given]
    return [(f"Flag as {text}", written) for text, written in pairs]


def _writer(log: FlagLog, flag: str, quiet: bool = False) -> Callable[..., None]:
    def write(*values: object) -> None:
        log.append(values, flag)
        if not quiet:
            Success("Saved for the author of this app.", title="Flagged")

    return write


def _components(given: Given | Sequence[Given] | None) -> list[Component]:
    if given is None:
        return []
    each = [given] if isinstance(given, str | Mapping | Component) else list(given)
    token = building.set(None)  # they are placed by the Interface, not where they are made
    try:
        return [component(c) for c in each]
    finally:
        building.reset(token)
