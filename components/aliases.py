"""The peer's second names for some components, with the first values that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checkboxgroup import CheckboxGroup
from .dataframe import Dataframe
from .file import File
from .json import JSON
from .layout import Tab
from .microphone import Microphone
from .textbox import Textbox

DataFrame = Dataframe
TabItem = Tab
Text = Textbox
Json = JSON
Mic = Microphone
Checkboxgroup = CheckboxGroup


class TextArea(Textbox):
    """A Textbox of several lines."""

    def __init__(self, value: Any = None, *, lines: int = 7, **kwargs: Any) -> None:
        super().__init__(value, lines=lines, **kwargs)


class Files(File):
    """A File that takes several."""

    def __init__(self, value: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("file_count", "multiple")
        super().__init__(value, **kwargs)


_NOT_SOUND = "it is not among the components, which are for sound and what belongs to it"
_FLAGS = (
    'leave flagging_callback out: Interface(flagging_mode="manual") writes such a CSV file; in'
    " Blocks let a listener append to one."
)

ABSENT: Mapping[str, str] = {
    "Chatbot": _NOT_SOUND + "; a Markdown that grows, or a Textbox, shows a conversation.",
    "ChatInterface": _NOT_SOUND + "; build the page with Blocks, a Textbox and a Markdown.",
    "ChatMessage": _NOT_SOUND + ".",
    "MultimodalTextbox": "use a Textbox beside an Audio or a File.",
    "Video": _NOT_SOUND + "; a File offers it, an Audio takes its sound.",
    "PlayableVideo": _NOT_SOUND + "; a File offers it.",
    "Gallery": "use render() to make one Image for each picture.",
    "ImageEditor": "use Image.",
    "ImageSlider": "use two Images in a Row.",
    "ImageMask": "use Image.",
    "Sketchpad": "use Image.",
    "Paint": "use Image.",
    "AnnotatedImage": "draw into the array, and use Image.",
    "Model3D": _NOT_SOUND + ".",
    "HighlightedText": "use HTML with <mark>, or Label for classes.",
    "Code": "use a Textbox with several lines, or Markdown with a fenced block to show it.",
    "ColorPicker": 'use a Textbox with a placeholder like "#0a6a72".',
    "DateTime": "use a Textbox, and parse what it holds.",
    "UploadButton": "use File, or Audio for a sound.",
    "FileExplorer": "use File; the server's own folders are never shown.",
    "LinePlot": "use Plot with a matplotlib figure.",
    "BarPlot": "use Plot with a matplotlib figure.",
    "ScatterPlot": "use Plot with a matplotlib figure.",
    "Dataset": "use Examples.",
    "BrowserState": "use State; the page keeps nothing in the browser.",
    "ParamViewer": "use Markdown.",
    "LoginButton": "it knows no users; put a proxy that asks before it.",
    "DuplicateButton": "there is no host that the page could be copied to.",
    "DeepLinkButton": "the address of the page is all there is to share.",
    "Navbar": "use Tabs.",
    "Dialogue": "use one Textbox for each speaker.",
    "Walkthrough": "use Tabs.",
    "Step": "use Tab.",
    "List": "use Dataframe.",
    "Matrix": "use Dataframe.",
    "Numpy": "use Dataframe.",
    "CSVLogger": _FLAGS,
    "SimpleCSVLogger": _FLAGS,
    "FlaggingCallback": _FLAGS,
    "Box": "use Group.",
    "Variable": "use State.",
    "inputs": "components stand at the top: write Audio, not inputs.Audio.",
    "outputs": "components stand at the top: write Audio, not outputs.Audio.",
    "load": "a model's page is not fetched from elsewhere; write the function.",
    "api": "there is no HTTP interface.",
    "mount_gradio_app": "apps are served by themselves: demo.launch(root_path=...) behind a proxy.",
    "set_static_paths": "what a function returns is served, and nothing else.",
    "close_all": "close what launch(prevent_thread_lock=True) gave.",
    "validate": "raise Error in the function.",
    "I18n": "use Blocks(strings=...).",
    "OAuthProfile": "it knows no users; put a proxy that asks before it.",
    "OAuthToken": "it knows no users; put a proxy that asks before it.",
    "Server": "apps are served by demo.launch().",
    "Theme": "use ossicle.themes.",
}
"""Names of the peer that we do not have, and what to write instead."""
