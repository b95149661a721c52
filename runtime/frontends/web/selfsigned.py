"""A certificate of our own making, kept for this user until it is near its end.

It proves nothing but that one talks to the same server as before: each browser asks its user once.
Kept, because with a new one at each start it would ask at each start.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import stat
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ....flow.errors import DeclarationError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, DNSName, IPAddress

FILE: Final = "certificate.pem"
"""Key and certificate in one file: they are replaced together or not at all."""
DAYS: Final = 365
"""Browsers of Apple take none that is good for longer than 825 (support article 103769)."""
RENEW_DAYS: Final = 30
"""One that ends sooner is made anew, so that none ends under a running server."""


def data_folder() -> Path:
    """Where this user's programs keep what they made themselves, on this system."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "ossicle"


def self_signed(names: list[str], folder: Path, now: datetime | None = None) -> Path:
    """The file with a certificate for at least `names`, host names and addresses, and its key.

    The kept one where it will do; else a new one, which only this user can read. Raises
    DeclarationError if the extra that makes it is not installed or it cannot be kept.
    """
    try:
        import cryptography as _
    except ImportError as error:
        raise DeclarationError(
            "tls='self-signed' needs the cryptography package: pip install \"ossicle[tls]\"; or"
            " give a pair of files, tls=('cert.pem', 'key.pem')."
        ) from error
    now = now or datetime.now(timezone.utc)
    path = folder / FILE
    try:
        if not _will_do(path, names, now):
            _keep(path, _make(names, now))
    except OSError as error:
        raise DeclarationError(
            f"tls='self-signed': the certificate cannot be kept in {folder}: {error.strerror}; set"
            " XDG_DATA_HOME to a folder that can be written, or give a pair of files,"
            " tls=('cert.pem', 'key.pem')."
        ) from error
    return path


def _will_do(path: Path, names: list[str], now: datetime) -> bool:
    """Is there one, seen by nobody else, that covers all names and does not end soon?"""
    from cryptography import x509

    try:
        opened = path.open("rb")
    except FileNotFoundError:
        return False
    with opened as file:
        others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077
        if others and sys.platform != "win32":
            return False  # its key may have been read
        data = file.read()
    try:
        found = x509.load_pem_x509_certificate(data)
    except ValueError:
        return False
    fits = found.not_valid_before_utc <= now < found.not_valid_after_utc - timedelta(RENEW_DAYS)
    return fits and set(names) <= _names_of(found)


def _names_of(certificate: Certificate) -> set[str]:
    from cryptography import x509

    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    numbers = held.get_values_for_type(x509.IPAddress)
    return {*held.get_values_for_type(x509.DNSName), *map(str, numbers)}


def _make(names: list[str], now: datetime) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ossicle, self-signed")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(DAYS))
        .add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _general(name: str) -> DNSName | IPAddress:
    from cryptography.x509 import DNSName, IPAddress

    try:
        return IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return DNSName(name)


def _keep(path: Path, data: bytes) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
