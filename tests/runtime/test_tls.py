"""https: certificates of every kind, good and bad, and one of our own that is kept."""

from __future__ import annotations

import asyncio
import ssl
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import ossicle as oc
from ossicle.flow.errors import DeclarationError
from ossicle.runtime.frontends.web.selfsigned import DAYS, RENEW_DAYS, self_signed
from ossicle.runtime.frontends.web.tls import Tls, secure
from ossicle.runtime.launching import Launching, serve_app

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
POSIX = sys.platform != "win32"


def write_pair(
    folder: Path,
    name: str = "made",
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + DAY,
    password: bytes | None = None,
) -> tuple[Path, Path]:
    """A certificate for sound.example and localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    names = [x509.DNSName(each) for each in ("sound.example", "*.example.org", "localhost")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    hidden = serialization.NoEncryption()
    if password:
        hidden = serialization.BestAvailableEncryption(password)
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden
        )
    )  # fmt: skip
    return paths


# -- what is given -----------------------------------------------------------------------------


def test_what_is_wrong_is_told_with_the_value_and_the_way_out(tmp_path: Path) -> None:
    """Before anybody connects; no browser's "cannot be reached" has to be guessed at."""
    good, key = write_pair(tmp_path)
    _, other = write_pair(tmp_path, "other")
    encrypted = write_pair(tmp_path, "encrypted", password=b"secret")
    expired = write_pair(tmp_path, "expired", NOW - 9 * DAY, NOW - DAY)
    early = write_pair(tmp_path, "early", NOW + DAY, NOW + 9 * DAY)
    none = tmp_path / "none.pem"
    text = tmp_path / "text.pem"
    text.write_text("hello")
    bare, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    cases: list[tuple[Tls, str]] = [
        ((none, key), f"tls: {none}: No such file or directory; give"),
        ((good, none), f"tls: {none}: No such file or directory; give"),
        ((good, tmp_path), f"tls: {tmp_path}: Is a directory; give"),
        ((good, other), f"{other} is not the key of {good}"),
        (encrypted, f"tls: {encrypted[1]}: the key is encrypted"),
        (expired, f"tls: {expired[0]}: the certificate has expired; renew it."),
        (early, f"tls: {early[0]}: the certificate is not valid yet; is this machine's clock"),
        ((text, key), f"{text} holds no certificate in PEM form"),
        ((good, text), f"{text} holds no private key in PEM form"),
        ((good, good), f"{good} holds no private key in PEM form"),
        (bare, "no browser could connect"),
        (client, "a context for clients"),
        ("self_signed", "tls='self_signed' is no certificate; give"),
        (("a", "b", "c"), "is no certificate; give"),
    ]
    for given, words in cases:
        with pytest.raises(DeclarationError) as error:
            secure(given, "127.0.0.1")
        assert words in str(error.value)
        assert "\n" not in str(error.value)


def test_a_good_pair_tells_its_names(tmp_path: Path) -> None:
    """Those are names the server answers to; one with a star is nobody's in particular."""
    pair = write_pair(tmp_path)
    assert secure(pair, "127.0.0.1").names == ("sound.example", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    assert secure(context, "127.0.0.1").context is context
    expired = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    expired.load_cert_chain(*write_pair(tmp_path, "expired", NOW - 9 * DAY, NOW - DAY))
    with pytest.raises(DeclarationError, match="expired"):
        secure(expired, "127.0.0.1")


# -- our own -----------------------------------------------------------------------------------


def test_our_own_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    """Readable by nobody else, kept, and made anew for a new address or when it nears its end."""
    folder = tmp_path / "deep" / "ossicle"
    names = ["localhost", "127.0.0.1", "::1", "192.168.1.5"]
    path = self_signed(names, folder, NOW)
    first = path.read_bytes()
    if POSIX:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [each.name for each in folder.iterdir()] == [path.name]
    almost = NOW + (DAYS - RENEW_DAYS - 1) * DAY
    assert self_signed(names[:2], folder, almost).read_bytes() == first
    second = self_signed([*names, "10.0.0.1"], folder, NOW).read_bytes()
    assert second != first
    third = self_signed(names, folder, NOW + (DAYS - RENEW_DAYS) * DAY).read_bytes()
    assert third != second
    path.write_bytes(b"no certificate")
    assert self_signed(names, folder, NOW).read_bytes().startswith(b"-----BEGIN CERTIFICATE")
    assert [each.name for each in folder.iterdir()] == [path.name]


@pytest.mark.skipif(not POSIX, reason="modes of POSIX")
def test_a_key_that_others_could_read_is_not_used_again(tmp_path: Path) -> None:
    path = self_signed(["localhost"], tmp_path, NOW)
    first = path.read_bytes()
    path.chmod(0o640)
    assert self_signed(["localhost"], tmp_path, NOW).read_bytes() != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_it_cannot_be_kept(tmp_path: Path) -> None:
    """One sentence: where, why, and what else one may do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DeclarationError, match="cannot be kept in .*file.*give a pair of files"):
        self_signed(["localhost"], tmp_path / "file", NOW)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error names what to install."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(DeclarationError, match=r'pip install "ossicle\[tls\]"'):
        self_signed(["localhost"], tmp_path)


# -- served ------------------------------------------------------------------------------------

Serve = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves a small app; its address."""
    opened: list[Callable[[], Awaitable[None]]] = []

    async def start(**options: object) -> str:
        app = oc.Interface(str, "text", "text")
        host, running = await serve_app(app, Launching(server_port=0, **options))  # pyright: ignore[reportArgumentType] # any of its options
        opened.extend((running.close, host.close))
        return running.url

    yield start
    for close in opened:
        await close()


async def test_https_from_end_to_end(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page and socket over TLS, with a certificate that the client checks; no HSTS on it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    url = await serve(tls="self-signed")
    assert url.startswith("https://127.0.0.1:")
    (kept,) = tmp_path.rglob("certificate.pem")
    trusting = ssl.create_default_context(cafile=kept)
    origin = url.rstrip("/")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as http:
        async with http.get(url) as answer:
            assert answer.status == 200
            assert "Strict-Transport-Security" not in answer.headers
        async with http.ws_connect(url + "ws", headers={"Origin": origin}) as ws:
            assert (await ws.receive_json())["type"] == "open"
        # A page over http with our name and port is none of ours: that port speaks no http.
        forged = {"Origin": origin.replace("https://", "http://")}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url + "ws", headers=forged)
        assert refused.value.status == 403


async def test_the_names_of_a_certificate_are_answered_to(serve: Serve, tmp_path: Path) -> None:
    """And the first of them is the address that is printed."""
    pair = write_pair(tmp_path)
    url = await serve(tls=pair)
    assert url.startswith("https://sound.example:")
    port = url.rstrip("/").rsplit(":", 1)[1]
    trusting = ssl.create_default_context(cafile=pair[0])
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as http:
        for name, status in (("sound.example", 200), ("a.example.org", 403), ("evil.example", 403)):
            headers = {"Host": f"{name}:{port}"}
            async with http.get(f"https://localhost:{port}/", headers=headers) as answer:
                assert answer.status == status, name


@pytest.mark.skipif(not POSIX, reason="Windows' loop cannot look at a byte without taking it")
async def test_http_on_the_port_of_https(serve: Serve, tmp_path: Path) -> None:
    """A sentence instead of nothing; what is neither, or says nothing, is closed."""
    url = await serve(tls=write_pair(tmp_path))
    port = int(url.rstrip("/").rsplit(":", 1)[1])
    async with aiohttp.ClientSession() as http:
        async with http.get(f"http://127.0.0.1:{port}/") as answer:
            assert answer.status == 400
            assert "https only" in (await answer.json())["error"]
            assert "Strict-Transport-Security" not in answer.headers
    for sent in (b"\x16\x03\x01\x00\x05hello", b"\x16"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(10):
            assert b"HTTP" not in await reader.read()
        writer.close()


def test_a_special_address_is_in_the_certificate(tmp_path: Path) -> None:
    """One that the routes of this machine do not show, too; and a browser's user can compare."""
    made = secure("self-signed", "192.168.7.7", tmp_path)
    certificate = x509.load_pem_x509_certificate((tmp_path / "certificate.pem").read_bytes())
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    numbers = {str(each) for each in held.get_values_for_type(x509.IPAddress)}
    assert {"127.0.0.1", "::1", "192.168.7.7"} <= numbers
    assert "localhost" in held.get_values_for_type(x509.DNSName)
    assert made.fingerprint == certificate.fingerprint(hashes.SHA256()).hex(":").upper()
