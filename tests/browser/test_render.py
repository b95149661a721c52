"""Parts of the page that are made anew, as a person has them."""

from __future__ import annotations

from playwright.async_api import expect

import ossicle as oc

from .conftest import Open, Serve


async def test_a_slider_makes_fields_that_work_and_keep_their_text(
    visit: Open, serve: Serve
) -> None:
    """Fields come and go with the number; what has a key keeps text and focus, also on return."""
    with oc.Blocks() as app:
        count = oc.Number(2, label="Tracks")
        heard = oc.Textbox(label="Heard")

        @oc.render(inputs=count)
        def tracks(n: int | None) -> None:
            with oc.Row():
                for i in range(int(n or 0)):
                    name = oc.Textbox(label=f"Track {i}", key=i)
                    name.change(str.upper, name, heard)
            if n == 9:
                raise oc.Error("nine is too many")

    site = await serve(app)
    page = (await visit(site)).page
    field = page.get_by_label("Track 1")
    await field.press_sequentially("bass")
    await expect(page.get_by_label("Heard")).to_have_value("BASS")

    await page.get_by_label("Tracks").fill("3")
    await page.get_by_label("Track 2").press_sequentially("drums")
    await expect(page.get_by_label("Heard")).to_have_value("DRUMS")
    await expect(field).to_have_value("bass")

    await site.cut()
    await site.mend()
    await field.fill("lead")
    await expect(page.get_by_label("Heard")).to_have_value("LEAD")

    await page.get_by_label("Tracks").fill("9")
    await expect(page.get_by_text("nine is too many")).to_be_visible()
    await expect(page.get_by_label("Track 2")).to_have_value("drums")

    await page.get_by_label("Tracks").fill("1")
    await expect(page.get_by_label("Track 2")).to_have_count(0)
    await expect(page.locator("[data-type=textbox]")).to_have_count(2)


async def test_a_recording_goes_on_while_its_part_is_made_anew(visit: Open) -> None:
    """What has a key stays, also inside of a row that has none."""
    with oc.Blocks() as app:
        count = oc.Number(1, label="Tracks")
        heard = oc.Number(label="Heard")

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            with oc.Row():
                take = oc.Audio(label="Take", key="take", interactive=True)
            for i in range(int(n)):
                oc.Textbox(label=f"Track {i}")
            take.stop_recording(lambda sound: len(sound[1]), take, heard)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]

    page = (await visit(app)).page
    await page.get_by_role("button", name="Record").click()
    await expect(page.get_by_text("Recording")).to_be_visible()
    await page.get_by_label("Tracks").fill("3")
    await expect(page.get_by_label("Track 2")).to_be_visible()
    await expect(page.get_by_text("Recording")).to_be_visible()
    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect(page.locator(".wave.drawn")).to_be_visible()
    await expect(page.get_by_label("Heard")).not_to_have_value("")
