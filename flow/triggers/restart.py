"""``restart``: the newest request cancels what is pending and takes its place."""

from ..verdict import Verdict


def restart(pending: int) -> Verdict:
    return Verdict.RESTART if pending else Verdict.ENTER
