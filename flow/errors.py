"""What can go wrong, split by whose fault it is: the author of the app, or the world."""

from __future__ import annotations

from math import inf


class OssicleError(Exception):
    """The root of every error that ossicle raises on purpose."""


class DeclarationError(OssicleError, ValueError):
    """The app is written in a way that cannot work. Raised while the app is built, never later."""


class OptionWarning(UserWarning):
    """Something was written that does nothing; the app runs, and the text has the way out."""


class TriggerError(DeclarationError):
    """A trigger mode that is unknown, or that contradicts another option."""


class ResultError(OssicleError, ValueError):
    """A function returned something that its outputs cannot take."""


class HopError(OssicleError, RuntimeError):
    """A chain of changes and followers went on for longer than any real one does."""


class WorldError(OssicleError):
    """Nobody wrote anything wrong; the world did not play along."""


class QueueFull(WorldError):
    """`max_size` requests are waiting already."""


class Overload(WorldError):
    """A live stream comes faster than its function can take it."""


def shown_for(what: str, duration: object) -> float | None:
    """For how many seconds a message shows. Raises DeclarationError for what is no such number."""
    if duration is None or (isinstance(duration, int | float) and 0 <= duration < inf):
        return duration
    raise DeclarationError(f"{what}: duration={duration!r} must be seconds, or None to stay.")


class InputError(WorldError, ValueError):
    """A user's value that a component cannot take. The text is shown to that user."""


def text_of(error: BaseException) -> str:
    """Its text, also of one whose own `__str__` raises: that must not hide that it was raised."""
    try:
        return str(error)
    except Exception as failed:
        return f"(its __str__ raised {type(failed).__name__})"


def named(error: BaseException) -> str:
    """Its kind and its text, if it has one."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class Error(OssicleError):
    """Raise it in a listener's function to show `message` to the user.

    duration: seconds on the screen; None stays until closed. visible=False fails the request
    without a toast. print_exception=False keeps it out of the log.
    Whatever is no text, like another exception, is shown as what `str` makes of it.
    """

    def __init__(
        self,
        message: object = "Error raised.",
        duration: float | None = 10,
        visible: bool = True,
        title: str = "Error",
        print_exception: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = text_of(message) if isinstance(message, BaseException) else str(message)
        self.duration = shown_for("Error", duration)
        self.visible = visible
        self.title = str(title)
        self.print_exception = print_exception
