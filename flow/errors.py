"""What can go wrong, split by whose fault it is: the author of the app, or the world."""

from __future__ import annotations


class OssicleError(Exception):
    """The root of every error that ossicle raises on purpose."""


class DeclarationError(OssicleError, ValueError):
    """The app is written in a way that cannot work. Raised while the app is built, never later."""


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


class InputError(WorldError, ValueError):
    """A user's value that a component cannot take. The text is shown to that user."""


class Error(OssicleError):
    """Raise it in a listener's function to show `message` to the user.

    duration: seconds on the screen; None stays until closed. visible=False fails the request
    without a toast. print_exception=False keeps it out of the log.
    """

    def __init__(
        self,
        message: str = "Error raised.",
        duration: float | None = 10,
        visible: bool = True,
        title: str = "Error",
        print_exception: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.duration = duration
        self.visible = visible
        self.title = title
        self.print_exception = print_exception
