"""`app.explain()`: the plan after all defaults, as a table and as pictures."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import reactivex.operators as ops

import ossicle as oc
from ossicle import sound

SVG = "{http://www.w3.org/2000/svg}"


def work(text: str) -> str:
    return text


def batch(texts: list[str]) -> tuple[list[str]]:
    return (texts,)


def keep(items: list[str]) -> list[str]:
    return items


def tick() -> None:
    pass


def app() -> oc.Blocks:
    with oc.Blocks(title="Many rules") as demo:
        text, out = oc.Textbox(label="In"), oc.Textbox(label="Out")
        go, stop, items = oc.Button(label="Go"), oc.Button(label="Stop"), oc.State([])
        mic, timer = oc.Microphone(label="Mic", streaming=True), oc.Timer(5)
        first = go.click(work, text, out, concurrency_id="model", concurrency_limit=3)
        go.click(batch, text, out, batch=True, max_batch_size=8, batch_window=0.5,
                 concurrency_id="model", concurrency_limit=2)  # fmt: skip
        text.change(work, text, out)
        first.then(keep, items, items, on_disconnect="finish")
        stop.click(None, cancels=[first])
        mic.stream(tick, stream_every=0.1, time_limit=60)
        text.change.pipe(ops.debounce(1.0))(tick, every=10)
        timer.tick(tick, queue=False)
        oc.on([go.click, text.submit], work, {text}, out, trigger_mode="restart")
    return demo.queue(default_concurrency_limit=4, max_size=20)


def test_every_default_is_told() -> None:
    """What was left out is there as what it will be."""
    by_name = {each.name: each for each in app().explain().listeners}
    assert list(by_name) == [
        "work", "batch", "work_1", "keep", "cancel", "tick", "tick_1", "tick_2", "work_2"
    ]  # fmt: skip
    assert (by_name["work"].mode, by_name["work"].line, by_name["work"].limit) == (
        "once",
        "model",
        2,  # the lowest of all who share the line (rule Q2)
    )
    assert (by_name["batch"].batch, by_name["batch"].window) == (8, 0.5)
    assert (by_name["work_1"].mode, by_name["work_1"].limit) == ("always_last", 4)
    assert by_name["work_1"].line == "its own"
    assert by_name["keep"].triggers == ("work.then",)
    assert by_name["keep"].notes == (
        f"one at a time per session for {by_name['keep'].inputs[0]}",
        "on_disconnect=finish",
    )
    assert by_name["cancel"].cancels == ("work",)
    assert by_name["tick"].mode == "multiple"
    assert by_name["tick"].notes == (
        "chunks of 0.1 s",
        "20 wait at most, then the oldest is dropped",
        "at most 60 s",
    )
    assert by_name["tick_1"].every == 10
    assert by_name["tick_1"].triggers == ("Textbox 'In'.change.pipe(...)",)
    assert (by_name["tick_2"].line, by_name["tick_2"].limit) == ("", None)
    assert by_name["work_2"].mode == "restart"
    assert by_name["work_2"].triggers == ("Button 'Go'.click", "Textbox 'In'.submit")
    assert by_name["work_2"].inputs == ("Textbox 'In'",)
    assert by_name["work_2"].outputs == ("Textbox 'Out'",)


def test_the_table_can_be_read() -> None:
    """A head, a row for each listener, columns that say something, no trailing spaces."""
    lines = str(app().explain()).splitlines()
    assert lines[:3] == [
        "Many rules: 9 listeners in 7 lines",
        "queue: 4 where a listener names no limit, at most 20 may wait",
        lines[2],
    ]
    assert re.fullmatch(
        r"timer: Timer \d+ ticks every 5 s while its session is connected", lines[2]
    )
    table = lines[4:]
    begins = [match.start() for match in re.finditer(r"-+", table[1])]
    row = next(line for line in table if line.startswith("batch"))
    cells = [row[a:b].strip() for a, b in zip(begins, [*begins[1:], None], strict=True)]
    heads = [table[0][a:b].strip() for a, b in zip(begins, [*begins[1:], None], strict=True)]
    assert dict(zip(heads, cells, strict=True)) == {
        "listener": "batch",
        "triggers": "Button 'Go'.click",
        "mode": "once",
        "line": "model",
        "at once": "2",
        "batch": "up to 8, waits 0.5 s",
        "every": "",
        "cancels": "",
        "inputs": "Textbox 'In'",
        "outputs": "Textbox 'Out'",
        "notes": "",
    }
    assert [line for line in lines if line != line.rstrip()] == []


def test_columns_that_say_nothing_are_left_out() -> None:
    """A small app has a small table."""
    with oc.Blocks() as demo:
        oc.Button(label="Go").click(tick)
    assert str(demo.explain()).splitlines()[3].split() == [
        "listener", "triggers", "mode", "line", "at", "once"
    ]  # fmt: skip
    with oc.Blocks() as empty:
        pass
    assert "0 listeners in 0 lines" in str(empty.explain())
    ElementTree.fromstring(empty.explain().to_svg())


def test_mermaid_names_what_leads_where() -> None:
    """Triggers and outputs are arrows, inputs and cancels dotted; quotes are escaped."""
    with oc.Blocks() as demo:
        text, go = oc.Textbox(label='The "text"'), oc.Button(label="Go")
        first = go.click(work, text, text)
        go.click(None, cancels=[first])
    assert demo.explain().to_mermaid().splitlines() == [
        "flowchart LR",
        "  n1[\"Textbox 'The #quot;text#quot;'\"]",
        "  n2[\"Button 'Go'\"]",
        '  l0(["work<br/>once"])',
        '  l1(["cancel<br/>once"])',
        '  n2 -->|"click"| l0',
        "  n1 -.-> l0",
        "  l0 --> n1",
        '  n2 -->|"click"| l1',
        '  l1 -.->|"cancels"| l0',
    ]


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    root = ElementTree.fromstring(svg)
    return [
        (float(r.get("x", 0)), float(r.get("y", 0)), float(r.get("width", 0)),
         float(r.get("height", 0)))
        for r in root.iter(f"{SVG}rect")
    ]  # fmt: skip


def test_svg_boxes_do_not_overlap_and_lie_inside() -> None:
    """Cycles and long chains too: each box has its own place in the image."""
    demo = app()
    with demo:
        ring = [oc.Textbox(label=f"ring {n}") for n in range(6)]
        for n, each in enumerate(ring):
            each.change(work, each, ring[(n + 1) % 6])
        ring[0].submit(work, ring[0], ring[0])
    svg = demo.explain().to_svg()
    root = ElementTree.fromstring(svg)
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    found = boxes(svg)
    assert len(found) == 7 + 9 + 6 + 7
    for n, (x, y, w, h) in enumerate(found):
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for x2, y2, w2, h2 in found[:n]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    words = [each for each in root.findall(f"{SVG}text") if each.text]
    taken = list(found)
    for each in words:  # a character is 7.3 wide; what stands in boxes is not among them
        w = 7.3 * len(each.text or "")
        x, y = float(each.get("x", 0)) - w / 2, float(each.get("y", 0)) - 9
        for x2, y2, w2, h2 in taken:
            assert x + w <= x2 or x2 + w2 <= x or y + 10 <= y2 or y2 + h2 <= y
        taken.append((x, y, w, 10.0))
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert {"submit", "click", "then", "cancels", "model: 2 at once"} & set(texts)


def test_the_command_tells_and_draws(tmp_path: Path) -> None:
    """`ossicle graph app.py` prints the table, or Mermaid, or writes an SVG."""
    (tmp_path / "app.py").write_text(
        "import ossicle as oc\n"
        "with oc.Blocks() as demo:\n"
        "    go, out = oc.Button(label='Go'), oc.Textbox(label='Out')\n"
        "    go.click(lambda: 'x', None, out)\n"
    )

    def graph(*options: str) -> str:
        command = [sys.executable, "-m", "ossicle", "graph", "app.py", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Button 'Go'.click" in graph()
    assert graph("--mermaid").startswith("flowchart LR\n")
    assert graph("--svg", "graph.svg") == "graph.svg holds the graph\n"
    assert len(boxes((tmp_path / "graph.svg").read_text())) == 3
    command = [sys.executable, "-m", "ossicle", "graph", "app.py", "--svg", "none/graph.svg"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ossicle: none/graph.svg cannot be written: No such file")


def test_what_happens_to_live_sound_that_comes_too_fast_is_told() -> None:
    """Each policy with its bound; sound that goes straight to a speaker has no queue."""
    policies = {
        "drop_oldest": "4 wait at most, then the oldest is dropped",
        "coalesce": "4 wait at most, then the oldest is dropped; those that wait go as one",
        "error": "4 wait at most, then the new one is rejected",
        "latest": "only the newest waits",
        "block": "120 wait at most, then the oldest is dropped; the delay grows with them",
    }
    with oc.Blocks() as app:
        mic = oc.Audio(label="Mic", streaming=True)
        out = oc.Audio(label="Out", streaming=True, interactive=False)
        for policy in policies:
            mic.stream(work, mic, None, stream_every=0.5, on_overload=policy)
        mic.stream.pipe(sound.mono(), sound.vad())(work, mic, None)
        mic.stream.pipe(sound.mono(), sound.limiter()).to(out)
    told = app.explain()
    for each, text in zip(told.listeners, policies.values(), strict=False):
        assert each.notes == ("chunks of 0.5 s", text)
    assert told.listeners[-1].notes == (
        "what operators give",
        "100 wait at most, then the oldest is dropped",
    )
    assert (
        "live: Audio 'Mic'.stream through mono, limiter is heard at Audio 'Out': no queue;"
        " what is more than 0.2 s late is dropped, and where the app stays behind it is left out"
        " before them"
    ) in str(told)
