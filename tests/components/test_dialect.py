"""Apps written for the peer: only the import line changes, or an error says what to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ossicle as oc
from ossicle.components.aliases import ABSENT
from ossicle.flow.graph import Place
from ossicle.testing import Lab


def test_what_happens_anyway_is_accepted() -> None:
    """Arguments that ask for nothing beyond what we do are no reason to refuse an app."""
    with oc.Blocks(analytics_enabled=False, mode="blocks", delete_cache=(60, 60)) as demo:
        with oc.Tabs(elem_id="tabs", elem_classes="wide"), oc.TabItem("A", render_children=True):
            text = oc.Text(preserved_by_key="value", autoscroll=True, buttons=["copy"])
        button = oc.Button("Go")
        button.click(str, text, text, api_visibility="private", key="k", validator=None)
    demo.queue(api_open=False, status_update_rate="auto")
    (only,) = demo.listeners
    assert only.options.api_name is False


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: oc.Label(color="red"), "Label: color='red': give it an elem_id, and use css."),
    (lambda: oc.Textbox(label="T", html_attributes={}), "Textbox 'T': html_attributes={}"),
    (lambda: oc.Textbox(lable="T"), "'lable' is not an option here; did you mean 'label'?"),
    (lambda: oc.State(0, time_to_live=60), "State: time_to_live=60: a State lives as long as"),
    (lambda: oc.Row(variant="wide"), "variant='wide' is unknown"),  # type: ignore[arg-type]  # on purpose
    (lambda: oc.Textbox(buttons=["share"]), "buttons has 'share'; choose from copy."),
    (lambda: oc.ClearButton("Wipe"), "'Wipe' is no component; for the text on it write"),  # type: ignore[arg-type]  # on purpose
    (lambda: oc.Dataframe(interactive=True), "Dataframe: interactive=True: a table is for reading"),
    (lambda: oc.Image(sources=["scanner"]), "sources has 'scanner'; choose from upload, webcam"),
    (lambda: oc.Image(webcam_options={"fps": 3}), "has more than mirror and constraints"),
    (lambda: oc.Markdown(latex_delimiters=[{"left": "$"}]), "latex_delimiters has {'left': '$'}"),
    (lambda: oc.Audio(lable="S"), "'lable' is not an option here; did you mean 'label'?"),
    (lambda: oc.Textbox(streaming=True), "streaming=True: only Audio streams."),
    (lambda: oc.Blocks(theme="acme/sand"), "theme='acme/sand' is unknown; choose base, citrus,"),
    (lambda: oc.Blocks().queue(concurrency_count=3), "write default_concurrency_limit."),
    (lambda: oc.Blocks().launch(share=True), "launch: share=True: no tunnel"),
    (lambda: oc.Blocks().launch(allow="*"), "did you mean 'allowed_hosts'?|it takes"),
    (lambda: oc.Blocks().launch(csspath="a.css"), "did you mean 'css_paths'?"),
    (lambda: oc.Blocks().queue(maxsize=3), "did you mean 'max_size'?"),
    (
        lambda: oc.Interface(str, "text", "text", flaging_mode="never"),
        "Interface: 'flaging_mode' is not an option here; did you mean 'flagging_mode'?",
    ),
    (lambda: oc.themes.Soft(primary_hue="beige"), "primary_hue='beige'; choose red,"),
    (lambda: oc.themes.Soft().set(block_shadow="none"), "'block-shadow' is not one of its"),
]


@pytest.mark.parametrize(("write", "words"), REFUSED, ids=[words[:24] for _, words in REFUSED])
def test_what_is_not_done_is_refused_with_the_way_out(write: Callable[[], Any], words: str) -> None:
    """An app never runs on as if an argument had been heard that was not."""
    made: Any = None
    with pytest.raises(oc.DeclarationError) as said:
        made = write()
        if isinstance(made, oc.themes.Theme):
            made.variables()
    assert any(each in str(said.value) for each in words.split("|")), said.value


def test_a_password_is_never_repeated() -> None:
    """The error for auth= may end in a log."""
    with pytest.raises(oc.DeclarationError, match="it knows no users") as said:
        oc.Blocks().launch(auth=("admin", "hunter2"))
    assert "hunter2" not in str(said.value)


def test_names_that_we_do_not_have_say_what_to_use() -> None:
    """hasattr() still tells the truth; the error is for people."""
    with pytest.raises(AttributeError, match="use Examples"):
        _ = oc.Dataset
    assert not hasattr(oc, "Chatbot")
    with pytest.raises(AttributeError, match="use Tabs"):
        oc.Blocks().route("Second")
    assert not [name for name in ABSENT if hasattr(oc, name)]


def test_a_property_that_is_accepted_survives_an_update() -> None:
    """A component that a function returns is made again with what it was written with."""

    def renamed(_: str) -> oc.Textbox:
        return oc.Textbox(label="New")

    with oc.Blocks() as demo:
        text = oc.Textbox(preserved_by_key="value", buttons=["copy"], text_align="right")
        text.change(renamed, text, text)
    with Lab(demo) as lab:
        lab.input(text, "a")
        assert lab.props(text)["label"] == "New"
        assert (lab.props(text)["buttons"], lab.props(text)["text_align"]) == (["copy"], "right")


def test_a_value_that_a_timer_renews() -> None:
    """every=Timer: the function runs at the load and at each tick, at the timer's own pace."""
    calls = iter(range(100))
    with oc.Blocks() as demo:
        timer = oc.Timer(2)
        number = oc.Number(lambda: next(calls), every=timer)
    with Lab(demo) as lab:
        lab.run(5)
        assert lab.value(number) == 2
    with oc.Blocks(), pytest.raises(oc.DeclarationError, match="give seconds, or a Timer"):
        oc.Number(lambda: 1, every=oc.Textbox())


def test_a_slider_by_chance_starts_on_one_of_its_steps() -> None:
    """randomize: another value for each page, and never one between steps."""
    with oc.Blocks() as demo:
        slider = oc.Slider(0, 1, step=0.1, randomize=True)
    found = set[float]()
    for _ in range(12):
        with Lab(demo) as lab:
            found.add(lab.value(slider))
    assert len(found) > 1
    assert all(round(each * 10) / 10 == each for each in found)


def _tree(place: Place) -> Any:
    name = getattr(place.node, "label", None) or getattr(place.node, "value", None)
    return [name or place.node.type, [_tree(each) for each in place.children]]


def test_an_interface_stands_where_it_is_written() -> None:
    """Inside another Blocks it takes its place, and its components theirs in it, by itself."""

    def shout(text: str) -> str:
        return text.upper()

    with oc.Blocks() as demo:
        with oc.Tab("Shout"):
            inner = oc.Interface(shout, oc.Textbox(label="Words"), "text", clear_btn=None)
        with oc.Tab("Empty") as empty:
            pass
    (tabs,) = demo.layout.children
    shouting, _ = tabs.children
    ((_, (row,)),) = (_tree(each) for each in shouting.children)
    assert row[1][0][1][0][0] == "Words"
    with Lab(demo) as lab:
        words, out = inner.input_components[0], inner.output_components[0]
        lab.act(words, "submit", "hey")
        assert lab.value(out) == "HEY"
    demo.begin()
    with empty:
        inner.render()
    demo.end()
    assert [len(each.children) for each in tabs.children] == [0, 1]


def test_themes_read_well_in_every_hue() -> None:
    """All colours that text is set in or on come as a light and a dark one of fixed lightness."""
    for name in oc.themes.NAMED:
        variables = oc.Blocks(theme=name).theme
        assert variables["accent"].startswith("light-dark(oklch(0.48 ")
        assert set(variables) <= oc.themes.VARIABLES
    assert (
        oc.Blocks(theme=oc.themes.Soft(font=["Inter", "sans-serif"]))
        .theme["font"]
        .startswith("Inter, sans-serif")
    )
    assert oc.themes.Glass().set(accent="#c00").variables()["accent"] == "#c00"


def test_the_themes_page_has_the_variables_of_the_style_sheet() -> None:
    """What a theme may set is what the page has."""
    sheet = Path(__file__).parents[2] / "web" / "src" / "theme.css"
    if not sheet.is_file():
        pytest.fail("web/src/theme.css is not where the tests are")
    declared = {
        line.strip()[2:].partition(":")[0]
        for line in sheet.read_text("utf-8").splitlines()
        if line.strip().startswith("--")
    }
    assert oc.themes.VARIABLES <= declared


def test_tabs_without_tabs_around_them_share_one() -> None:
    """`with Tab(...)` needs no Tabs; something in between begins new ones."""
    with oc.Blocks() as demo:
        with oc.Tab("A"):
            oc.Textbox(label="in A")
        with oc.Tab("B"), oc.Tab("inner"):
            pass
        oc.Markdown("between")
        with oc.Tab("C"):
            pass
    first, _, last = map(_tree, demo.layout.children)
    assert first == ["tabs", [["A", [["in A", []]]], ["B", [["tabs", [["inner", []]]]]]]]
    assert last == ["tabs", [["C", []]]]


def test_who_listens_to_a_stream_need_not_ask_for_one() -> None:
    """`audio.stream(fn)` makes the recorder send while it records, as streaming=True does."""
    with oc.Blocks() as demo:
        sound = oc.Audio()
        sound.stream(repr, sound, None)
        silent = oc.Audio(label="Silent", streaming=False)
        with pytest.raises(oc.DeclarationError, match="'Silent': streaming=False, so `stream`"):
            silent.stream(repr, silent, None)
        with pytest.raises(oc.DeclarationError, match="needs the microphone"):
            oc.Audio(sources="upload").stream(dict)
    with Lab(demo) as lab:
        assert (lab.props(sound)["streaming"], lab.props(sound)["sources"]) == (
            True,
            ["microphone"],
        )


def test_what_nobody_wrote_a_value_for_can_be_changed() -> None:
    """Without a listener, a first value that was written is for reading; an implied one is not."""
    with oc.Blocks() as demo:
        nodes = [oc.Dropdown(["a"]), oc.Slider(0, 9), oc.Dropdown(["a"], "a"), oc.Slider(0, 9, 3)]
    with Lab(demo) as lab:
        assert [lab.props(node)["interactive"] for node in nodes] == [True, True, False, False]


@pytest.mark.parametrize(
    ("cls", "name", "says"),
    [
        (oc.File, "delete", "`input` tells"),
        (oc.Files, "delete", "`input` tells"),
        (oc.Image, "stream", "from Audio"),
        (oc.Markdown, "copy", "Textbox"),
        (oc.Dataframe, "edit", "for reading"),
        (oc.HTML, "click", "take a Button"),
    ],
)
def test_an_event_that_is_not_ours_says_what_there_is(cls: Any, name: str, says: str) -> None:
    """And it is no attribute to whoever asks with hasattr."""
    node = cls(label="Mine")
    assert not hasattr(node, name)
    with pytest.raises(AttributeError, match=f"'Mine': there is no event '{name}' here.*{says}"):
        getattr(node, name)
    with pytest.raises(AttributeError, match="has no attribute 'clicked'"):
        _ = node.clicked
