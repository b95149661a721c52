"""What a listener can hang on: a port, a derived stream, or the end of another listener."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from .budgets import budgeted
from .durations import Time
from .errors import DeclarationError
from .graph import Declared, Graph, Hook, Node, building, nodes_of
from .listeners import ConcurrencyLimit, Options, ShowProgress, TriggerMode, name_of, options

if TYPE_CHECKING:
    from reactivex import Observable

Operator = Callable[["Observable[Any]"], "Observable[Any]"]
Function = Callable[..., Any]
Nodes = Node | Sequence[Node] | set[Any] | frozenset[Any] | None
"""A component, a list of them, or (inputs only) a set of them."""


class Dependency:
    """A listener that stands: chain on it, cancel it, or call its function.

    `then` fires after every end, and exactly one of `success`, `failure` and `cancelled` beside it
    (rule H1).
    """

    def __init__(self, graph: Graph, declared: Declared) -> None:
        self.graph = graph
        self.declared = declared
        self.then = After(self, "then")
        self.success = After(self, "success")
        self.failure = After(self, "failure")
        self.cancelled = After(self, "cancelled")

    @property
    def name(self) -> str:
        """What errors, traces and pictures call it: its api_name, else its function's name."""
        return self.declared.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, as if it were not decorated."""
        if self.declared.fn is None:
            raise TypeError(f"{self.name}: this listener has no function to call.")
        return self.declared.fn(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Dependency {self.name}>"


class Source(Hook):
    """Call it to declare a listener on it; leave `fn` out to use it as a decorator."""

    def __repr__(self) -> str:
        return f"<{self.where}>"

    def home(self) -> Graph:
        """The graph that its listeners belong to."""
        graph = building.get()
        if graph is None:
            raise DeclarationError(f"{self.where}: listeners are declared inside `with Blocks():`.")
        return graph

    @overload
    def __call__(
        self,
        fn: Literal["decorator"] = "decorator",
        inputs: Nodes = None,
        outputs: Nodes = None,
        **kwargs: Any,
    ) -> Callable[[Function], Dependency]: ...
    @overload
    def __call__(
        self,
        fn: Function | None,
        inputs: Nodes = None,
        outputs: Nodes = None,
        **kwargs: Any,
    ) -> Dependency: ...
    def __call__(
        self,
        fn: Function | None | Literal["decorator"] = "decorator",
        inputs: Nodes = None,
        outputs: Nodes = None,
        api_name: str | Literal[False] | None = None,
        scroll_to_output: bool = False,
        show_progress: ShowProgress | None = None,
        queue: bool | None = None,
        batch: bool = False,
        max_batch_size: int = 4,
        preprocess: bool = True,
        postprocess: bool = True,
        cancels: Dependency | Iterable[Dependency] | None = None,
        every: float | None = None,
        trigger_mode: TriggerMode | None = None,
        js: str | None = None,
        concurrency_limit: ConcurrencyLimit = "default",
        concurrency_id: str | None = None,
        show_api: bool = True,
        **more: Any,
    ) -> Dependency | Callable[[Function], Dependency]:
        """Call `fn` whenever this fires.

        fn: takes one value per input and returns one per output; a generator shows each yield.
            None runs only `js` or `cancels`. Left out: a decorator.
        inputs: components whose values are passed in order; a set passes one dict, keyed by
            component.
        outputs: components that the returned values go to.
        api_name: the listener's name for programs; False hides it from them.
        scroll_to_output: bring the first output into view at the end.
        show_progress: "full" (over the outputs), "minimal" (a timer), "hidden".
        queue: False skips waiting and the limit (rule Q5); None takes the app's setting.
        batch, max_batch_size: `fn` gets one list per input with up to so many requests, and
            returns a tuple of lists, one per output (rules B1-B5).
        preprocess, postprocess: False hands `fn` the stored value, or stores what it returns.
        cancels: listeners whose pending work of this session ends first (rules C1-C4).
        every: seconds; after its trigger it runs again at every multiple (rule M1).
        trigger_mode: "once", "multiple", "always_last" or "restart" (rules T1-T4).
        js: a JavaScript function that runs in the page first, with the values of inputs and
            outputs; what it returns are the inputs. With fn=None the outputs, at once (rule J1).
        concurrency_limit: how many may run at once; None is no limit.
        concurrency_id: listeners that share an id share a line and its lowest limit.
        show_api: False leaves it out of the listing for programs.
        budget: of a `stream` whose outputs stream: how late sound may be from microphone to
            speaker, like "60 ms".
        Also: stream_every, time_limit (seconds), batch_window (seconds a batch may wait to fill),
            interrupt (cancel stops a running async function), on_disconnect ("cancel", "finish"),
            and for a stream that comes faster than `fn` takes it on_overload: "drop_oldest",
            "latest", "coalesce" (what waits becomes one longer chunk), "block" or "error".

        Raises DeclarationError if it cannot work as written. Warns (OptionWarning) of an option
        that the peer takes, too, and that does nothing at this event.
        """
        made = options(
            self.where,
            {
                "api_name": api_name,
                "scroll_to_output": scroll_to_output,
                "show_progress": show_progress,
                "queue": queue,
                "batch": batch,
                "max_batch_size": max_batch_size,
                "preprocess": preprocess,
                "postprocess": postprocess,
                "every": every,
                "trigger_mode": trigger_mode,
                "js": js,
                "concurrency_limit": concurrency_limit,
                "concurrency_id": concurrency_id,
                "show_api": show_api,
                **more,
            },
        )
        return listen((self,), fn, inputs, outputs, cancels, made)


class Port(Source):
    """One event stream of one node: `audio.change`. Made by the class attribute `event(...)`."""

    def __init__(self, node: Node, port: str) -> None:
        self.node = node
        self.port = port

    @property
    def where(self) -> str:
        return f"{self.node.where}.{self.port}"

    def home(self) -> Graph:
        graph = building.get() or self.node.graph
        if graph is None:
            raise DeclarationError(f"{self.where}: listeners are declared inside `with Blocks():`.")
        return graph

    def pipe(self, *operators: Operator) -> Derived:
        """A new trigger: this stream through Rx operators, once per session (rule E8).

        Operators that need time get the session's clock; do not give them a scheduler.
        """
        return Derived(self, operators)

    def to(self, node: Node, *, budget: Time | None = None) -> None:
        """Let this stream of sound be heard at `node` as it comes; see `Derived.to`."""
        Derived(self, ()).to(node, budget=budget)


class Derived(Source):
    """A port's events through Rx operators. What comes out, whatever it is, triggers."""

    derived = True

    def __init__(self, base: Port, operators: tuple[Operator, ...]) -> None:
        for each in operators:
            if not callable(each):
                raise DeclarationError(
                    f"{base.where}.pipe(): {each!r} is no operator; give Rx operators, like"
                    " ops.debounce(0.3), or those of ossicle.sound."
                )
        self.base = base
        self.operators = operators
        self.port = base.port

    @property
    def where(self) -> str:
        return f"{self.base.where}.pipe(...)"

    def home(self) -> Graph:
        return self.base.home()

    def pipe(self, *operators: Operator) -> Derived:
        return Derived(self.base, (*self.operators, *operators))

    @property
    def follows(self) -> tuple[Node, ...]:
        """Components whose values its operators read while they run."""
        return tuple(node for each in self.operators for node in getattr(each, "follows", ()))

    def adopt(self, graph: Graph) -> None:
        """Let a graph know the components that it follows."""
        for node in self.follows:
            graph.adopt(node)

    def to(self, node: Node, *, budget: Time | None = None) -> None:
        """Let the sound that comes out be heard at `node` as it comes.

        The shortest way from a microphone to a speaker: no function, no queue, no thread; what is
        late is dropped. When the recording ends, all that was made becomes the node's value. The
        operators run where the app's loop runs, so they may take far less time than the sound
        lasts; where they take longer, sound is left out before them.

        budget: "60 ms", how late the sound may be from microphone to speaker. Raises BudgetError
        where what is known beforehand takes more; what is measured beyond it is told and counted.
        Raises DeclarationError unless this is the `stream` of one node and `node` another that
        streams.
        """
        graph = self.home()
        if self.port != "stream":
            raise DeclarationError(f"{self.where}: only a `stream` is sound that can be heard.")
        if not node.streaming or node is self.base.node:
            raise DeclarationError(
                f"{self.where}.to({node.where}): give another component, with streaming=True."
            )
        graph.adopt(self.base.node)
        graph.adopt(node)
        self.adopt(graph)
        if budget is not None:
            where = f"{self.where}.to({node.where})"
            made = budgeted(where, budget, self.base.node, self.operators)
            graph.budgets.append((node, made))
        graph.edges.append((self, node))


class After(Source):
    """The end of another listener: `dep.then`, `dep.success`, `dep.failure`, `dep.cancelled`."""

    def __init__(self, dependency: Dependency, port: str) -> None:
        self.dependency = dependency
        self.port = port

    @property
    def where(self) -> str:
        return f"{self.dependency.name}.{self.port}"

    def home(self) -> Graph:
        now, own = building.get(), self.dependency.graph
        return now if now and now.sees(own) else own


class event:
    """Declares a port on a node class; on an instance it is the `Port`."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc
        self.name = ""

    def __set_name__(self, owner: type[Node], name: str) -> None:
        self.name = name
        owner.ports = (*owner.ports, name)

    @overload
    def __get__(self, node: None, owner: type[Node]) -> event: ...
    @overload
    def __get__(self, node: Node, owner: type[Node]) -> Port: ...
    def __get__(self, node: Node | None, owner: type[Node]) -> event | Port:
        return self if node is None else Port(node, self.name)


def listen(
    sources: tuple[Source, ...],
    fn: Function | None | Literal["decorator"],
    inputs: Nodes,
    outputs: Nodes,
    cancels: Dependency | Iterable[Dependency] | None,
    made: Options,
    where: str = "",
) -> Dependency | Callable[[Function], Dependency]:
    """Declare now, or return the decorator that will. where: how errors call it."""
    where = where or sources[0].where

    def declare(function: Function | None) -> Dependency:
        if function is not None and not callable(function):
            raise DeclarationError(f"{where}: fn must be callable, not {function!r}.")
        graph = sources[0].home()
        for source in sources:
            port = source.base if isinstance(source, Derived) else source
            if isinstance(port, Port):
                graph.adopt(port.node)
                if isinstance(source, Derived):
                    source.adopt(graph)
                if port.node.graph is graph:
                    port.node.heard(port.port)
        ended = tuple(each.declared for each in _dependencies(where, cancels))
        declared = graph.listen(sources, function, inputs, outputs, ended, made, where)
        if made.budget is not None:
            _budget(graph, declared, made.budget)
        return Dependency(graph, declared)

    if fn == "decorator":
        return declare
    return declare(fn)


def _dependencies(where: str, given: object) -> Iterable[Dependency]:
    several = isinstance(given, Iterable) and not isinstance(given, str)
    for each in cast("Iterable[object]", given if several else [given]):
        if isinstance(each, Dependency):
            yield each
        elif each is not None:
            what = name_of(each) if inspect.isroutine(each) else repr(each)
            raise DeclarationError(
                f"{where}: cancels: {what} is no listener; give what declaring one"
                " returned, like run = button.click(...)."
            )


def _budget(graph: Graph, declared: Declared, budget: Time) -> None:
    """How late what a listener makes of a stream may be where it is heard."""
    outputs = [node for node in declared.outputs if node.streaming]
    streams = [each for each in declared.sources if each.port == "stream"]
    if not outputs or not streams:
        raise DeclarationError(
            f"{declared.name}: budget={budget!r} is for a `stream` whose output is heard; give"
            " it an output with streaming=True."
        )
    for each in streams:
        if isinstance(each, Derived):
            made = budgeted(declared.name, budget, each.base.node, each.operators)
        else:
            assert isinstance(each, Port)
            every = declared.options.stream_every
            made = budgeted(declared.name, budget, each.node, every=every)
        graph.budgets += [(node, made) for node in outputs]


def on(
    triggers: Source | Sequence[Source] | None = None,
    fn: Function | None | Literal["decorator"] = "decorator",
    inputs: Nodes = None,
    outputs: Nodes = None,
    *,
    cancels: Dependency | Iterable[Dependency] | None = None,
    **given: Any,
) -> Any:
    """One listener on several triggers. Without triggers: the change of every input, and load.

    Options are those of a port's own call; a request pends for the listener, not for the trigger.
    """
    if triggers is None:
        graph = building.get()
        if graph is None:
            raise DeclarationError("on(): listeners are declared inside `with Blocks():`.")
        sources = changes_and_load("on()", graph, inputs)
    else:
        sources = sources_of("on()", triggers)
    where = "on()" if triggers is None else sources[0].where
    return listen(sources, fn, inputs, outputs, cancels, options(where, given), where)


def changes_and_load(where: str, graph: Graph, inputs: object) -> tuple[Source, ...]:
    """The triggers of what follows its inputs: the change of each, and the page that opens."""
    nodes = nodes_of(where, "inputs", inputs)
    return (*(Port(node, "change") for node in nodes), Port(graph.root, "load"))


def sources_of(where: str, triggers: object) -> tuple[Source, ...]:
    """Triggers as they were written, one or several. Raises DeclarationError naming `where`."""
    listed: Collection[object] = (triggers,)
    if isinstance(triggers, Collection) and not isinstance(triggers, str):
        listed = cast("Collection[object]", triggers)
    found = list[Source]()
    for each in listed:
        if not isinstance(each, Source):
            raise DeclarationError(
                f"{where}: {each!r} is no trigger; give events of components, like button.click."
            )
        found.append(each)
    if not found:
        raise DeclarationError(
            f"{where}: give at least one trigger, like [button.click], or leave triggers out."
        )
    return tuple(found)
