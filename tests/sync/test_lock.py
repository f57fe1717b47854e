"""One run at a time, over processes, and gone with the process that held it."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sync.errors import RunActive
from sync.lock import only_run, open_run
from sync.site import open_site

NOW = datetime(2017, 9, 30, 12, tzinfo=UTC)
HOLD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sync.lock import only_run, open_run
with only_run(Path(sys.argv[1]), datetime(2017, 9, 30, 11, 59, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_another_process_is_named_with_its_number_and_beginning(tmp_path, holder) -> None:
    with pytest.raises(RunActive) as caught, only_run(tmp_path, NOW):
        pass
    assert f"active since 2017-09-30 11:59 (pid {holder.pid})" in str(caught.value)
    assert "foretag status" in str(caught.value)
    assert caught.value.exit_code == 75


def test_it_is_free_again_when_the_other_ends(tmp_path, holder) -> None:
    holder.communicate("")
    with only_run(tmp_path, NOW):
        pass


@pytest.mark.crash
def test_it_is_free_again_when_the_other_is_killed(tmp_path, holder) -> None:
    holder.send_signal(signal.SIGKILL)
    assert holder.wait() == -signal.SIGKILL
    with only_run(tmp_path, NOW):
        pass


def test_one_process_cannot_hold_it_twice_and_an_exception_frees_it(tmp_path) -> None:
    with only_run(tmp_path, NOW), pytest.raises(RunActive), only_run(tmp_path, NOW):
        pass
    with pytest.raises(ZeroDivisionError), only_run(tmp_path, NOW):
        raise ZeroDivisionError
    with only_run(tmp_path, NOW):
        pass


def test_a_run_is_named_by_its_number(tmp_path) -> None:
    with only_run(tmp_path, NOW) as hold:
        hold.beat(NOW, run=4711)
        hold.beat(NOW + timedelta(minutes=1))
        with pytest.raises(RunActive) as caught, only_run(tmp_path, NOW + timedelta(minutes=2)):
            pass
    assert str(caught.value).startswith(f"run 4711 is active since 2017-09-30 12:00 (pid {os.getpid()}). Try again")


def test_one_that_lives_but_is_silent_keeps_the_lock_and_is_told_to_hang(tmp_path) -> None:
    with only_run(tmp_path, NOW) as hold:
        hold.beat(NOW + timedelta(minutes=5))
        late = (NOW + timedelta(hours=1)).astimezone(ZoneInfo("Europe/Berlin"))
        with (
            pytest.raises(RunActive, match=rf"silent since 14:05\. If it hangs: kill {os.getpid()}"),
            only_run(tmp_path, late),
        ):
            pass


def test_an_owner_that_has_not_written_its_name_yet_is_no_error(tmp_path) -> None:
    with only_run(tmp_path, NOW):
        (tmp_path / "foretag.lock").write_text("")
        with pytest.raises(RunActive, match=r"^another run is active\. Try again"), only_run(tmp_path, NOW):
            pass


def test_the_book_tells_a_run_that_goes_on_from_one_that_was_cut_off(tmp_path) -> None:
    assert open_run(tmp_path, 7, NOW, NOW) == "cut off"
    late = NOW + timedelta(hours=1)
    with only_run(tmp_path, NOW) as hold:
        going_on = f"going on since 12:00 (pid {os.getpid()}, last sign of life 2017-09-30 12:00)"
        assert open_run(tmp_path, 7, NOW, NOW) == going_on, "who begins a run has the lock first"
        assert open_run(tmp_path, 6, NOW - timedelta(days=1), NOW) == "cut off"
        hold.beat(NOW, run=7)
        assert open_run(tmp_path, 7, NOW, NOW) == going_on
        assert open_run(tmp_path, 7, NOW, late) == going_on[:-1] + f"; if it hangs: kill {os.getpid()})"
        assert open_run(tmp_path, 6, NOW, NOW) == "cut off"
        book = json.loads((tmp_path / "foretag.lock").read_text())
        (tmp_path / "foretag.lock").write_text(json.dumps({**book, "host": "another"}))
        assert open_run(tmp_path, 7, NOW, NOW) == "cut off or still going on"
        (tmp_path / "foretag.lock").write_text("")
        assert open_run(tmp_path, 7, NOW, NOW) == "cut off or still going on"
    assert open_run(tmp_path, 7, NOW, NOW) == "cut off"


@pytest.mark.crash
def test_of_a_process_that_was_killed_the_book_is_not_believed(tmp_path, holder) -> None:
    assert open_run(tmp_path, 1, NOW, NOW).startswith(f"going on since 11:59 (pid {holder.pid}, ")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert open_run(tmp_path, 1, NOW, NOW) == "cut off"
    with only_run(tmp_path, NOW):
        pass


def test_the_folder_is_made(tmp_path) -> None:
    with only_run(tmp_path / "a" / "b", NOW):
        assert (tmp_path / "a" / "b" / "foretag.lock").exists()


def test_looking_does_not_wait_for_a_run(site) -> None:
    with only_run(site.config.data_dir, NOW):
        with open_site(site.config, site.clock, alone=False) as other:
            assert other.db.execute("SELECT count(*) FROM contact").fetchone()[0] == 0
        with pytest.raises(RunActive), open_site(site.config, site.clock):
            pass
