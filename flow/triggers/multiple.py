"""``multiple``: every event becomes a request."""

from ..verdict import Verdict


def multiple(pending: int) -> Verdict:
    return Verdict.ENTER
