"""What every widget must do, wherever it is shown: play, scrub, answer to its controls."""

from seen import Seen

__all__ = ["plays", "scrubs", "settings_change_the_picture"]


def plays(seen: Seen) -> None:
    """Space starts it, the picture moves; space again stops it at a whole frame."""
    seen.seek(0)
    before = seen.picture()
    seen.root.focus()
    seen.page.keyboard.press("Space")
    seen.until("stage => stage.clock.at > 1")
    assert seen.js("stage => stage.clock.playing")
    seen.page.keyboard.press("Space")
    assert not seen.js("stage => stage.clock.playing")
    assert seen.at() == int(seen.at())
    seen.wait()
    assert seen.picture() != before


def scrubs(seen: Seen) -> None:
    """By mouse and by keyboard, without a question to Python."""
    asked = seen.js("stage => stage.serial")
    last = seen.frames() - 1
    seen.seek(0)
    before = seen.picture()
    seen.drag_time(0.75)
    seen.wait()
    assert 0.6 * last < seen.at() < 0.9 * last
    assert seen.picture() != before

    seen.root.focus()
    seen.page.keyboard.press("Home")
    assert seen.at() == 0
    seen.page.keyboard.press("ArrowRight")
    assert seen.at() == 1
    seen.page.keyboard.press("End")
    assert seen.at() == last
    seen.page.keyboard.press("ArrowLeft")
    assert seen.at() == last - 1
    assert seen.js("stage => stage.serial") == asked


def settings_change_the_picture(seen: Seen) -> None:
    """Every slider, choice and toggle is moved in turn by keyboard; at least one frame differs.

    One without effect just now cannot be moved.
    """
    for name, kind in seen.js(
        "stage => stage.face.controls.filter(c => c.kind !== 'action').map(c => [c.name, c.kind])"
    ):
        if seen.js(f"stage => stage.spec.idle.includes({name!r})"):
            assert seen.js(f"stage => stage.controls[{name!r}].input.disabled")
            continue
        frames = [0, seen.frames() // 2, seen.frames() - 1]
        before = [_at(seen, frame) for frame in frames], seen.root.inner_text()
        control = f"stage => stage.controls[{name!r}]"
        value = seen.js(f"stage => stage.values[{name!r}]")
        seen.js(f"stage => ({control})(stage).input.focus()")
        if kind == "toggle":
            seen.page.keyboard.press("Space")
        else:
            seen.page.keyboard.press("ArrowRight")
            if seen.js(f"stage => stage.values[{name!r}]") == value:  # it stood at its end
                seen.page.keyboard.press("ArrowLeft")
        assert seen.js(f"stage => stage.values[{name!r}]") != value, f"{name} does not move"
        seen.wait()
        assert seen.root.locator(".error").is_hidden(), seen.root.locator(".error").inner_text()
        frames = [0, seen.frames() // 2, seen.frames() - 1]
        after = [_at(seen, frame) for frame in frames], seen.root.inner_text()
        assert after != before, f"{name} changes nothing"


def _at(seen: Seen, frame: int) -> list[int]:
    seen.seek(frame)
    return seen.picture()
