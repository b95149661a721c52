"""The peer's arguments of apps, queues and servers that are not ours, and what to do instead."""

from __future__ import annotations

from ..flow.dialect import ANY, Foreign

BLOCKS = {
    "analytics_enabled": Foreign("nothing is ever reported to anybody here.", (None, False)),
    "tabs_kwargs": Foreign("use Blocks with Tabs(...).", (None, {})),
    "mode": Foreign("it has no meaning here.", ANY),
    "delete_cache": Foreign("files go with the session that owns them.", ANY),
    "elem_id": Foreign("use css on `main`."),
    "elem_classes": Foreign("use css on `main`.", (None, [])),
    "visible": Foreign("put it into a Column(visible=...).", (True,)),
    "render": Foreign("build it outside of the other Blocks, and call .render() there.", (True,)),
    "key": Foreign("parts of a page are made by render()."),
    "preserved_by_key": Foreign("parts of a page are made by render()."),
}
INTERFACE = BLOCKS | {
    "preload_example": Foreign("write the first sample as the inputs' values.", (None, False, 0)),
    "flagging_callback": Foreign("flags go to flagging_dir; for another place use Blocks."),
    "api_visibility": Foreign("there is no HTTP interface.", ANY),
    "api_description": Foreign("there is no HTTP interface.", ANY),
    "allow_duplication": Foreign("a page is never copied to another host.", (None, False)),
    "deep_link": Foreign("the address of the page is all there is to share.", (None, False)),
    "validator": Foreign("raise Error in fn; it checks its own inputs."),
    "theme_mode": Foreign("light or dark is the reader's own setting."),
    "_api_mode": Foreign("there is no HTTP interface.", (False,)),
}
QUEUE = {
    "status_update_rate": Foreign("each change is told when it happens.", ANY),
    "api_open": Foreign("there is no HTTP interface.", ANY),
    "concurrency_count": Foreign("write default_concurrency_limit.", (None,)),
    "client_position_to_load_data": Foreign("it has no meaning here.", ANY),
}
NO_ACCOUNTS = (
    "it knows no users. Put a proxy that asks for a password before it, and name the proxy's"
    " address in allowed_hosts and allowed_origins."
)
NO_TUNNEL = (
    "no tunnel through somebody else's server is opened. For your own network write"
    ' server_name="0.0.0.0"; for one person elsewhere, let them run `ssh -L 7860:localhost:7860'
    " your-machine`, or put your own proxy before it."
)
LAUNCH = {
    "share": Foreign(NO_TUNNEL, (None, False)),
    "share_server_address": Foreign(NO_TUNNEL),
    "share_server_protocol": Foreign(NO_TUNNEL),
    "share_server_tls_certificate": Foreign(NO_TUNNEL),
    "auth": Foreign(NO_ACCOUNTS, secret=True),
    "auth_message": Foreign(NO_ACCOUNTS),
    "auth_dependency": Foreign(NO_ACCOUNTS),
    "inline": Foreign("open the address that is printed.", (None, False)),
    "inlineheight": Foreign("open the address that is printed.", ANY),
    "height": Foreign("the page is as high as its window.", ANY),
    "width": Foreign("the page is as wide as its window.", ANY),
    "debug": Foreign("errors are always printed.", ANY),
    "enable_queue": Foreign("use queue(enabled=False).", (None, True)),
    "show_api": Foreign("there is no HTTP interface to show.", ANY),
    "show_tips": Foreign("there are none.", ANY),
    "footer_links": Foreign("the page has no footer.", ANY),
    "run_history": Foreign("the page keeps no history.", (None, False)),
    "favicon_path": Foreign('use head=\'<link rel="icon" href="data:...">\'.'),
    "allowed_paths": Foreign("what a function returns is served, and nothing else.", ANY),
    "blocked_paths": Foreign("no path is ever served by its name.", ANY),
    "app_kwargs": Foreign("there is no other framework below."),
    "state_session_capacity": Foreign("sessions end with their pages.", ANY),
    "enable_monitoring": Foreign("use `ossicle graph`, or a trace.", (None, False)),
    "strict_cors": Foreign("name other pages' addresses in allowed_origins.", (None, True)),
    "node_server_name": Foreign("no Node runs here.", ANY),
    "node_port": Foreign("no Node runs here.", ANY),
    "ssr_mode": Foreign("the page is drawn in the browser.", (None, False)),
    "pwa": Foreign("the page cannot be installed.", (None, False)),
    "mcp_server": Foreign("there is none.", (None, False)),
    "i18n": Foreign("use Blocks(strings=...)."),
    "num_workers": Foreign("one process serves; see in_process for heavy functions.", (None, 1)),
    "ssl_certfile": Foreign("use tls=(certificate file, key file)."),
    "ssl_keyfile": Foreign("use tls=(certificate file, key file)."),
    "ssl_keyfile_password": Foreign("use tls=ssl_context, with the password in it.", secret=True),
    "ssl_verify": Foreign("nothing is asked at start that a certificate would stand in.", ANY),
    "file_directories": Foreign("what a function returns is served, and nothing else.", ANY),
}
ABSENT = {
    "route": "an app is one page; use Tabs.",
    "integrate": "nothing is reported to anybody here.",
    "get_api_info": "there is no HTTP interface.",
    "app": "apps are served by themselves: demo.launch(root_path=...) behind a proxy.",
}
"""Attributes of the peer's Blocks, and what to do instead."""
