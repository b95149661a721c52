"""`--reload` sees each change of a source file, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import IO

from ossicle.runtime.reloading import changed, times


def test_changes(tmp_path: Path) -> None:
    """Files that came, went or were written are named, in order."""
    (tmp_path / "sub").mkdir()
    for name in ("app.py", "gone.py", "same.py", "sub/style.css"):
        (tmp_path / name).write_text("1")
    before = times(tmp_path)
    os.utime(tmp_path / "app.py", ns=(1, 1))
    (tmp_path / "gone.py").unlink()
    (tmp_path / "sub" / "new.py").write_text("1")
    names = [os.path.relpath(path, tmp_path) for path in changed(before, times(tmp_path))]
    assert names == ["app.py", "gone.py", os.path.join("sub", "new.py")]


def test_left_out(tmp_path: Path) -> None:
    """What an app writes, caches, hidden folders and environments restart nothing."""
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / ".git").mkdir()
    (tmp_path / "__pycache__").mkdir()
    before = times(tmp_path)
    for name in ("out.wav", "state.json", "env/a.py", ".git/a.py", "__pycache__/a.py", ".b.py"):
        (tmp_path / name).write_text("1")
    assert changed(before, times(tmp_path)) == []


def test_a_missing_folder(tmp_path: Path) -> None:
    """A folder that is being replaced is empty for a moment, not an error."""
    assert times(tmp_path / "none") == {}


def read_line(stream: IO[str]) -> str:
    line = stream.readline()
    assert line, "the program ended"
    return line.strip()


def test_a_real_program_restarts(tmp_path: Path) -> None:
    """The program runs anew in a new process after a change, also after it failed, and ends with
    its parent."""
    program = tmp_path / "program.py"
    program.write_text("import os, time\nprint('one', os.getpid(), flush=True)\ntime.sleep(600)\n")
    parent = tmp_path / "outside" / "parent.py"
    parent.parent.mkdir()
    parent.write_text(
        textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from ossicle.runtime.reloading import run_reloading
        tell = lambda text: print("told:", text, flush=True)
        folder = Path({str(tmp_path)!r})
        sys.exit(run_reloading([sys.executable, str(folder / "program.py")], folder, tell))
        """)
    )
    process = subprocess.Popen([sys.executable, str(parent)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        word, first = read_line(process.stdout).split()
        assert word == "one"
        program.write_text("raise SystemExit(3)\n")
        os.utime(program, ns=(1, 1))
        assert read_line(process.stdout) == "told: program.py changed: starting again"
        assert "exit code 3" in read_line(process.stdout)
        program.write_text(
            "import os, time\nprint('two', os.getpid(), flush=True)\ntime.sleep(9)\n"
        )
        os.utime(program, ns=(2, 2))
        assert "changed" in read_line(process.stdout)
        word, second = read_line(process.stdout).split()
        assert word == "two" and second != first
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not Path(f"/proc/{second}").exists() or sys.platform != "linux"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
