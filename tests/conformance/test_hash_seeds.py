"""One app, several hash seeds, one trace: no order comes from a set or from an address."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

APP = Path(__file__).parent / "rich_app.py"
SEEDS = int(os.environ.get("OSSICLE_HASH_SEEDS", "4"))
"""OSSICLE_HASH_SEEDS=100 tries a hundred."""


def trace(seed: int) -> list[str]:
    """Of two simulated minutes."""
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-P", str(APP), "120"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_hash_seed_gives_the_same_trace() -> None:
    """X1 and every rule about order: thousands of entries, the same in the same order."""
    first = trace(0)
    assert len(first) > 5000
    for seed in range(1, SEEDS):
        again = trace(seed)
        assert again == first, f"seed {seed} differs from seed 0"
