import pytest

from course_lib.training import budget


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("1", "quick"), ("true", "quick"), ("YES", "quick"), ("", "full"), ("0", "full")],
)
def test_the_environment_decides(monkeypatch, setting, expected):
    monkeypatch.setenv("COURSE_QUICK", setting)
    assert budget("full", "quick") == expected


def test_a_reader_gets_the_full_length(monkeypatch):
    monkeypatch.delenv("COURSE_QUICK", raising=False)
    assert budget(full=1000, quick=10) == 1000


def test_an_unknown_setting_is_refused(monkeypatch):
    monkeypatch.setenv("COURSE_QUICK", "maybe")
    with pytest.raises(ValueError, match="COURSE_QUICK is 'maybe'"):
        budget(2, 1)
