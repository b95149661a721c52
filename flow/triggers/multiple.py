"""``multiple``: every event becomes a request."""

from ..model import Verdict


def multiple(pending: int) -> Verdict:
    return Verdict.ENTER
