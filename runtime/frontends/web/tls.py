"""What the server proves itself with: from what the author gave to an SSL context that works.

Whatever is wrong with it is found here, before anybody connects, and told with the value and the
way out: a browser would only say that something is.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from ....flow.errors import DeclarationError
from .addresses import lan_addresses, own_names
from .origin import WILDCARDS

SELF_SIGNED: Final = "self-signed"
Tls: TypeAlias = "str | Sequence[str | Path] | ssl.SSLContext"
"""`"self-signed"`, the files of a certificate and its key, or a context that has them."""

_WAYS = (
    'give ("cert.pem", "key.pem"), an ssl.SSLContext, or "self-signed", which makes a certificate'
)
_ENCRYPTED = (
    "the key is encrypted, and a server that starts by itself can ask nobody; write it without a"
    " password (openssl pkey -in KEY -out NEW), or give an ssl.SSLContext"
)
_VERIFY = {9: "is not valid yet; is this machine's clock right?", 10: "has expired; renew it"}
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL."""


class _Encrypted(Exception):
    pass


@dataclass(frozen=True)
class Secured:
    """A context that works, and what its certificate says."""

    context: ssl.SSLContext
    names: tuple[str, ...] = ()
    """Host names it is for; those with a star are left out."""
    fingerprint: str | None = None
    """SHA-256 of a certificate that we made, for who wants to compare it with the browser's."""


def secure(given: Tls, address: str, folder: Path | None = None) -> Secured:
    """The context for `launch(tls=given, server_name=address)`.

    folder: where a certificate of our own is kept; None is the user's data folder. Raises
    DeclarationError naming the value, what is wrong, and the way out.
    """
    if isinstance(given, ssl.SSLContext):
        return _checked(given, "tls")
    if given == SELF_SIGNED:
        from .selfsigned import data_folder, self_signed

        names = ["localhost", "127.0.0.1", "::1", *own_names(), *lan_addresses()]
        if address not in (*WILDCARDS, *names):
            names.append(address)
        path = self_signed(names, folder or data_folder())
        made = _checked(_load(path, path), f"tls={given!r}: {path}")
        return Secured(made.context, (), made.fingerprint)
    pair = list(given) if not isinstance(given, str) else []
    if len(pair) != 2:
        raise DeclarationError(f"tls={given!r} is no certificate; {_WAYS}.")
    certificate, key = (Path(each) for each in pair)
    found = _checked(_load(certificate, key), f"tls: {certificate}")
    return Secured(found.context, found.names)


def _load(certificate: Path, key: Path) -> ssl.SSLContext:
    for path in (certificate, key):
        try:
            path.open("rb").close()
        except OSError as error:
            raise DeclarationError(f"tls: {path}: {error.strerror}; {_WAYS}.") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_never)
    except _Encrypted:
        raise DeclarationError(f"tls: {key}: {_ENCRYPTED}.") from None
    except ssl.SSLError as error:
        raise DeclarationError(f"tls: {_why(certificate, key, error)}") from error
    return context


def _never() -> NoReturn:
    raise _Encrypted


def _why(certificate: Path, key: Path, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return (
            f"{key} is not the key of {certificate}; give the one that the certificate was asked"
            " for with."
        )
    for path, mark in ((certificate, b"-----BEGIN CERTIFICATE"), (key, b"PRIVATE KEY-----")):
        if mark not in path.read_bytes():
            what = "certificate" if path is certificate and b"CERT" in mark else "private key"
            return f"{path} holds no {what} in PEM form; {_WAYS}."
    return f"{certificate} and {key} cannot be used: {error.reason or error}; {_WAYS}."


def _checked(context: ssl.SSLContext, where: str) -> Secured:
    """What the certificate of a context says, learned as a browser does: by a handshake."""
    if context.protocol is ssl.PROTOCOL_TLS_CLIENT:
        raise DeclarationError(f"{where}: a context for clients; make PROTOCOL_TLS_SERVER.")
    if context.verify_mode is not ssl.CERT_NONE:
        return Secured(context)  # it asks clients for certificates, and we have none to show
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    try:
        shown = _handshake(context, client).getpeercert(binary_form=True) or b""
    except ssl.SSLError as error:
        raise DeclarationError(
            f"{where}: no browser could connect ({error.reason}); has it a certificate"
            " (load_cert_chain), for TLS 1.2 or later?"
        ) from error
    # Its own authority: whom a browser trusts is not asked here, only whether it can be right.
    client.verify_mode = ssl.CERT_REQUIRED
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=shown)
    try:
        said = _handshake(context, client).getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        why = _VERIFY.get(error.verify_code, f"is refused: {error.verify_message}")
        raise DeclarationError(f"{where}: the certificate {why}.") from error
    digest = hashlib.sha256(shown).hexdigest().upper()
    return Secured(
        context, _names(said), ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    )


def _names(said: Any) -> tuple[str, ...]:
    held = said.get("subjectAltName", ())
    return tuple(str(name).lower() for kind, name in held if kind == "DNS" and "*" not in name)


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Both sides of one, in memory; the client's. Raises SSLError."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there)
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(3):  # TLS 1.2 takes two round trips, 1.3 one
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
    return ours
