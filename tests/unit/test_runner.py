"""Many jobs give the same rows however they are run; what is done is kept, what fails is named."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import runner  # noqa: E402
import table  # noqa: E402

#: An experiment in files of its own, as a user would write one. Jobs of size 13 fail, of size 14
#: take their process with them, of size 99 last; "threads" is what the process was allowed.
TINY = '''
import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
import runner
import table
from scale import SCALE

from rnnlib import RNNCell, forward

KEY = ("size", "seed")


def run(job):
    if job["size"] == 13:
        raise ValueError("thirteen cannot be done")
    if job["size"] == 14:
        os._exit(1)
    if job["size"] == 99:
        time.sleep(60)
    rng = np.random.default_rng(job["seed"])
    cell = RNNCell.init(1, job["size"], rng=rng)
    h = forward(cell, rng.standard_normal((30, 2, 1))).h
    return {"sum": (SCALE * float((h @ h.swapaxes(1, 2)).sum())).hex(),
            "threads": os.environ["OPENBLAS_NUM_THREADS"]}


def main(argv=None):
    parser = argparse.ArgumentParser()
    runner.add_arguments(parser, seeds=2)
    parser.add_argument("--sizes", type=int, nargs="+", default=[3, 40])
    args = parser.parse_args(argv)
    jobs = [{"size": size, "seed": seed} for size in args.sizes for seed in runner.seeds(args)]
    return runner.run(run, jobs, args.out / "tiny.csv", KEY, args)


if __name__ == "__main__":
    sys.exit(main())
'''
CLUSTER = '''
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None,
                      host="127.0.0.1") as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
'''
CLEAN = {name: value for name, value in os.environ.items()
         if name != "PYTHONPATH" and not name.endswith("_NUM_THREADS")}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The folder of the tiny experiment, which is in two files."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny.py").write_text(TINY, encoding="utf-8")
    (folder / "scale.py").write_text("SCALE = 3.0\n", encoding="utf-8")
    return folder


def started(tiny, out, *arguments):
    """A run of the tiny experiment, every warning an error."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "tiny.py", "--out", str(out), *map(str, arguments)],
        cwd=tiny, env=CLEAN | {"PYTHONPATH": str(EXPERIMENTS), "TQDM_DISABLE": "1",
                    "OPENBLAS_NUM_THREADS": "4"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )


def finished(process):
    """(status, what it said on stderr)."""
    _, said = process.communicate(timeout=40)
    return process.returncode, said


@pytest.fixture(scope="module")
def local(tiny):
    """The result file of a run in one process."""
    assert finished(started(tiny, tiny / "local", "--jobs", 1)) == (0, "")
    return tiny / "local" / "tiny.csv"


def columns(path, *names):
    return [tuple(row[name] for name in names) for row in table.read(path)]


def test_one_process_and_two_give_the_same_file_with_one_thread_each(tiny, local):
    assert finished(started(tiny, tiny / "two", "--jobs", 2)) == (0, "")
    assert (tiny / "two" / "tiny.csv").read_bytes() == local.read_bytes()
    assert columns(local, "size", "seed", "threads") == [
        ("3", "0", "1"), ("3", "1", "1"), ("40", "0", "1"), ("40", "1", "1")]
    assert len(set(columns(local, "sum"))) == 4


def test_a_seed_alone_gives_the_bits_that_it_gives_among_others(tiny, local):
    assert finished(started(tiny, tiny / "one", "--seed", 1, "--seeds", 1, "--jobs", 1))[0] == 0
    rows = table.read(local)
    assert table.read(tiny / "one" / "tiny.csv") == [rows[1], rows[3]]


# --- a cluster --------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path):
    """The address of a Dask cluster that knows rnnlib and none of the experiments."""
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER, encoding="utf-8")
    with subprocess.Popen([sys.executable, script], cwd=tmp_path, env=CLEAN, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process.stdout.readline().strip()
        process.communicate("", timeout=20)


def test_a_cluster_gives_the_same_bits_and_is_sent_what_it_lacks(tiny, local, tmp_path, cluster):
    run = started(tiny, tmp_path, "--cluster", cluster, "--sizes", 3, 13, 40)
    status, said = finished(run)
    assert status == 1 and "4 of 6 jobs are done" in said
    assert "--- size 13, seed 0" in said and "thirteen cannot be done" in said
    assert (tmp_path / "tiny.csv").read_bytes() == local.read_bytes()


class TwoThreads:
    """A client of a cluster whose workers have two threads."""

    def __init__(self, address, timeout):
        self.nthreads = lambda: {"tcp://worker": 2}

    def wait_for_workers(self, n_workers, timeout):
        pass

    def close(self):
        pass


def test_workers_with_two_threads_are_refused(monkeypatch):
    monkeypatch.setattr("distributed.Client", TwoThreads)
    with pytest.raises(SystemExit, match=r"start the workers with one thread \(--nthreads 1\)"):
        runner._client("tcp://somewhere:8786")


def test_no_cluster_there_is_said(monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE", 0.2)
    with pytest.raises(SystemExit, match="--cluster tcp://127.0.0.1:9: no scheduler with a worker"):
        runner._client("tcp://127.0.0.1:9")


@pytest.mark.parametrize("module, call", [
    ("distributed", lambda: runner._client("tcp://127.0.0.1:9")),
    ("joblib", lambda: list(runner._on_cores(None, [], 1))),
])
def test_what_is_not_installed_is_said(monkeypatch, module, call):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit, match=rf"{module}: pip install -e \"\.\[experiments\]\""):
        call()


# --- what is kept -----------------------------------------------------------------------------


def test_a_failing_job_is_named_and_the_others_are_done(tiny, tmp_path):
    status, said = finished(started(tiny, tmp_path, "--sizes", 13, 3, "--jobs", 1))
    assert status == 1 and "2 of 4 jobs are done" in said and "2 failed:" in said
    for seed in (0, 1):
        assert f"--- size 13, seed {seed}\nTraceback" in said
    assert said.count("ValueError: thirteen cannot be done") == 4   # at once, and in the end
    assert "goes on" not in said
    assert columns(tmp_path / "tiny.csv", "size", "seed") == [("3", "0"), ("3", "1")]


def test_a_worker_that_dies_ends_the_run_and_keeps_the_rows(tiny, tmp_path):
    status, said = finished(started(tiny, tmp_path, "--sizes", 3, 14, "--jobs", 1))
    kept = columns(tmp_path / "tiny.csv", "size")
    assert status == 1 and "The workers were lost" in said
    assert f"{len(kept)} of 4 jobs are done" in said    # the last one may be lost with its worker
    assert 1 <= len(kept) <= 2 and set(kept) == {("3",)}


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_its_rows_and_the_same_command_goes_on(tiny, local, tmp_path,
                                                                        sign):
    run = started(tiny, tmp_path, "--sizes", 3, 99, "--jobs", 1)
    while len(table.read(tmp_path / "tiny.csv")) < 2:
        assert run.poll() is None
        time.sleep(0.05)
    run.send_signal(sign)
    status, said = finished(run)
    assert status == 1
    assert "Interrupted.\n2 of 4 jobs are done" in said and "The same command" in said
    assert columns(tmp_path / "tiny.csv", "size") == [("3",), ("3",)]


def job_runner(tmp_path, monkeypatch, **arguments):
    """`runner.run` in this process: rows of {"seed", "says"}, and the jobs that were run."""
    parser, ran = argparse.ArgumentParser(), []
    runner.add_arguments(parser, seeds=3)
    options = [text for name, value in arguments.items() for text in (f"--{name}", *value)]
    args = parser.parse_args(["--out", str(tmp_path), *options])
    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.setattr(runner, "_on_cores", lambda work, jobs, cores: (
        runner.attempt(work, job) for job in jobs))

    def again(says):
        ran.clear()

        def work(job):
            ran.append(job["seed"])
            return {"says": says}

        jobs = [{"seed": seed} for seed in runner.seeds(args)]
        return runner.run(work, jobs, tmp_path / "rows.csv", ("seed",), args)

    return again, ran


def test_rows_that_are_there_are_skipped(tmp_path, monkeypatch):
    table.write(tmp_path / "rows.csv", [{"seed": 1, "says": "old"}])
    again, ran = job_runner(tmp_path, monkeypatch)
    assert again("new") is None and ran == [0, 2]
    assert columns(tmp_path / "rows.csv", "says") == [("new",), ("old",), ("new",)]


def test_fresh_runs_them_again_and_leaves_other_rows(tmp_path, monkeypatch):
    table.write(tmp_path / "rows.csv", [{"seed": seed, "says": "old"} for seed in (1, 7)])
    again, ran = job_runner(tmp_path, monkeypatch, fresh=[])
    assert again("new") is None and ran == [0, 1, 2]
    assert columns(tmp_path / "rows.csv", "seed", "says") == [
        ("0", "new"), ("1", "new"), ("2", "new"), ("7", "old")]


def test_when_the_time_is_over_no_job_begins(tmp_path, monkeypatch):
    again, ran = job_runner(tmp_path, monkeypatch, **{"limit-minutes": ["0"]})
    message = again("new")
    assert not ran and message.startswith("The time was over.\n0 of 3 jobs are done")


def test_a_row_is_in_the_file_at_once(tmp_path):
    path = tmp_path / "rows.csv"
    with runner._Kept(path, ("seed",)) as file:
        for seed in range(3):
            time.sleep(0.1)
            file.add({"seed": seed})
            assert len(table.read(path)) == seed + 1


def test_rows_that_come_fast_are_written_together_and_do_not_wait_for_the_next(tmp_path,
                                                                             monkeypatch):
    path = tmp_path / "rows.csv"
    monkeypatch.setattr(runner, "WRITING", 1e-9)
    with runner._Kept(path, ("seed",)) as file:
        file.add({"seed": 0})
        monkeypatch.setattr(runner, "WRITING", 1.0)
        file._due = time.monotonic() + 0.3
        file.add({"seed": 1})
        file.add({"seed": 2})
        assert columns(path, "seed") == [("0",)]
        time.sleep(0.6)
        assert columns(path, "seed") == [("0",), ("1",), ("2",)]


def test_rows_that_wait_are_written_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "WRITING", 1e-9)
    with runner._Kept(tmp_path / "rows.csv", ("seed",)) as file:
        for seed in range(3):
            file.add({"seed": seed})
        assert len(table.read(tmp_path / "rows.csv")) == 1
    assert len(table.read(tmp_path / "rows.csv")) == 3
