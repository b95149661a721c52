"""Examples: values to start from, one click away, with results made beforehand if wanted."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, cast

from ..flow.errors import DeclarationError, InputError
from ..flow.graph import Graph, building
from ..flow.injected import SelectData
from ..flow.listeners import ConcurrencyLimit
from ..flow.rehearsal import Rehearsal
from ..flow.shapes import is_dict, is_listing
from ..flow.sources import Dependency, event
from .base import Component, Json, Received
from .clearbutton import QUIETLY
from .state import State

if TYPE_CHECKING:
    from ..flow.audio import Media

Cache = bool | Literal["eager", "lazy"]


class Examples(Component):
    """Samples of the values of other components; a click puts one into them.

    examples: one sample for each row, a list with one value for each of `inputs`, in any form that
        a function may return for it (a path, (rate, array), a number, ...); for a single input the
        values alone; or the path of a folder, whose files are the samples of a single input.
    inputs: the components to fill. outputs, fn: what to run with them, see the next two.
    cache_examples: True or "eager" runs `fn` on all samples when the app starts, "lazy" on each at
        its first click by anybody (True with cache_mode="lazy" is the same); a click then fills the
        outputs, too. Results are shared by all sessions and gone when the app ends; that of a
        generator is its last one.
    run_on_click: run `fn` after the inputs are filled, as if the user had asked for it.
    examples_per_page: how many show at a time. example_labels: names to click, in place of values.
    batch, concurrency_limit: of `fn`, as in a listener.

    `load_input_event` is the listener that fills the inputs. Values are checked when they are
    written, files are read when the app starts. Raises DeclarationError for what cannot work, a
    file that is missing among it.
    """

    type = "examples"
    shown = ("headers", "samples", "per_page")
    acts = {}
    passive = frozenset({"change"})

    select = event("The user chose a sample: `index`.")

    def __init__(
        self,
        examples: Sequence[Any] | str | Path,
        inputs: Component | Sequence[Component],
        outputs: Component | Sequence[Component] | None = None,
        fn: Callable[..., Any] | None = None,
        *,
        cache_examples: Cache | None = False,
        cache_mode: Literal["eager", "lazy"] | None = None,
        run_on_click: bool = False,
        examples_per_page: int = 10,
        example_labels: Sequence[str] | None = None,
        label: str | None = "Examples",
        batch: bool = False,
        concurrency_limit: ConcurrencyLimit = "default",
        **kwargs: Any,
    ) -> None:
        self.label = label
        self.filled = _components(inputs)
        self.made = _components(outputs)
        self.fn = fn
        self.cache = cached(cache_examples, cache_mode)
        self.run_on_click = run_on_click
        self.batch = batch
        self.concurrency_limit: ConcurrencyLimit = concurrency_limit
        self.per_page = examples_per_page
        self.rows = self._rows(examples)
        self.example_labels = list(example_labels or [])
        self._check()
        for node in self.filled:  # what samples are for is to be entered, whoever else reads it
            if not isinstance(node, State):
                node.default(interactive=True)
        self.load_input_event: Dependency | None = None
        self._stored: list[tuple[object, ...]] = []
        self._results: dict[int, tuple[object, ...]] = {}
        self._media: Any = None
        super().__init__(label=label, interactive=True, **kwargs)

    # -- what the page is told -----------------------------------------------------------------

    @property
    def headers(self) -> list[str]:
        """The labels of the inputs, as they are by now."""
        return [] if self.example_labels else [c.label or c.type for c in self.filled]

    @property
    def samples(self) -> list[list[Json]]:
        """What stands on the page for each value."""
        if self.example_labels:
            return [[name] for name in self.example_labels]
        return [
            [_caption(value, node) for node, value in zip(self.filled, row, strict=True)]
            for row in self.rows
        ]

    def receive(
        self, act: str, payload: Json, data: Mapping[str, object] | None, now: Any, media: Media
    ) -> Received:
        if act == "select":
            index = (data or {}).get("index")
            if isinstance(index, bool) or not isinstance(index, int):
                raise InputError(f"{self.where}: select needs the index of a sample.")
            if not 0 <= index < len(self.rows):
                raise InputError(
                    f"{self.where}: there is no sample {index}; there are {len(self.rows)}."
                )
        return super().receive(act, payload, data, now, media)

    # -- the start of the app ------------------------------------------------------------------

    @property
    def wants_media(self) -> bool:
        return any(node.heavy for node in (*self.filled, *self.made))

    def prepare(self, media: Media) -> None:
        """Turn all samples into stored values, which all sessions share."""
        self.stored, self._media, self._results = None, media, {}
        self._stored = []
        for number, row in enumerate(self.rows, 1):
            try:
                values = [n.postprocess(v, media) for n, v in zip(self.filled, row, strict=True)]
            except ValueError as error:
                raise ValueError(f"{self.where}: sample {number}: {error}") from error
            self._stored.append(tuple(values))

    async def begin(self, run: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        if self.cache != "eager":
            return
        for index in range(len(self.rows)):
            try:
                await (self._result_async(index) if self._is_async else run(self._maker(index)))
            except Exception as error:
                raise DeclarationError(
                    f"{self.where}: cache_examples: sample {index + 1} failed:"
                    f" {type(error).__name__}: {error}"
                ) from error

    # -- listeners -----------------------------------------------------------------------------

    def placed(self, graph: Graph) -> None:
        token = building.set(graph)
        try:
            self._listen()
        finally:
            building.reset(token)

    def _listen(self) -> None:
        def load(chosen: SelectData) -> object:
            values = [_own(value) for value in self._stored[_index(chosen)]]
            return values if len(values) > 1 else values[0]

        loaded = self.select(load, None, list(self.filled), **QUIETLY)
        self.load_input_event = loaded
        if self.cache:
            options: dict[str, Any] = {"postprocess": False, "show_progress": "full"}
            if self.cache == "eager":  # all is there: nothing to wait for, nothing to announce
                options |= {"queue": False, "show_progress": "hidden"}
            else:
                options["concurrency_limit"] = self.concurrency_limit
            fn = self._show_async if self._is_async else self._show
            self._follow(loaded, fn, None, options)
        elif self.run_on_click:
            assert self.fn
            limit: dict[str, Any] = {"concurrency_limit": self.concurrency_limit}
            self._follow(loaded, self.fn, list(self.filled), {"batch": self.batch, **limit})

    def _follow(
        self,
        loaded: Dependency,
        fn: Callable[..., Any],
        inputs: list[Component] | None,
        options: dict[str, Any],
    ) -> None:
        """The newest click counts: what an older one asked for would not fit its inputs."""
        mode = "restart" if not options.get("batch") else "always_last"
        loaded.success(fn, inputs, list(self.made), api_name=False, trigger_mode=mode, **options)

    # -- results -------------------------------------------------------------------------------

    def _show(self, chosen: SelectData) -> object:
        return self._shown(self._maker(_index(chosen))())

    async def _show_async(self, chosen: SelectData) -> object:
        return self._shown(await self._result_async(_index(chosen)))

    def _shown(self, values: tuple[object, ...]) -> object:
        own = [_own(value) for value in values]
        return own if len(own) > 1 else own[0]

    @property
    def _is_async(self) -> bool:
        inner = getattr(self.fn, "__call__", self.fn)  # noqa: B004
        tests = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
        return any(test(each) for test in tests for each in (self.fn, inner))

    def _rehearsal(self, index: int) -> Rehearsal:
        assert self.fn
        return Rehearsal(
            self.fn, self, self.filled, self.made, self._stored[index], self._media, self.batch
        )

    def _maker(self, index: int) -> Callable[[], tuple[object, ...]]:
        """The cached result, made now if need be. Two at once make it twice, which is harmless."""

        def make() -> tuple[object, ...]:
            if index not in self._results:
                rehearsal = self._rehearsal(index)
                value = rehearsal.call()
                if isinstance(value, GeneratorType):
                    for each in cast("GeneratorType[object]", value):
                        rehearsal.take(each, more=True)
                else:
                    rehearsal.take(value)
                self._results[index] = rehearsal.result()
            return self._results[index]

        return make

    async def _result_async(self, index: int) -> tuple[object, ...]:
        if index not in self._results:
            rehearsal = self._rehearsal(index)
            value = rehearsal.call()
            if inspect.isasyncgen(value):
                async for each in value:
                    rehearsal.take(each, more=True)
            else:
                rehearsal.take(await cast("Awaitable[object]", value))
            self._results[index] = rehearsal.result()
        return self._results[index]

    # -- arguments -----------------------------------------------------------------------------

    def _rows(self, given: Sequence[Any] | str | Path) -> list[list[Any]]:
        if not self.filled:
            raise DeclarationError(f"{self.where}: inputs is empty; name what a click fills.")
        if isinstance(given, str | Path):
            return [[str(path)] for path in self._folder(Path(given))]
        rows = [list(row) if _is_list(row) else [row] for row in given]
        for number, row in enumerate(rows, 1):
            if len(row) != len(self.filled):
                raise DeclarationError(
                    f"{self.where}: sample {number} has {len(row)} values for {len(self.filled)}"
                    f" inputs ({', '.join(node.where for node in self.filled)})."
                )
            for node, value in zip(self.filled, row, strict=True):
                self._check_value(node, value, number)
        if not rows:
            raise DeclarationError(f"{self.where}: there are no samples; leave it out.")
        return rows

    def _check_value(self, node: Component, value: object, number: int) -> None:
        """A sample is refused like a first value of its component, while the app is written."""
        if isinstance(node, State):
            raise DeclarationError(
                f"{self.where}: {node.where} is never shown, and has no samples."
            )
        if value is None or callable(value):
            return
        try:
            node.with_props({"value": value})
        except DeclarationError as error:
            raise DeclarationError(f"{self.where}: sample {number}: {error}") from error

    def _folder(self, path: Path) -> list[Path]:
        if not path.is_dir():
            raise DeclarationError(
                f"{self.where}: {str(path)!r} is not a folder (looked from {Path.cwd()}); pass a"
                " list of samples, or a folder of files."
            )
        if len(self.filled) != 1:
            raise DeclarationError(
                f"{self.where}: a folder has samples for one input, not for {len(self.filled)}."
            )
        found = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
        if not found:
            raise DeclarationError(f"{self.where}: the folder {str(path)!r} holds no files.")
        return found

    def _check(self) -> None:
        if self.cache not in (False, "eager", "lazy"):
            raise DeclarationError(
                f"{self.where}: cache_examples={self.cache!r} is unknown; choose True, False,"
                ' "eager" or "lazy".'
            )
        if (self.cache or self.run_on_click) and (self.fn is None or not self.made):
            what = "cache_examples" if self.cache else "run_on_click"
            raise DeclarationError(f"{self.where}: {what} needs fn and outputs.")
        if self.cache and any(isinstance(node, State) for node in self.made):
            raise DeclarationError(
                f"{self.where}: a State is each session's own; its results cannot be cached."
            )
        if self.per_page < 1:
            raise DeclarationError(f"{self.where}: examples_per_page must be 1 or more.")
        if self.example_labels and len(self.example_labels) != len(self.rows):
            raise DeclarationError(
                f"{self.where}: {len(self.example_labels)} example_labels for {len(self.rows)}"
                " samples."
            )


def cached(examples: Cache | None, mode: Literal["eager", "lazy"] | None) -> Cache:
    """What `cache_examples` and `cache_mode` ask for together."""
    if examples is True:
        return mode or "eager"
    return examples or False


def _components(given: Component | Sequence[Component] | None) -> list[Component]:
    if given is None:
        return []
    return [given] if isinstance(given, Component) else list(given)


def _index(chosen: SelectData) -> int:
    return cast(int, chosen.index)


def _own(value: object) -> object:
    """A session's own copy of what a function could change in place; sounds and files cannot."""
    return copy.deepcopy(value) if _is_list(value) or is_dict(value) else value


def _is_list(value: object) -> TypeGuard[list[Any]]:
    """Not a tuple: that is one value, such as (rate, array)."""
    return isinstance(value, list)


def _caption(value: object, node: Component) -> Json:
    """A value in a word or two."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | Path):
        return str(value).rstrip("/").rpartition("/")[2] if node.heavy else str(value)
    if is_listing(value) and not node.heavy:
        return ", ".join(str(each) for each in value)
    return node.type if node.heavy else str(value)
