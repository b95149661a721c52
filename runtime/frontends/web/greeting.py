"""What the person who started the server is told: where it is, for whom, and what will not work."""

from __future__ import annotations

from collections.abc import Sequence

from .addresses import is_loopback
from .origin import WILDCARDS
from .tls import Secured

_INSECURE = """\
  Over http, browsers on other machines have no microphone and play streamed sound less steadily.
  Files, values and sounds work. For all of it start with tls="self-signed" (ossicle run: --tls)."""
_SELF_SIGNED = """\
  The certificate is our own: each browser asks once whether to trust it. Compare SHA-256:
  {fingerprint}"""


def greeting(url: str, others: Sequence[str], address: str, secured: Secured | None) -> str:
    """Lines for a terminal; the first names the page's address and nothing after it.

    url: the page. others: its addresses for other machines. address: what the server listens on.
    """
    lines = [f"ossicle is running on {url}"]
    lines += [f"  from other machines: {each}" for each in others]
    if secured and secured.fingerprint:
        lines.append(_SELF_SIGNED.format(fingerprint=secured.fingerprint))
    elif not secured and (address in WILDCARDS or not is_loopback(address)):
        lines.append(_INSECURE)
    return "\n".join(lines)


def shown(address: str) -> str:
    """The address as one types it: this machine for "every interface", IPv6 in brackets."""
    if address in WILDCARDS:
        return "127.0.0.1"
    return f"[{address}]" if ":" in address else address
