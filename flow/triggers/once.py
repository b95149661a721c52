"""``once``: while a request is pending, new ones are dropped."""

from ..verdict import Verdict


def once(pending: int) -> Verdict:
    return Verdict.DROP if pending else Verdict.ENTER
