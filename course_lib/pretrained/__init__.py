"""Networks that come trained: `digit_judge()` reads a digit, `digit_generator()` writes one."""

from course_lib.pretrained.load import digit_generator, digit_judge

__all__ = ["digit_generator", "digit_judge"]
