"""Texts that want to be code, in every place of a page that shows a text."""

from __future__ import annotations

import json
from typing import Any

from playwright.async_api import Route, expect

import ossicle as oc

from .conftest import Open

OUTSIDE = "https://evil.example"
HARM = "window.harmed=1"
TEXTS = [
    f"<script>{HARM}</script>",
    f'<img src=x onerror="{HARM}">',
    f"<svg/onload={HARM}>",
    f'<svg><a xlink:href="javascript:{HARM}"><text y=9>x</text></a></svg>',
    f'<a href="javascript:{HARM}">x</a>',
    f'<a href=" java&#10;script:{HARM}">x</a>',
    f"[x](javascript:{HARM}) [y](data:text/html,<script>{HARM}</script>)",
    f'<iframe srcdoc="<script>parent.{HARM}</script>"></iframe>',
    f"<details open ontoggle={HARM}>x</details>",
    f"<input autofocus onfocus={HARM}>",
    f'<form id=x><input name=attributes><button formaction="javascript:{HARM}">x</button></form>',
    f'<style>@import "{OUTSIDE}/a.css";</style><link rel=stylesheet href="{OUTSIDE}/b.css">',
    f'<img src="{OUTSIDE}/c.png"> ![x]({OUTSIDE}/d.png)',
    f'<div style="background:url({OUTSIDE}/e.png)">x</div>',
    f'<base href="{OUTSIDE}/"><meta http-equiv=refresh content="0;url={OUTSIDE}/f">',
    f"<math><mtext><table><mglyph><style><!--</style><img title='--><img src=1 onerror={HARM}>'>",
]
HOSTILE = "\n\n".join(TEXTS)
TREE = json.loads(
    '{"__proto__": {"harmed": 1}, "constructor": {"prototype": {"harmed": 1}}, "toString": "x"}'
)


async def test_no_text_becomes_code_or_asks_another_server(visit: Open) -> None:
    """Markdown and HTML are sanitised, all else is text; keys of JSON are only keys."""
    with oc.Blocks(title=HOSTILE) as app:
        with oc.Tab(HOSTILE), oc.Accordion(HOSTILE, open=True):
            text = oc.Textbox(HOSTILE, label=HOSTILE, info=HOSTILE, placeholder=HOSTILE)
        shown = [
            oc.Markdown(HOSTILE),
            oc.HTML(HOSTILE),
            oc.JSON({HOSTILE: TREE}, label="tree"),
            oc.Dataframe([[HOSTILE, TREE["toString"]]], headers=[HOSTILE, "__proto__"]),
            oc.Label({HOSTILE: 0.9, "__proto__": 0.1}),
            oc.Textbox(),
        ]
        oc.Dropdown([HOSTILE, "__proto__"], value="__proto__", label=HOSTILE)
        oc.Radio([HOSTILE, "constructor"], value=HOSTILE, label=HOSTILE)

        def show(words: str) -> list[Any]:
            oc.Info(words, title=words)
            return [words, words, {words: TREE}, [[words, "x"]], {words: 0.5}, words]

        def fail(words: str) -> None:
            raise oc.Error(words, title=words)

        oc.Button("Show").click(show, text, shown)
        oc.Button("Fail").click(fail, text)
    tab = await visit(app)
    page, reached = tab.page, list[str]()

    async def reach(route: Route) -> None:  # what the page's policy stops does not come here
        reached.append(route.request.url)
        await route.abort()

    await page.route(f"{OUTSIDE}/**", reach)
    await page.reload()
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("status").filter(has_text="<script>").first).to_be_visible()
    await page.get_by_role("button", name="Fail").click()
    await expect(page.get_by_role("alert").filter(has_text="<script>").first).to_be_visible()
    seen = await page.evaluate(
        """() => ({
            harmed: [window.harmed, {}.harmed, Object.prototype.toString.call('')],
            outside: document.baseURI.startsWith(location.origin),
            handlers: [...document.querySelectorAll('main *')].filter((each) =>
                [...each.attributes].some(({ name }) => name.startsWith('on'))).length,
            links: [...document.querySelectorAll('main a')].map((each) => each.getAttribute('href')
                ?? each.getAttribute('xlink:href')).filter((to) => /script|data:/i.test(to ?? '')),
            bad: document.querySelectorAll(
                'main :is(script, iframe, style, form, base, meta)').length,
        })"""
    )
    assert seen == {
        "harmed": [None, None, "[object String]"],
        "outside": True,
        "handlers": 0,
        "links": [],
        "bad": 0,
    }
    assert reached == []
    # The sanitiser parses what it takes apart, and the page's policy complains of that already;
    # `src=x` is no file of ours.
    words = ("Content Security Policy", "404 (Not Found)")
    tab.errors[:] = [each for each in tab.errors if not any(word in each for word in words)]
