"""Properties are tested on the same cases in every run, however slow the machine."""

from hypothesis import settings

settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")
