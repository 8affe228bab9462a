"""The playground, as one plays with it."""

import re

import numpy as np
import pytest

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
STILL = {"reduced_motion": "reduce"}
START = "#start=1.8,-0.7&rate=0.001&rules=every-sample,memorized-mistakes,mistakes&time={}"
# Whether a rule's colour is seen on a canvas.
SEEN = """([name, rule]) => {
  const canvas = document.querySelector(`#clouds [data-part="${name}"]`);
  const swatch = document.querySelector(`.playground .swatch.${rule}`);
  const colour = getComputedStyle(swatch).backgroundColor.match(/\\d+/g).map(Number);
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4)
    count += colour.every((value, channel) => Math.abs(data[at + channel] - value) < 3);
  return count;
}"""


@pytest.fixture
def clouds(visit):
    """A function to open the playground; returns its first scene, when it has been drawn."""

    def clouds(fragment: str = "", **look):
        page = visit("playground", fragment, **STILL | look).page
        page.wait_for_function("document.querySelector('[data-part=said]').textContent")
        return page.locator("#clouds")

    return clouds


def part(scene, name: str):
    return scene.locator(f"[data-part={name}]")


def number(scene, rule: str, name: str) -> float:
    text = scene.locator(f".card[data-rule={rule}] [data-number={name}]").text_content()
    return float(text.removesuffix(" %").replace(",", ""))


def drawn(scene) -> None:
    """Wait until what was changed is on the screen."""
    scene.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def test_it_opens_with_a_replay(visit):
    page = visit("playground").page
    time = page.locator("#clouds [name=time]")
    page.wait_for_function("Number(document.querySelector('[name=time]').value) > 50")
    page.get_by_role("button", name="Pause").click()
    assert 50 < int(time.input_value()) < 6000
    before = time.input_value()
    page.wait_for_timeout(200)
    assert time.input_value() == before


def test_it_stands_still_for_those_who_want_that(clouds):
    scene = clouds()
    assert scene.locator("[name=time]").input_value() == "6000"
    assert part(scene, "play").text_content() == "Play"
    assert re.search(
        r"backprop has spent \d+ times the energy of pure lazy", part(scene, "said").text_content()
    )


def test_rules_spend_as_in_the_figure(clouds):
    scene = clouds(START.format(6000))
    energies = [
        number(scene, rule, "energy") for rule in ("mistakes", "memorized-mistakes", "every-sample")
    ]
    assert energies == sorted(energies) and energies[0] < energies[2] / 10
    assert number(scene, "mistakes", "accuracy") == 100
    assert number(scene, "mistakes", "learned") == 0  # it has stopped
    assert number(scene, "every-sample", "learned") == 200
    assert number(scene, "memorized-mistakes", "remembered") >= number(
        scene, "memorized-mistakes", "learned"
    )


def test_a_step_says_who_learns(clouds):
    scene = clouds(START.format(900))
    part(scene, "step").click()
    drawn(scene)
    assert scene.locator("[name=time]").input_value() == "901"
    said = part(scene, "said").text_content()
    assert re.fullmatch(r"Presentation 901: a point of class [01], learned by .*backprop.*\.", said)


@pytest.mark.parametrize(
    "look", [{}, PHONE, {"color_scheme": "dark"}], ids=["wide", "phone", "dark"]
)
def test_the_start_can_be_dragged(clouds, look):
    scene = clouds(START.format(6000), **look)
    canvas, mouse = part(scene, "weights"), scene.page.mouse
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def place(w1, w2):
        unit = box["width"] / 4.7
        return box["x"] + (w1 + 2.1) * unit, box["y"] + (2.35 - w2) * unit

    before = number(scene, "memorized-mistakes", "energy")
    mouse.move(*place(1.8, -0.7))
    mouse.down()
    mouse.move(*place(0, 0), steps=3)
    mouse.move(*place(-1.2, -0.1), steps=3)
    mouse.up()
    drawn(scene)
    start = [float(scene.locator(f"[name={name}]").input_value()) for name in ("w1", "w2")]
    np.testing.assert_allclose(start, (-1.2, -0.1), atol=0.05)
    # There lazy learning remembers nearly all, and spends as backprop does.
    spent = [number(scene, rule, "energy") for rule in ("memorized-mistakes", "every-sample")]
    assert spent[0] > 2 * before and spent[0] == pytest.approx(spent[1], rel=0.05)


def test_points_are_added_moved_and_deleted(clouds):
    scene = clouds(START.format(6000))
    label = part(scene, "points")

    def points() -> int:
        drawn(scene)
        return int(label.get_attribute("aria-label").split()[0])

    box = label.bounding_box()
    assert points() == 200
    scene.get_by_label("add ▲").check()
    label.click(position={"x": 0.2 * box["width"], "y": 0.4 * box["height"]})
    assert points() == 201
    assert number(scene, "mistakes", "accuracy") < 100  # it lies in the other cloud
    assert number(scene, "mistakes", "learned") > 0  # and pure lazy learning never stops
    scene.get_by_label("move").check()
    mouse = scene.page.mouse
    mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.4 * box["height"])
    mouse.down()
    mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.3 * box["height"], steps=4)
    mouse.up()
    assert points() == 201
    assert number(scene, "mistakes", "accuracy") == 100
    scene.get_by_label("delete", exact=True).check()
    label.click(position={"x": 0.9 * box["width"], "y": 0.3 * box["height"]})
    assert points() == 200
    part(scene, "empty").click()
    assert points() == 0
    assert part(scene, "said").text_content() == "There are no points: add some."
    part(scene, "originals").click()
    assert points() == 200


def test_all_is_done_by_the_keyboard(clouds):
    """Every control is reached by the tabulator key; points and start have numbers."""
    scene = clouds(START.format(6000))
    scene.locator("summary").focus()
    scene.page.keyboard.press("Enter")
    controls = scene.locator("button, input, summary")
    reached = set()
    part(scene, "play").focus()
    for _ in range(2 * controls.count()):
        reached.add(scene.page.evaluate("document.activeElement.outerHTML"))
        scene.page.keyboard.press("Tab")
    for control in controls.all():
        # Of the buttons of a choice one is reached, and the arrows go on from there.
        if control.get_attribute("type") == "radio" and not control.is_checked():
            continue
        assert control.evaluate("node => node.outerHTML") in reached
    scene.locator("[name=w1]").fill("-1.2")
    scene.locator("[name=point]").fill("1")
    scene.locator("[name=x1]").fill("1.5")
    drawn(scene)
    assert number(scene, "mistakes", "accuracy") < 100
    part(scene, "delete").press("Enter")
    drawn(scene)
    assert part(scene, "points").get_attribute("aria-label").startswith("199 points")


def test_caching_saves_what_would_be_undone(clouds):
    scene = clouds(START.format(6000))
    before = number(scene, "every-sample", "energy")
    scene.locator("[name=threshold]").fill("6")
    drawn(scene)
    assert number(scene, "every-sample", "energy") < before / 2
    assert number(scene, "every-sample", "accuracy") > 99


def test_the_address_keeps_the_state(clouds):
    scene = clouds(START.format(6000))
    scene.locator("[name=w1]").fill("0.5")
    scene.locator("[name=rate]").fill("4")
    scene.locator("[name=threshold]").fill("2")
    scene.locator(".card[data-rule=mistakes] input").uncheck()
    scene.get_by_label("accuracy", exact=True).check()
    part(scene, "order").click()
    scene.get_by_label("add ○").check()
    part(scene, "points").click(position={"x": 40, "y": 200})
    part(scene, "step").click()
    scene.locator("[name=time]").fill("1234")
    scene.page.wait_for_function("location.hash.includes('time=1234')")
    fragment = scene.page.evaluate("location.hash")
    again = clouds(fragment)
    drawn(scene)
    drawn(again)
    for name in ("weights", "points", "energy", "said", "time", "rate", "threshold"):
        kept = [
            (part(s, name).get_attribute("aria-label"), part(s, name).text_content())
            for s in (scene, again)
        ]
        assert kept[0] == kept[1]
    for rule in ("every-sample", "memorized-mistakes"):
        assert number(again, rule, "energy") == number(scene, rule, "energy")
    assert not again.locator(".card[data-rule=mistakes] input").is_checked()


@pytest.mark.parametrize(
    "fragment",
    ["#start=x,1&rate=7&time=-3", "#start=1e9,0&points=AAAA.9", "#start=1&points=%%%&rules=all"],
)
def test_an_address_that_makes_no_sense_is_as_good_as_none(clouds, fragment):
    scene = clouds(fragment)
    drawn(scene)
    assert scene.locator("[name=w1]").input_value() == "1.80"
    assert part(scene, "rate").text_content() == "0.001"
    assert part(scene, "points").get_attribute("aria-label").startswith("200 points")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("map_", ["loss", "accuracy"])
def test_paths_are_in_the_rules_colours(clouds, scheme, map_):
    scene = clouds(START.format(6000) + f"&map={map_}", color_scheme=scheme, device_scale_factor=2)
    drawn(scene)
    for rule in ("every-sample", "memorized-mistakes", "mistakes"):
        for name in ("weights", "points", "energy"):
            assert scene.page.evaluate(SEEN, [name, rule]) > 30
    canvas = part(scene, "weights").evaluate("node => [node.width, node.clientWidth]")
    assert canvas[0] == pytest.approx(2 * canvas[1], abs=6)  # as fine as the screen


def test_without_scripts_there_is_a_picture(visit):
    page = visit("playground", java_script_enabled=False).page
    assert not page.locator("#clouds").is_visible()
    picture = page.locator(".gallery-picture img:visible")
    assert picture.count() == 1 and picture.bounding_box()["height"] > 200


# --- the digits ---------------------------------------------------------------------------------


@pytest.fixture
def digits(visit):
    page = visit("playground", "#digits", **STILL).page
    page.wait_for_function("document.querySelector('#digits [data-part=accuracy]').textContent")
    return page.locator("#digits")


def test_the_memory_fills_up(digits):
    begun = float(part(digits, "accuracy").text_content().removesuffix(" %"))
    assert begun > 75
    spent = {}
    for name in ("every-sample", "memorized-mistakes", "mistakes"):
        digits.locator(f"[name=gate][value={name}]").check()
        for _ in range(3):
            part(digits, "pass").click()
        drawn(digits)
        assert part(digits, "presented").text_content() == "4,500"
        count = int(part(digits, "count").text_content().split()[0].replace(",", ""))
        assert count == 1500 if name == "every-sample" else 100 < count < 750
        assert float(part(digits, "accuracy").text_content().removesuffix(" %")) > begun
        spent[name] = float(part(digits, "spent").text_content().replace(",", ""))
    assert spent["mistakes"] < spent["memorized-mistakes"] < spent["every-sample"] / 2


def test_a_digit_of_ones_own_is_read_and_taught(digits):
    """A stroke from the top to the bottom is a one, unless one teaches otherwise."""
    pad = part(digits, "pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    mouse = digits.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.2 * box["height"])
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.8 * box["height"], steps=8)
    mouse.up()
    drawn(digits)
    assert part(digits, "answer").text_content().startswith("The network reads 1.")
    digits.locator("[data-digit='7']").click()
    digits.page.wait_for_function(
        "document.querySelector('[data-part=answer]').textContent.startsWith('It had read 1')"
    )
    assert "remembers it" in part(digits, "answer").text_content()
    assert part(digits, "count").text_content().startswith("1 of 1,501 images")
    part(digits, "wipe").click()
    drawn(digits)
    assert digits.locator("[data-digit='7']").is_disabled()


def test_it_plays_and_pauses(digits):
    part(digits, "play").click()
    digits.page.wait_for_function(
        "parseInt(document.querySelector('[data-part=presented]').textContent) > 5"
    )
    part(digits, "play").click()
    drawn(digits)
    before = part(digits, "presented").text_content()
    digits.page.wait_for_timeout(150)
    assert part(digits, "presented").text_content() == before
