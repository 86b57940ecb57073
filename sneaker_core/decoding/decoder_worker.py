"""A decoding process: it reads photos from its standard input and writes pixels to its standard output.

It imports Pillow and nothing heavier, so it starts in a tenth of a second. It ends when its input ends, which also
happens if the process that started it is killed.
"""

import faulthandler
from typing import Any

from sneaker_core import images
from sneaker_core.decoding.decoder_messages import Message, read_message, write_message
from sneaker_core.decoding.worker_setup import set_up_worker
from sneaker_core.errors import ImageError
from sneaker_core.settings import ImageLimits

# Time, in seconds beyond the limit, after which it ends by itself: whoever should have ended it is gone.
_GRACE = 2.0


def main() -> None:
    """Decode photos until the input ends."""
    requests, answers = set_up_worker()
    while (request := read_message(requests)) is not None:
        limits = ImageLimits(**request.head["limits"])
        # A thread in C, which ends the process even while a decoder holds Python's lock.
        faulthandler.dump_traceback_later(limits.max_seconds + _GRACE, exit=True)
        answer = _answer(request, limits)
        faulthandler.cancel_dump_traceback_later()
        write_message(answers, answer)


def _answer(request: Message, limits: ImageLimits) -> Message:
    try:
        photo = images.decode_photo(request.body, limits, shrink_to=request.head["shrink_to"])
    except ImageError as error:
        return Message({"error": type(error).__name__, "message": str(error)})
    head: dict[str, Any] = {"size": photo.image.size, "full": (photo.width, photo.height), "extension": photo.extension}
    return Message(head, photo.image.tobytes())


if __name__ == "__main__":
    main()
