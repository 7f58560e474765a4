"""Where the system's Chromium, Chrome or Edge is."""

import os
import shutil
import sys
from pathlib import Path

__all__ = ["find_browser"]

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)


def find_browser() -> str | None:
    """Path of an installed Chromium, Chrome or Edge, or None."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    if sys.platform == "darwin":
        apps = ("Chromium", "Google Chrome", "Microsoft Edge")
        places = [Path(f"/Applications/{app}.app/Contents/MacOS/{app}") for app in apps]
    else:
        programs = (
            "Chromium/Application/chrome",
            "Google/Chrome/Application/chrome",
            "Microsoft/Edge/Application/msedge",
        )
        roots = ("LOCALAPPDATA", "PROGRAMFILES", "PROGRAMFILES(X86)")
        folders = [Path(os.environ[root]) for root in roots if root in os.environ]
        places = [folder / f"{program}.exe" for program in programs for folder in folders]
    return next((str(place) for place in places if place.exists()), None)
