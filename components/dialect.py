"""The peer's arguments of components and containers that are not ours, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping

from ..flow.dialect import ANY, Foreign

NO_BUTTONS: tuple[object, ...] = (None, [], ())
READ_ONLY = "this table is for reading; its rows and columns are those of its value."

PLACED = {
    "preserved_by_key": Foreign(
        "a component with a key keeps its value, and takes all else from the newest run.",
        (None, "value", ["value"]),
    ),
    "root_url": Foreign("the address is launch(root_path=...)."),
    "parent": Foreign("make it inside of the `with` block of its container."),
    "show_progress": Foreign('say it at the listener: show_progress="hidden".', (False,)),
}
"""What anything placed may be given."""

COMPONENT = PLACED | {
    "buttons": Foreign("it has no such button here; leave it out.", NO_BUTTONS),
    "show_copy_button": Foreign("mark the text and copy it.", (None, False)),
    "show_fullscreen_button": Foreign("it has no such button here.", ANY),
    "show_share_button": Foreign("only Audio has one.", (None, False)),
    "show_download_button": Foreign("offer a DownloadButton beside it.", (None, False)),
    "html_attributes": Foreign("give it an elem_id or elem_classes, and use css."),
    "load_fn": Foreign("give the function as value."),
    "file": Foreign("give the path as value."),
    "show_reset_button": Foreign("only a Slider has one.", (None, False)),
    # Textbox
    "autoscroll": Foreign("a long text stays where its reader is.", ANY),
    # Slider, Dropdown, CheckboxGroup
    "num_choices_shown": Foreign("the list scrolls.", ANY),
    "show_select_all": Foreign("add a Button whose click returns all the choices.", (None, False)),
    # Label, Markdown, HTML, JSON
    "min_height": Foreign("it is as high as what is in it; use css with elem_id.", (None,)),
    "color": Foreign("give it an elem_id, and use css."),
    "latex_delimiters": Foreign("only Markdown has formulas.", NO_BUTTONS),
    "sanitize_html": Foreign("HTML is always sanitised here; use js= for code.", (None, True)),
    "header_links": Foreign("headings have no links here.", (None, False)),
    "padding": Foreign("use container=True for a frame.", (None, False)),
    "apply_default_css": Foreign("use css=, it may overrule any rule.", (None, True)),
    "html_template": Foreign("give the finished HTML as value.", (None, "${value}")),
    "css_template": Foreign("use Blocks(css=...).", (None, "")),
    "js_on_load": Foreign("use Blocks(js=...), or js= of a listener."),
    "server_functions": Foreign("use a listener; its js may come first."),
    "head": Foreign("use Blocks(head=...)."),
    "show_indices": Foreign("lists show without their indices.", (None, False)),
    # Dataframe
    "row_count": Foreign(READ_ONLY, ANY),
    "row_limits": Foreign(READ_ONLY, ANY),
    "col_count": Foreign(READ_ONLY, ANY),
    "column_count": Foreign(READ_ONLY, ANY),
    "column_limits": Foreign(READ_ONLY, ANY),
    "datatype": Foreign("numbers are set as numbers, all else as text.", ANY),
    "static_columns": Foreign(READ_ONLY, ANY),
    "wrap": Foreign("long cells always wrap.", ANY),
    "line_breaks": Foreign("only Markdown has it.", ANY),
    "column_widths": Foreign("columns are as wide as what is in them.", (None, [])),
    "max_chars": Foreign("cut the texts in the function."),
    "show_row_numbers": Foreign("put the numbers into the value.", (None, False)),
    "show_search": Foreign("filter in a function.", (None, "none")),
    "pinned_columns": Foreign("the first column scrolls with the others.", (None, 0)),
    # Image, File, DownloadButton
    "sources": Foreign("files are chosen or dropped here.", (None, "upload", ["upload"])),
    "streaming": Foreign("only Audio streams.", (None, False)),
    "mirror_webcam": Foreign("write webcam_options=WebcamOptions(mirror=...).", (None, True)),
    "webcam_options": Foreign("only an Image has a camera."),
    "webcam_constraints": Foreign("write webcam_options=WebcamOptions(constraints=...)."),
    "format": Foreign("what arrays are sent as is exact, and no choice is left.", ANY),
    "placeholder": Foreign("use info= for a hint.", (None, "")),
    "watermark": Foreign("draw it in the function."),
    "alt_text": Foreign("the label is read out.", (None,)),
    "allow_reordering": Foreign("files stay in the order in which they came.", (None, False)),
    "height": Foreign("it is as high as what is in it; use css with elem_id."),
    "icon": Foreign("only a Button has one.", (None,)),
    "link_target": Foreign("only a Button has it.", (None, "_self")),
    # Examples, ClearButton
    "api_name": Foreign("there is no HTTP interface; use a Button's click.", ANY),
    "api_visibility": Foreign("there is no HTTP interface.", ANY),
    "api_description": Foreign("there is no HTTP interface.", ANY),
    "preload": Foreign("write the first sample as the components' value.", (None, False, 0)),
    "visible_columns": Foreign("all columns show.", (None,)),
    "_api_mode": Foreign("there is no HTTP interface.", (False,)),
    "preprocess": Foreign("fn gets what a listener's function gets.", (True,)),
    "postprocess": Foreign("fn returns what a listener's function returns.", (True,)),
}
"""What components may be given."""

_RESTARTS = "a newer change ends the run before it; that is all there is to choose."
RENDER = {
    "queue": Foreign("a part never waits in a line.", ANY),
    "trigger_mode": Foreign(_RESTARTS, (None, "always_last")),
    "concurrency_limit": Foreign("parts are made side by side.", (None, "default")),
    "concurrency_id": Foreign("parts are made side by side."),
    "show_progress": Foreign("what stood there stays until it is replaced.", ANY),
}
"""What render() may be given."""

STATE = {
    "time_to_live": Foreign("a State lives as long as its session; see launch(reconnect_window)."),
    "delete_callback": Foreign("use demo.unload(...)."),
}

CONTAINER = PLACED | {
    "overflow_behavior": Foreign("tabs that do not fit scroll.", ANY),
    "alignment": Foreign("tabs begin at the start of their line.", (None, "left")),
    "render_children": Foreign("what stands in a tab is drawn when it first shows.", ANY),
    "show_label": Foreign("leave the label out.", ANY),
}
"""What containers may be given."""

_SHOWN = "it is shown as it is; take a Button, or a Textbox, for what users do."
_NOT_OF_HTML = ("input", "click", "double_click", "submit", "select", "focus", "blur", "load")
EVENTS: Mapping[str, Mapping[str, str]] = {
    "file": {"delete": "users clear all files at once; `input` tells whatever they changed."},
    "image": {"stream": "there is no camera; what streams is sound, from Audio."},
    "markdown": {"copy": 'it has no copy button; a Textbox(buttons=["copy"]) has.'},
    "dataframe": dict.fromkeys(("input", "edit"), "it is for reading; `select` tells of a cell."),
    "html": dict.fromkeys(_NOT_OF_HTML, _SHOWN),
}
"""By kind: events of the peer's that are not ours, and what there is instead."""
