"""Image, Plot, File and DownloadButton: what functions return and get, on real stored files."""

from __future__ import annotations

import gc
import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image as Pillow

import ossicle as oc
from ossicle.components.base import Component
from ossicle.flow.documents import Document
from ossicle.flow.pictures import look, png
from ossicle.runtime.media.session import Session
from ossicle.runtime.media.store import Store
from ossicle.testing import Lab

SHADES = np.random.default_rng(3).integers(0, 256, (5, 7, 3), np.uint8)


def saved(picture: Pillow.Image, format: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, format)
    return file.getvalue()


# -- pictures as bytes -------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (300, 2), (64, 129)])
def test_the_kind_and_size_of_a_picture_are_read_from_its_head(
    format: str, size: tuple[int, int]
) -> None:
    """As Pillow wrote it, so is it read."""
    found = look(saved(Pillow.new("RGB", size, "teal"), format))
    assert found is not None
    assert (found.kind, found.width, found.height) == (format.lower(), *size)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_that_is_cut_off_anywhere_is_none_or_itself(format: str) -> None:
    """No cut makes `look` raise, or see another size."""
    whole = saved(Pillow.new("RGB", (30, 20), "teal"), format)
    for end in range(min(len(whole), 700)):
        found = look(whole[:end])
        assert found is None or (found.width, found.height) == (30, 20)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4), (1, 1)])
def test_an_array_survives_as_png(shape: tuple[int, ...]) -> None:
    """Bit for bit, as Pillow reads it back."""
    array = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    with Pillow.open(io.BytesIO(png(array))) as opened:
        assert np.array_equal(np.asarray(opened), array[:, :, 0] if shape[2:] == (1,) else array)


# -- Image -------------------------------------------------------------------------------------


def shown(node: Component, value: Any, media: Session) -> tuple[Document, dict[str, Any]]:
    stored = node.postprocess(value, media)
    assert isinstance(stored, Document)
    return stored, cast("dict[str, Any]", node.to_wire(stored, media))


def test_what_a_function_returns_as_image(media: Session, tmp_path: Path) -> None:
    """Arrays, Pillow images, paths and bytes; the page gets address, name and size."""
    path = tmp_path / "Grüße.jpg"
    path.write_bytes(saved(Pillow.fromarray(SHADES), "JPEG"))
    grey = SHADES[:, :, 0]
    for value, kind, name in [
        (SHADES, "png", "image.png"),
        (SHADES / 255, "png", "image.png"),
        (grey > 100, "png", "image.png"),
        (Pillow.fromarray(SHADES), "png", "image.png"),
        (path, "jpeg", "Grüße.jpg"),
        (str(path), "jpeg", "Grüße.jpg"),
        (path.read_bytes(), "jpeg", "image"),
    ]:
        stored, wire = shown(oc.Image(), value, media)
        assert (stored.kind, wire["name"], wire["width"], wire["height"]) == (kind, name, 7, 5)
        assert wire["url"].startswith(f"files/{wire['file']}/")
    assert oc.Image().postprocess(None, media) is None


def test_float_pixels_are_what_uint8_ones_are(media: Session) -> None:
    one, _ = shown(oc.Image(), SHADES, media)
    other, _ = shown(oc.Image(), SHADES.astype(np.float32) / 255, media)
    assert one.key == other.key


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((3, 5, 7), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((5, 7, 5), np.uint8), "up to 4 channels"),
        (np.zeros((0, 7), np.uint8), "pass"),
        (np.zeros(7, np.uint8), "pass"),
        (np.full((2, 2), 3.0), "scale them to 0..1"),
        (np.full((2, 2), np.nan), "scale them to 0..1"),
        (np.zeros((2, 2), np.int64), "pass uint8"),
        (np.zeros((2, 2), complex), "pass uint8"),
        (b"no picture", "is no picture"),
        (3, "not 3"),
        ("", "not ''"),
        ("missing.png", "does not exist"),
    ],
)
def test_what_is_no_image_is_said_with_the_way_out(media: Session, value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        oc.Image(label="Scan").postprocess(value, media)


def test_what_a_function_gets_of_an_image(media: Session) -> None:
    """By type and mode; an array of its own."""
    stored, wire = shown(oc.Image(), SHADES, media)
    taken = oc.Image().from_wire({"file": wire["file"]}, media)
    assert taken is stored
    array = cast(Any, oc.Image().preprocess(taken, media))
    assert np.array_equal(array, SHADES)
    array[:] = 0
    assert np.array_equal(cast(Any, oc.Image().preprocess(taken, media)), SHADES)
    grey = cast(Any, oc.Image(image_mode="L").preprocess(taken, media))
    assert (grey.shape, grey.dtype) == ((5, 7), np.uint8)
    assert cast(Any, oc.Image(image_mode="RGBA").preprocess(taken, media)).shape == (5, 7, 4)
    assert cast(Any, oc.Image(image_mode="1").preprocess(taken, media)).dtype == np.uint8
    made = oc.Image(type="pil").preprocess(taken, media)
    assert isinstance(made, Pillow.Image) and made.size == (7, 5)
    path = Path(str(oc.Image(type="filepath").preprocess(taken, media)))
    assert look(path.read_bytes()) is not None
    assert oc.Image().preprocess(None, media) is None


def test_a_bomb_is_refused_before_it_is_opened(media: Session) -> None:
    """A small file that claims a hundred million pixels and more."""
    head = bytearray(png(SHADES))
    head[16:24] = struct.pack(">II", 50_000, 50_000)
    with pytest.raises(ValueError, match="make it smaller"):
        oc.Image().postprocess(bytes(head), media)


def test_a_drawing_is_shown_only_when_the_app_brings_it(media: Session) -> None:
    """SVG may hold scripts: from a function it is a picture, from a user it is none."""
    drawing = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"
    stored, wire = shown(oc.Image(), drawing, media)
    assert stored.kind == "svg" and "width" not in wire
    upload = media.receive_document("a.svg", picture=True)
    upload.write(drawing)
    with pytest.raises(ValueError, match="no picture"):
        upload.finish()


# -- Plot --------------------------------------------------------------------------------------


def test_a_figure_is_shown(media: Session) -> None:
    """At twice the pixels for sharp screens, told in those of the page."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3), dpi=100)
    axes = figure.subplots()  # pyright: ignore[reportUnknownMemberType]
    axes.plot([1, 3, 2])  # pyright: ignore[reportUnknownMemberType]
    stored, wire = shown(oc.Plot(), figure, media)
    assert (stored.kind, stored.width, stored.height) == ("png", 800, 600)
    assert (wire["width"], wire["height"]) == (400, 300)
    again, _ = shown(oc.Plot(), axes, media)
    assert again.key == stored.key
    drawn, _ = shown(oc.Plot(format="svg"), figure, media)
    assert drawn.kind == "svg"
    with pytest.raises(ValueError, match="return fig"):
        oc.Plot(label="Spectrum").postprocess([1, 2], media)


def test_pyplot_itself_is_its_figure_of_now(media: Session) -> None:
    """As programs return it that never name a figure; one that is named is closed once shown."""
    import matplotlib.pyplot

    pyplot = cast(Any, matplotlib.pyplot)
    pyplot.figure(figsize=(2, 1))
    pyplot.plot([0, 1])
    assert shown(oc.Plot(), pyplot, media)[0].width == 400
    assert pyplot.get_fignums()
    pyplot.close("all")
    figure, axes = pyplot.subplots()
    first, _ = shown(oc.Plot(), figure, media)
    assert not pyplot.get_fignums()
    axes.plot([0, 1])
    assert shown(oc.Plot(), figure, media)[0] is not first


# -- File and DownloadButton -------------------------------------------------------------------


def test_files_are_handed_over_as_they_are(media: Session, tmp_path: Path) -> None:
    """A path to a copy under the same name, or the bytes; one or several."""
    path = tmp_path / "notes.html"
    path.write_bytes(b"<script>alert(1)</script>")
    one = oc.File()
    stored = one.postprocess(path, media)
    assert isinstance(stored, Document) and stored.kind == ""
    given: Any = one.preprocess(stored, media)
    assert given.name == given  # as of an open file
    copy = Path(given)
    assert (copy.name, copy.read_bytes()) == ("notes.html", path.read_bytes())
    assert copy != path
    assert oc.File(type="binary").preprocess(stored, media) == path.read_bytes()
    many = oc.File(file_count="multiple")
    both = many.postprocess([path, b"abc"], media)
    assert [each["name"] for each in cast(Any, many.to_wire(both, media))] == ["notes.html", "file"]
    handles = [{"file": each["file"]} for each in cast(Any, many.to_wire(both, media))]
    assert many.from_wire(handles, media) == both
    assert [Path(p).read_bytes() for p in cast(Any, many.preprocess(both, media))] == [
        path.read_bytes(),
        b"abc",
    ]
    assert many.postprocess([], media) is many.postprocess(None, media) is None
    with pytest.raises(ValueError, match="file_count='multiple'"):
        one.postprocess([path, path], media)


def test_a_folder_is_a_list_of_its_files(media: Session) -> None:
    """As several files are, also when it holds one."""
    folder = oc.File(file_count="directory")
    stored = folder.postprocess([b"abc"], media)
    handles = [{"file": each["file"]} for each in cast(Any, folder.to_wire(stored, media))]
    found = folder.preprocess(folder.from_wire(handles, media), media)
    assert [Path(path).read_bytes() for path in cast(Any, found)] == [b"abc"]


@pytest.mark.parametrize("make", [oc.File, oc.DownloadButton])
def test_hidden_files_are_not_handed_out(
    media: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any
) -> None:
    """However an app comes to name one, through a link too; its bytes it may give."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ".tmp"))
    secret = tmp_path / ".keys" / "id"
    link, env = tmp_path / "innocent.txt", tmp_path / ".env"
    secret.parent.mkdir()
    secret.write_bytes(b"secret")
    env.write_bytes(b"secret")
    link.symlink_to(secret)
    (tmp_path / ".tmp").mkdir()
    component = make(label="Out")
    for path in (secret, str(secret), link, env, tmp_path / "a" / ".." / ".env"):
        with pytest.raises(ValueError, match="is not handed out, because '.*' is hidden"):
            component.postprocess(path, media)
    assert component.postprocess(secret.read_bytes(), media).size == 6
    (tmp_path / ".tmp" / "made.txt").write_bytes(b"made")
    assert component.postprocess(tmp_path / ".tmp" / "made.txt", media).size == 4


@pytest.mark.parametrize(
    ("types", "name", "taken"),
    [
        ([".csv"], "a.CSV", True),
        ([".csv"], "a.csv.exe", False),
        (["audio"], "a.flac", True),
        (["audio", ".txt"], "a.txt", True),
        (["image"], "a.txt", False),
        (["file"], "a", True),
        ([], "a", True),
    ],
)
def test_file_types_are_checked_here_too(
    media: Session, types: list[str], name: str, taken: bool
) -> None:
    """The page's file dialog can be talked round."""
    node = oc.File(label="In", file_types=types)
    document = media.keep(b"x", name=name)
    payload = {"file": media.link(document)["file"]}
    if taken:
        assert node.from_wire(payload, media) is document
    else:
        with pytest.raises(ValueError, match="File 'In': .* is not taken"):
            node.from_wire(payload, media)


def test_a_handle_leads_only_to_what_its_component_takes(store: Store) -> None:
    """Not to another session's file, not to a sound, and for Image not to what is no picture."""
    mine, yours = store.session("a"), store.session("b")
    note = mine.keep(b"text", name="a.txt")
    clip = oc.Clip.of(8000, np.ones(10, np.int16))
    file, sound = mine.link(note)["file"], mine.describe(clip)["clip"]
    assert oc.File().from_wire({"file": file}, mine) is note
    for node, payload, media in [
        (oc.File(), {"file": file}, yours),
        (oc.File(), {"file": sound}, mine),
        (oc.Audio(), {"clip": file}, mine),
        (oc.Image(), {"file": file}, mine),
        (oc.File(), {"file": "../a"}, mine),
        (oc.File(), {"file": 3}, mine),
        (oc.File(), "/etc/passwd", mine),
        (oc.File(max_file_size=3), {"file": file}, mine),
        (oc.File(file_count="multiple"), {"file": file}, mine),
        (oc.File(file_count="multiple"), [{"file": file}] * 101, mine),
    ]:
        with pytest.raises(ValueError):
            node.from_wire(payload, media)


def test_a_file_goes_with_the_last_who_holds_it(store: Store) -> None:
    """Nothing is counted once value and session are gone; equal content is stored once."""
    media = store.session("a")
    one, two = media.keep(b"x" * 1000, name="a"), media.keep(b"x" * 1000, name="b")
    assert store.used == 1000
    del one
    gc.collect()
    assert store.used == 1000
    other = store.session("b").link(two)
    store.release("a")
    assert store.find(str(other["file"])).file("").read_bytes() == b"x" * 1000
    store.release("b")
    assert store.used == 0
    with pytest.raises(ValueError, match="this session is over"):
        media.link(two)


def test_a_download_button_holds_a_file(media: Session, tmp_path: Path) -> None:
    path = tmp_path / "mix.wav"
    path.write_bytes(b"RIFF")
    button = oc.DownloadButton("Save", path)
    stored, wire = shown(button, path, media)
    assert (button.props()["label"], wire["name"], wire["bytes"]) == ("Save", "mix.wav", 4)
    assert Path(str(button.preprocess(stored, media))).read_bytes() == b"RIFF"


def test_a_user_uploads_files_and_clears_them(tmp_path: Path) -> None:
    """One law of order (E4), for each of them; the same content again moves nothing (E1, E3)."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"text")
    log = list[tuple[str, Any]]()

    def note(name: str) -> Callable[[Any], None]:
        def heard(value: list[str] | None) -> None:
            log.append((name, value and [Path(each).read_bytes() for each in value]))

        return heard

    with oc.Blocks() as demo:
        files = oc.File(file_count="multiple")
        for name in ("upload", "clear", "input", "change"):
            getattr(files, name)(note(name), files, trigger_mode="multiple")
        image, size = oc.Image(), oc.JSON()

        def shape(array: Any) -> Any:
            return None if array is None else list(array.shape)

        image.change(shape, image, size)
    with Lab(demo) as lab:
        both = [b"text", b"bytes"]
        lab.upload(files, [path, b"bytes"])
        assert log == [("upload", both), ("input", both), ("change", both)]
        lab.upload(files, [path, b"bytes"])
        assert [name for name, _ in log[3:]] == ["upload"]
        lab.clear(files)
        assert log[4:] == [("clear", None), ("input", None), ("change", None)]
        lab.upload(image, png(SHADES))
        assert lab.value(size) == [5, 7, 3]
        lab.clear(image)
        assert lab.value(size) is None
        with pytest.raises(ValueError, match="upload needs a file"):
            lab.act(image, "upload", None)


@pytest.mark.parametrize(
    "make",
    [
        lambda: oc.Image("missing.png"),
        lambda: oc.Image(type=cast(Any, "array")),
        lambda: oc.Image(image_mode=cast(Any, "CMYK")),
        lambda: oc.Image(max_file_size="much"),
        lambda: oc.Plot(format=cast(Any, "pdf")),
        lambda: oc.File("missing.txt"),
        lambda: oc.File(["missing.txt"], file_count="multiple"),
        lambda: oc.File(file_count=cast(Any, "folder")),
        lambda: oc.File(file_types=["csv"]),
        lambda: oc.File(type=cast(Any, "numpy")),
        lambda: oc.DownloadButton("Save", "missing.wav"),
        lambda: oc.DownloadButton(size=cast(Any, "xl")),
    ],
)
def test_arguments_that_cannot_work_are_refused_when_written(make: Any) -> None:
    with pytest.raises(oc.DeclarationError):
        make()


@pytest.mark.parametrize("picture", [False, True])
def test_a_file_whose_page_left_before_the_answer_is_not_kept(
    store: Store, media: Session, picture: bool
) -> None:
    """Nobody can claim it: it goes at once, not with its session. One that was claimed stays."""
    for claimed in (False, True):
        upload = media.receive_document("a.png", picture=picture)
        upload.write(png(SHADES))
        described = upload.finish()
        kept = media.document(str(described["file"])) if claimed else None
        upload.abort()
        assert store.used == (len(png(SHADES)) if claimed else 0)
        del kept
