"""Forked kernels behave as ordinary ones do; where kernels cannot be forked they start the ordinary way."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest

from helpers.kernels.execute import execute_notebook
from helpers.kernels.fork_server import preload, provisioner
from helpers.kernels.fork_server.client import (
    KERNEL_ENVIRONMENT,
    PROVISIONER,
    PROVISIONER_VARIABLE,
    SOCKET_VARIABLE,
    ForkServer,
    ForkServerError,
    available,
    fork,
)
from helpers.kernels.pool import KernelPool
from helpers.run.executor import local_executor

pytestmark = pytest.mark.skipif(not available(), reason="kernels are forked on Linux only")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def warm() -> Iterator[ForkServer]:
    """One warm process for the tests that do it no harm."""
    process = ForkServer()
    process.wait_until_loaded()
    yield process
    process.close()


@pytest.fixture
def chosen(warm: ForkServer, monkeypatch: pytest.MonkeyPatch) -> ForkServer:
    """The warm process, asked for kernels by everything that this test starts."""
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    factory = KernelProvisionerFactory.instance()
    monkeypatch.setattr(factory, "default_provisioner_name", PROVISIONER)
    monkeypatch.setenv(PROVISIONER_VARIABLE, PROVISIONER)
    monkeypatch.setenv(SOCKET_VARIABLE, str(warm.socket))
    for name, value in KERNEL_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(provisioner, "_said", set())
    return warm


class Kernel:
    """A kernel that a test talks to."""

    def __init__(self, **options: Any) -> None:
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3", **options)

    def run(self, code: str) -> str:
        """What a cell writes, or the name of its error, or the kinds of what it displays."""
        said: list[str] = []

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "display_data":
                said.extend(sorted(content["data"]))
            said.append(content.get("text") or content.get("ename") or "")

        self.client.execute_interactive(code, output_hook=note, timeout=PATIENCE)
        return " ".join(part for part in said if part).strip()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@contextmanager
def kernel(**options: Any) -> Iterator[Kernel]:
    started = Kernel(**options)
    try:
        yield started
    finally:
        started.close()


PATIENCE = 600.0  # seconds; a busy machine is slow, not broken


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_kernel_comes_from_the_warm_process_with_the_libraries_loaded(chosen: ForkServer) -> None:
    with kernel() as one:
        code = "import os, sys; print(os.getppid(), {'pandas', 'scipy.stats', 'seaborn'} <= set(sys.modules))"
        assert one.run(code) == f"{chosen.pid} True"


def test_every_library_that_a_notebook_uses_is_loaded_beforehand(chosen: ForkServer) -> None:
    imports = sorted(set().union(*map(preload._imports_of, preload._sources())))
    thirds = {name for name in imports if name.split(".")[0] not in {*sys.stdlib_module_names, "helpers"}}
    assert {"lifelines", "statsmodels.formula.api"} & thirds  # the sources were read
    with kernel() as one:
        code = f"""
import importlib.util, sys
def loaded(name):
    base, _, last = name.rpartition(".")
    return name in sys.modules or (base in sys.modules and hasattr(sys.modules[base], last))
print(*[name for name in {sorted(thirds)} if not loaded(name)], sep=",")
"""
        assert one.run(code) == ""


def test_thereafter_it_loads_what_the_steps_need_and_still_has_one_thread(chosen: ForkServer) -> None:
    code = (
        "import sys; loaded = set(sys.modules)\n"
        "print({'docx', 'nbconvert', 'openpyxl', 'rocrate.rocrate'} <= loaded)\n"
        "assert 'rfc3987_syntax.syntax_helpers' not in loaded, 'a second, for nothing here'"
    )

    def loaded() -> bool:
        with kernel() as one:
            return one.run(f"import os; print(os.getppid()); {code}") == f"{chosen.pid}\nTrue"

    assert within(PATIENCE, loaded)
    assert len(list(Path(f"/proc/{chosen.pid}/task").iterdir())) == 1


def test_the_warm_process_has_one_thread_and_a_socket_of_its_owner_alone(chosen: ForkServer) -> None:
    with kernel():
        assert len(list(Path(f"/proc/{chosen.pid}/task").iterdir())) == 1
        assert stat.S_IMODE(chosen.socket.parent.stat().st_mode) == 0o700


def test_kernels_share_neither_variables_nor_random_numbers(chosen: ForkServer) -> None:
    code = (
        "import numpy, random; print(numpy.random.random(), random.random(), 'mine' in globals()); mine = 1"
    )
    with kernel() as one, kernel() as other:
        first, second = one.run(code).split(), other.run(code).split()
    assert first[2] == second[2] == "False"
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_a_kernel_has_the_folder_and_the_environment_it_was_given(
    chosen: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_CALLER", "yes")
    with kernel(cwd=str(tmp_path)) as one:
        code = "import os; print(os.getcwd(), os.environ.get('OF_THE_CALLER'), os.environ['OMP_NUM_THREADS'])"
        assert one.run(code) == f"{tmp_path} yes 1"


def test_messages_travel_through_files_that_others_cannot_read(chosen: ForkServer) -> None:
    with kernel() as one:
        assert one.manager.transport == "ipc"
        folder = Path(one.manager.ip).parent
        assert stat.S_IMODE(folder.stat().st_mode) & 0o777 == 0o700
    assert not folder.exists()


def test_a_plot_is_shown_as_in_an_ordinary_kernel(chosen: ForkServer) -> None:
    with kernel() as one:
        assert "image/png" in one.run("import matplotlib.pyplot as plt; plt.plot([1, 2]); None")


def test_an_interrupt_ends_the_cell_and_not_the_kernel(chosen: ForkServer, tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def interrupt() -> None:
        if within(PATIENCE, begun.exists):
            one.manager.interrupt_kernel()

    with kernel() as one:
        threading.Thread(target=interrupt, daemon=True).start()
        cell = f"import time\nopen({str(begun)!r}, 'w').close()\ntime.sleep({PATIENCE})"
        assert one.run(cell) == "KeyboardInterrupt"
        assert one.run("print('still here')") == "still here"


def test_a_restart_gives_a_fresh_kernel(chosen: ForkServer) -> None:
    with kernel() as one:
        before = one.run("x = 1; import os; print(os.getpid())")
        one.manager.restart_kernel(now=True)
        one.client.wait_for_ready(timeout=PATIENCE)
        assert (
            one.run("import os; print(os.getpid() != int(" + before + "), 'x' in globals())") == "True False"
        )


def test_a_killed_kernel_is_noticed(chosen: ForkServer) -> None:
    with kernel() as one:
        pid = int(one.run("import os; print(os.getpid())"))
        os.kill(pid, signal.SIGKILL)
        assert within(PATIENCE, lambda: not one.manager.is_alive())
        assert one.manager.provisioner.process.poll() == -signal.SIGKILL


def test_a_kernel_does_not_outlive_the_process_that_asked_for_it(chosen: ForkServer) -> None:
    code = (
        "import os\nfrom jupyter_client.manager import start_new_kernel\n"
        "manager, client = start_new_kernel(kernel_name='python3')\n"
        "print(manager.provisioner.process.pid, flush=True)\nos._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert within(PATIENCE, lambda: not exists(int(done.stdout)))


def test_a_function_runs_in_a_forked_process(chosen: ForkServer, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("w+b") as file:
        order = {"function": "os:mkdir", "arguments": {"path": str(tmp_path / "made")}, "paths": []}
        ended = fork(str(chosen.socket), {"call": order}, os.environ, str(tmp_path), (file.fileno(),) * 2)
        assert ended.wait(PATIENCE) == 0
        again = fork(str(chosen.socket), {"call": order}, os.environ, str(tmp_path), (file.fileno(),) * 2)
        assert again.wait(PATIENCE) == 1
    assert (tmp_path / "made").is_dir()
    assert "FileExistsError" in out.read_text()


def test_another_hash_seed_is_refused_and_the_kernel_starts_the_ordinary_way(
    chosen: ForkServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    with kernel() as one:
        assert one.run("import os; print(os.getppid(), os.environ['PYTHONHASHSEED'])") == f"{os.getpid()} 7"
    with kernel():
        pass
    assert capfd.readouterr().err.count("PYTHONHASHSEED is 7") == 1


def test_without_its_warm_process_a_kernel_ends_and_the_next_starts_the_ordinary_way(
    chosen: ForkServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMPENDIUM_PROJECT", str(tmp_path))  # without notebooks: little to load
    process = ForkServer()
    monkeypatch.setenv(SOCKET_VARIABLE, str(process.socket))
    with kernel() as one:
        pid = int(one.run("import os; print(os.getpid())"))
        os.kill(process.pid, signal.SIGKILL)
        assert within(PATIENCE, lambda: not exists(pid))
    with kernel() as other:
        assert other.run("import os; print(os.getppid())") == str(os.getpid())
    assert "the ordinary, slower way" in capfd.readouterr().err
    process.close()


def test_a_kernel_does_not_wait_for_imports_and_makes_up_for_what_is_missing(chosen: ForkServer) -> None:
    early = ForkServer()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(SOCKET_VARIABLE, str(early.socket))
            with kernel() as one:
                code = "import os, sys; print(os.getppid(), 'statsmodels' in sys.modules)"
                assert one.run(code) == f"{early.pid} False"
                assert one.run("import gc; print(gc.isenabled())") == "True"
                assert one.run("import statsmodels, matplotlib.pyplot as plt; plt.plot([1]); None")
            early.wait_until_loaded()
            with kernel() as other:
                assert other.run(code) == f"{early.pid} True"
    finally:
        early.close()


def test_one_for_documents_loads_what_notebooks_use_only_when_asked(
    chosen: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = ForkServer(steps_first=True)
    try:
        monkeypatch.setenv(SOCKET_VARIABLE, str(process.socket))
        code = "import os, sys; print(os.getppid(), *[n in sys.modules for n in ('nbconvert', 'lifelines')])"

        def found() -> str:
            with kernel() as one:
                return one.run(code)

        assert within(PATIENCE, lambda: found() == f"{process.pid} True False")
        process.wait_until_loaded()
        assert found() == f"{process.pid} True True"
        assert len(list(Path(f"/proc/{process.pid}/task").iterdir())) == 1
    finally:
        process.close()


def test_a_run_that_has_little_to_do_starts_one_once_it_knows_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(SOCKET_VARIABLE, raising=False)
    monkeypatch.setenv(PROVISIONER_VARIABLE, PROVISIONER)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with local_executor(1, much_to_do=False) as executor:
        assert SOCKET_VARIABLE not in os.environ, "perhaps nothing has changed"
        executor.prepare()
        socket = Path(os.environ[SOCKET_VARIABLE])
        assert socket.is_socket()
    assert SOCKET_VARIABLE not in os.environ
    assert not socket.parent.exists()


def test_a_process_without_a_warm_one_starts_its_own_with_the_first_kernel(tmp_path: Path) -> None:
    code = (
        "from jupyter_client.manager import start_new_kernel\n"
        "from helpers.kernels.fork_server import use\n"
        "for turn in range(2):\n"
        "    manager, kernel = start_new_kernel(kernel_name='python3')\n"
        "    print(type(manager.provisioner.process).__name__)\n"
        "    kernel.stop_channels(); manager.shutdown_kernel(now=True)\n"
        "print(use._own.pid)\n"
        "use.close_own()\n"
    )
    env = {name: value for name, value in os.environ.items() if name != SOCKET_VARIABLE}
    env |= {PROVISIONER_VARIABLE: PROVISIONER, "COMPENDIUM_PROJECT": str(tmp_path)} | KERNEL_ENVIRONMENT
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    *kinds, pid = done.stdout.split()
    assert kinds == ["ForkedProcess", "ForkedProcess"]
    assert not exists(int(pid))


def test_an_address_where_nobody_listens_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ForkServerError, match="does not answer"):
        fork(str(tmp_path / "socket"), {"argv": []}, {}, str(tmp_path), (1, 2))


def test_a_command_gets_warm_kernels_and_its_own_exit_status() -> None:
    code = f"import os, sys; sys.exit(7 if os.path.exists(os.environ['{SOCKET_VARIABLE}']) else 1)"
    command = [sys.executable, "-m", "helpers.commands.cli", "warm", sys.executable, "-c", code]
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {SOCKET_VARIABLE, PROVISIONER_VARIABLE}
    }
    assert subprocess.run(command, check=False, env=env, cwd=ROOT).returncode == 7


def test_a_changed_file_has_the_package_imported_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import helpers.results.format

    def edited() -> None:
        os.utime(tmp_path / "module.py", (1, 1))

    def added() -> None:
        (tmp_path / "journal.toml").write_text("")

    def removed() -> None:
        (tmp_path / "module.py").unlink()

    monkeypatch.setattr(preload, "package_folder", lambda: tmp_path)
    (tmp_path / "module.py").write_text("")
    kept = {name: module for name, module in sys.modules.items() if name.startswith("helpers")}
    for change in (edited, added, removed):
        loaded = preload.package_files()
        preload.forget_changed(loaded)
        assert sys.modules["helpers.results.format"] is helpers.results.format
        change()
        preload.forget_changed(loaded)
        assert "helpers.results.format" not in sys.modules
        sys.modules.update(kept)


def test_a_module_under_edit_does_not_keep_the_others_from_being_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "half_written.py").write_text("import json\ndef half(:\n")
    (tmp_path / "broken.py").write_text("raise RuntimeError('not now')\n")
    monkeypatch.syspath_prepend(tmp_path)
    sources = [tmp_path / "half_written.py"]
    assert preload._imports_of(sources) == {"json"}
    for name in ("half_written", "broken"):
        preload._import(name)
        assert name not in sys.modules


def test_a_library_that_starts_a_thread_keeps_the_process_from_being_forked(tmp_path: Path) -> None:
    code = (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "from helpers.kernels.fork_server import preload\n"
        "list(preload.preload())\n"
        "try:\n    preload.prepare_fork()\nexcept preload.PreloadError as error:\n    print(error)\n"
    )
    env = os.environ | KERNEL_ENVIRONMENT | {"COMPENDIUM_PROJECT": str(tmp_path)}
    env |= {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.strip() == "the warm process has 2 threads after its imports"


@pytest.fixture
def pool(chosen: ForkServer, tmp_path: Path) -> Iterator[KernelPool]:
    """Up to two kernels, started ahead in a folder of the test's own."""
    with closing(KernelPool(chosen, tmp_path, 2, tmp_path / "stages")) as pool:
        yield pool


def started(pool: KernelPool) -> list[Any]:
    """Managers of the kernels that wait, once both have started."""
    assert within(PATIENCE, lambda: len(pool._waiting) == 2), "as many as notebooks run at a time"
    return [each.result() for each in pool._waiting]


def test_the_kernels_of_the_notebooks_that_follow_start_while_one_runs(
    pool: KernelPool, tmp_path: Path
) -> None:
    source = tmp_path / "notebook.ipynb"
    code = nbformat.v4.new_code_cell("import os\nprint(os.getpid(), os.getcwd())", id="only")
    nbformat.write(nbformat.v4.new_notebook(cells=[code]), source)

    def executed() -> tuple[int, str]:
        with pool.kernel() as kernel:
            failed = tmp_path / "failed.ipynb"
            execute_notebook(source, tmp_path / "done.ipynb", {}, failed=failed, kernel=kernel)
        cells = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells
        pid, folder = cells[0].outputs[0].text.split()
        return int(pid), folder

    assert pool.take() is None, "nobody has told that a notebook would run"
    pool.expect(5)
    ahead = [manager.provisioner.pid for manager in started(pool)]
    pool.expect(0)
    assert [executed(), executed()] == [(pid, str(tmp_path)) for pid in ahead]
    assert executed()[0] not in ahead
    assert within(PATIENCE, lambda: not any(exists(pid) for pid in ahead))


def test_a_waiting_kernel_that_has_died_is_not_given_out(pool: KernelPool, tmp_path: Path) -> None:
    pool.expect(2)
    dead, alive = started(pool)
    pool.expect(0)
    os.kill(dead.provisioner.pid, signal.SIGKILL)
    assert within(PATIENCE, lambda: dead.provisioner.process.poll() is not None)
    assert pool.take() is None
    assert pool.take() is alive
    pool.end(alive)


def test_kernels_that_nobody_takes_end_and_leave_nothing(chosen: ForkServer, tmp_path: Path) -> None:
    with closing(KernelPool(chosen, tmp_path, 2, tmp_path / "stages")) as pool:
        pool.expect(2)
        managers = started(pool)
        sockets = [Path(manager.ip).parent for manager in managers]
        assert all(folder.is_dir() for folder in sockets)
        os.kill(managers[0].provisioner.pid, signal.SIGKILL)
    assert not any(exists(manager.provisioner.pid) for manager in managers)
    assert not any(folder.exists() for folder in sockets)
    assert list((tmp_path / "stages").iterdir()) == []


class NeverLoaded(ForkServer):
    """A fork server whose libraries load for ever."""

    def __init__(self) -> None:
        self.given_up = False

    def wait_until_loaded(self, given_up: threading.Event | None = None) -> bool:
        assert given_up is not None
        self.given_up = given_up.wait(PATIENCE)
        return False


def test_a_short_run_does_not_wait_for_the_libraries(tmp_path: Path) -> None:
    loading = NeverLoaded()
    with closing(KernelPool(loading, tmp_path, 1, tmp_path / "stages")) as pool:
        pool.expect(1)
        assert pool.take() is None, "one forked now would lack libraries"
    assert loading.given_up
