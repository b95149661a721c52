"""``always_last``: while a request is pending one more waits aside, always the newest."""

from ..verdict import Verdict


def always_last(pending: int) -> Verdict:
    return Verdict.DEFER if pending else Verdict.ENTER
