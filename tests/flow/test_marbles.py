"""Marbles: one grammar, read and drawn."""

import doctest

import pytest
import reactivex
import reactivex.operators as ops
from hypothesis import given
from hypothesis import strategies as st

from ossicle.flow import marble_streams, marbles
from ossicle.flow.marbles import MarbleError, Mark, draw, draw_rows, parse
from ossicle.flow.testing import VirtualClock
from ossicle.testing import Marbles

NAMES = st.characters(exclude_characters="-() \t\n", categories=("L", "N", "P", "S"))


@pytest.mark.parametrize("module", [marbles, marble_streams])
def test_examples_run(module: object) -> None:
    """What the documentation shows is what happens."""
    done = doctest.testmod(module)  # pyright: ignore[reportArgumentType]
    assert done.attempted > 0
    assert done.failed == 0


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("a", [0.0]),
        ("-a", [0.1]),
        ("---a", [0.3]),
        ("a-b", [0.0, 0.2]),
        ("(ab)c", [0.0, 0.0, 0.1]),
        ("- (a b) - c", [0.1, 0.1, 0.3]),
        ("5s a", [5.0]),
        ("a 5s b", [0.0, 5.1]),
        ("20ms a 1.5s b", [0.02, 1.62]),
        ("1h a 2m b 250us c", [3600.0, 3720.1, 3720.20025]),
        ("-5s-", [0.1, 0.2]),  # without spaces around it, it is two marks
        ("-|", [0.1]),
        ("", []),
    ],
)
def test_times(text: str, times: list[float]) -> None:
    """Dashes, marks and groups are a frame each; time between spaces is what it says."""
    assert [mark.at for mark in parse(text)] == times


def test_a_frame_is_an_argument() -> None:
    """`frame=` says how long a character is, exactly: no sum of floats drifts."""
    assert parse("-" * 1000 + "a", frame=0.02).marks == (Mark(20.0, "a", "a"),)


def test_values_stand_behind_marks() -> None:
    """A mark is what `values` says, else its own character."""
    assert [mark.value for mark in parse("-a-b|", {"a": 1})] == [1, "b", "|"]


def test_pictures_compare_without_their_spaces() -> None:
    """Spaces align; they mean nothing."""
    assert parse("-(ab)-  -c") == parse("- (ab) --c")
    assert parse("-a-") != parse("-a--")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-(a(b))", "a group begins inside a group, at 3"),
        ("-a)", "ends a group that never began"),
        ("-(ab", "the group that begins at 1 never ends"),
        ("(a-b)", "no time passes inside a group: '-' at 2"),
    ],
)
def test_bad_pictures_say_where(text: str, says: str) -> None:
    """What cannot be read is named with its place."""
    with pytest.raises(MarbleError, match=says.replace("(", r"\(")):
        parse(text)


@given(
    st.lists(st.tuples(st.integers(0, 400), NAMES), max_size=12),
    st.sampled_from([0.1, 0.02, 1.0, 0.001]),
)
def test_what_is_drawn_is_read_back(marks: list[tuple[int, str]], frame: float) -> None:
    """Drawing and reading are inverse, for every frame, mark and gap."""
    given_marks = sorted(((n * frame, name) for n, name in marks), key=lambda pair: pair[0])
    text = draw(given_marks, frame=frame)
    found = [(round(mark.at, 6), mark.name) for mark in parse(text, frame=frame)]
    assert found == [(round(at, 6), name) for at, name in given_marks]


@given(
    st.dictionaries(
        st.sampled_from(["in", "out", "third"]),
        st.lists(st.tuples(st.integers(0, 60), NAMES), max_size=8),
    )
)
def test_rows_are_aligned_and_each_can_be_read(rows: dict[str, list[tuple[int, str]]]) -> None:
    """One instant is one column; a row by itself is a picture of the same times."""
    plain = {
        name: sorted(((n / 100, mark) for n, mark in marks), key=lambda pair: pair[0])
        for name, marks in rows.items()
    }
    drawn = draw_rows(plain, frame=0.01)
    width = max(map(len, plain), default=0) + 2
    for marks, line in zip(plain.values(), drawn.splitlines(), strict=False):
        assert [(m.at, m.name) for m in parse(line[width:], frame=0.01)] == marks


def test_rows_find_a_frame_that_fits() -> None:
    """Two instants 20 ms apart are drawn with a frame that separates them."""
    assert draw_rows({"a": [(0.0, "x"), (0.02, "y")]}) == "a  xy"
    with pytest.raises(MarbleError, match=r"closer than a frame of 0\.1 s, near 0\.02 s"):
        draw([(0.0, "x"), (0.02, "y")])


def test_long_gaps_are_drawn_as_time() -> None:
    """An hour is not 36,000 dashes."""
    assert draw([(0.0, "a"), (3600.0, "b")]) == "a 3599.9s b"
    assert draw([(0.05, "a"), (0.1525, "b")]) == "50ms a 2.5ms b"


def test_a_mark_is_one_character() -> None:
    """Names that could not be read back are refused."""
    for name in ("ab", "-", "(", " "):
        with pytest.raises(MarbleError, match="is not one character"):
            draw([(0.0, name)])


# -- streams -----------------------------------------------------------------------------------


def test_cold_plays_from_each_subscription() -> None:
    """Two subscribers at two times see the same picture."""
    marbles = Marbles()
    source = marbles.cold("-a-b|")
    first = marbles.watch(source)
    marbles.clock.run_until(1.0)
    second = marbles.watch(source)
    marbles.clock.run_until(2.0)
    assert str(first) == str(second) == "-a-b|"


def test_hot_plays_whether_or_not_anybody_listens() -> None:
    """Who comes late misses the beginning."""
    marbles = Marbles()
    source = marbles.hot("-a-b-c|")
    marbles.clock.run_until(0.2)
    late = marbles.watch(source)
    marbles.clock.run_until(1.0)
    assert [(round(mark.at, 9), mark.name) for mark in late.marks] == [
        (0.1, "b"),
        (0.3, "c"),
        (0.4, "|"),
    ]


def test_errors_and_leaving_are_marks() -> None:
    """`#` is an error, `^` the subscriber's leaving."""
    marbles = Marbles()
    failed = marbles.watch(marbles.cold("-a#", error=ValueError("x")))
    left = marbles.watch(marbles.cold("-a-b-c|"), dispose="--  --^")
    marbles.clock.run_until(1.0)
    assert str(failed) == "-a#"
    assert isinstance(failed.error, ValueError)
    assert str(left) == "-a-b^"


def test_operators_get_the_clock() -> None:
    """Operators that need time take virtual time, without being told."""
    marbles = Marbles()
    assert marbles.through(ops.throttle_first(0.3), "-abcdef-|") == "-a--d---|"
    assert marbles.through(ops.delay(0.1), "-a-b|") == "--a-b|"
    assert marbles.through(ops.map(str.upper), "-a-b--", {}) == "-A-B--"


def test_an_operators_own_error_is_raised() -> None:
    """A bug in an operator is no `#` of the picture."""
    with pytest.raises(ZeroDivisionError):
        Marbles().through(ops.map(lambda _: 1 / 0), "-a-|")


def test_expect_shows_both_pictures() -> None:
    """A test that fails says what came, below what was expected."""
    marbles = Marbles()
    marbles.expect(marbles.cold("-a-b|").pipe(ops.take(1)), "-(a|)")
    with pytest.raises(MarbleError, match=r"is no stream that can be watched; an operator gives"):
        marbles.through(ops.debounce, "-a|")  # type: ignore[arg-type]  # its call was forgotten
    with pytest.raises(ValueError, match=r"run_until\(-1\): it is .* s; time goes forward"):
        marbles.clock.run_until(-1)
    with pytest.raises(AssertionError) as caught:
        marbles.expect(marbles.cold("-a--b|"), "-a-b-|")
    assert str(caught.value).splitlines() == ["expected  -a-b-|", "came      -a--b|"]


def test_values_without_a_character_are_named() -> None:
    """What cannot be drawn is said, with the way out."""
    marbles = Marbles(VirtualClock())
    seen = marbles.watch(reactivex.of(42))
    marbles.clock.run_until(0.0)
    assert seen.came == [(0.0, 42)]
    with pytest.raises(MarbleError, match=r"42 came, .* values=\{'x': 42\}"):
        str(seen)


def test_pictures_that_cannot_be_played_are_refused() -> None:
    """Nothing comes after an end, and a source does not leave itself."""
    for text in ("-|a", "#-a", "-a-^"):
        with pytest.raises(MarbleError):
            Marbles().cold(text)
