"""Run many independent jobs, on the cores of this machine or on a cluster, into one CSV.

    KEY = ("lag", "seed")

    def run(job):                               # a dict of settings -> a dict of results
        rng = np.random.default_rng(job["seed"])
        return {"accuracy": table.short(...)}

    parser = argparse.ArgumentParser()
    runner.add_arguments(parser, seeds=20)
    args = parser.parse_args()
    jobs = [{"lag": lag, "seed": seed} for lag in (5, 10) for seed in runner.seeds(args)]
    sys.exit(runner.run(run, jobs, args.out / "lags.csv", KEY, args))

A row is the job's settings and its results. What the file has is not run again; what is finished is
in the file at once, or within seconds if rows come fast: Ctrl-C or a power cut costs little, and
the same command goes on. A job that fails is named, and does not stop the others.

Each job takes all its randomness from its settings and runs in a process of its own with one
thread, so that the same seed gives the same bits, whatever runs beside it.

On a cluster (`--cluster tcp://host:8786`, a Dask scheduler) a worker needs this Python, rnnlib and
its numpy, and one thread. The modules of the experiment are sent along, as they are now; what they
define must not be wrapped by functools.cache, which cannot be sent.
"""

import itertools
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import BrokenExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import table
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
WRITING = 0.05  # the share of the time that may be spent on writing rows
PATIENCE = 30  # seconds to wait for the cluster and its first worker
ERRORS_SHOWN = 5


def add_arguments(parser, *, seeds):
    """The arguments that every experiment of this kind has; `seeds` is how many as published."""
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=seeds, help="how many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (all cores)")
    parser.add_argument("--cluster", metavar="tcp://HOST:8786", help="a Dask scheduler's address")
    parser.add_argument("--limit-minutes", type=float, help="begin no job after that time")
    parser.add_argument("--fresh", action="store_true", help="run what is in the files already")
    parser.add_argument("--out", type=Path, default=table.RESULTS, help="folder")


def seeds(args):
    """The seeds asked for."""
    return range(args.seed, args.seed + args.seeds)


def run(work, jobs, path, key, args):
    """Give the file at `path` a row {**job, **work(job)} for every job (a dict) that it lacks.

    `key` names the settings that tell jobs apart. Returns None if every job has its row now, else
    a message that says what is missing: `sys.exit(run(...))` prints it, with a non-zero status.
    Ctrl-C ends the script with that message.
    """
    jobs = list(jobs)
    todo = jobs if args.fresh else table.missing(path, jobs, key)
    done, failed, stopped = 0, [], "The time was over."
    bar = tqdm(total=len(jobs), initial=len(jobs) - len(todo))
    ended = _finished(work, _until(todo, args.limit_minutes), args)
    try:
        with bar, _stopped_like_ctrl_c(), _Kept(path, key) as file, closing(ended):
            for job, result, error in ended:
                if error is None:
                    file.add({**job, **result})
                    done += 1
                else:
                    failed.append((_named(job, key), error))
                    bar.write(f"{_named(job, key)}: {error.splitlines()[-1]}", file=sys.stderr)
                bar.update()
    except KeyboardInterrupt:
        sys.exit(_message(len(todo), done, failed, "Interrupted.", path))
    except (BrokenExecutor, ConnectionError) as error:
        stopped = f"The workers were lost ({error})."
    return None if done == len(todo) else _message(len(todo), done, failed, stopped, path)


def _finished(work, jobs, args):
    """(job, result or None, error or None) of each job, as it ends."""
    if not args.cluster:
        return _on_cores(work, jobs, args.jobs)
    return _on_cluster(work, jobs, args.cluster)


def _until(jobs, minutes):
    """The jobs, until the time is over."""
    end = time.monotonic() + 60 * minutes if minutes is not None else float("inf")
    return itertools.takewhile(lambda _: time.monotonic() < end, jobs)


def attempt(work, job):
    """(job, its result, None), or (job, None, the error as text)."""
    try:
        return job, work(job), None
    except Exception:
        return job, None, traceback.format_exc()


# --- this machine -----------------------------------------------------------------------------


def _on_cores(work, jobs, cores):
    try:
        from joblib import Parallel, delayed, parallel_config
    except ImportError:
        sys.exit('Experiments need joblib: pip install -e ".[experiments]"')
    # joblib runs a single job in this very process, where numpy has its threads already: there are
    # two processes or more, and `pre_dispatch` says how many have something to do.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(max(2, cores), batch_size=1, pre_dispatch=max(1, cores),
                        return_as="generator_unordered")
        with closing(pool(delayed(attempt)(work, job) for job in jobs)) as ended:
            yield from ended


# --- a cluster --------------------------------------------------------------------------------


def _on_cluster(work, jobs, address):
    """Keeps every worker busy with one job and another waiting, also those that come later."""
    client = _client(address)
    from distributed import as_completed

    call, running, jobs = sent_whole(work), {}, iter(jobs)

    def submit():
        """A list: `as_completed` holds a lock while it iterates, for which the client may wait."""
        free = max(0, 2 * len(client.nthreads()) - len(running))
        new = [(client.submit(call, job, pure=False), job) for job in itertools.islice(jobs, free)]
        running.update(new)
        return [future for future, _ in new]

    ended = as_completed(submit())
    try:
        for future in ended:
            job = running.pop(future)
            error = future.exception()      # of the worker: the job's own are caught over there
            yield (job, None, str(error)) if error else future.result()
            ended.update(submit())
    finally:
        client.cancel(list(running))
        client.close()


def _client(address):
    """A client of the scheduler, whose workers are there and have one thread each."""
    try:
        from distributed import Client
    except ImportError:
        sys.exit('--cluster needs distributed: pip install -e ".[experiments]"')
    try:
        client = Client(address, timeout=PATIENCE)
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, TimeoutError, ValueError) as error:
        sys.exit(f"--cluster {address}: no scheduler with a worker there ({error})")
    if set(client.nthreads().values()) != {1}:
        client.close()
        sys.exit(f"--cluster {address}: start the workers with one thread (--nthreads 1)")
    return client


def sent_whole(work):
    """`attempt(work, job)` as a function of job that needs none of the experiments' files."""
    import cloudpickle

    folders = {HERE, Path(sys.modules[work.__module__].__file__).resolve().parent}
    ours = [module for module in list(sys.modules.values())
            if getattr(module, "__file__", None) and Path(module.__file__).parent in folders]
    for module in ours:
        if module.__name__ != "__main__":       # is sent by value anyway
            cloudpickle.register_pickle_by_value(module)
    try:
        packed = cloudpickle.dumps((attempt, work))
    finally:
        for name in cloudpickle.list_registry_pickle_by_value():
            cloudpickle.unregister_pickle_by_value(sys.modules[name])

    def call(job):
        attempt, work = pickle.loads(packed)
        return attempt(work, job)

    return call


# --- rows and messages ------------------------------------------------------------------------


class _Kept:
    """Puts rows into the file: at once, or, where they come fast, several together soon after."""

    def __init__(self, path, key):
        self._path, self._key, self._lock = path, key, threading.Lock()
        self._waiting, self._due, self._timer = [], 0.0, threading.Timer(0, self.flush)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._timer.cancel()
        self.flush()

    def add(self, row):
        with self._lock:
            self._waiting.append(row)
            early = self._due - time.monotonic()
            if early > 0 and len(self._waiting) == 1:   # the next row may be an hour away
                self._timer = threading.Timer(early, self.flush)
                self._timer.daemon = True
                self._timer.start()
        if early <= 0:
            self.flush()

    def flush(self):
        with self._lock:
            begun = time.monotonic()
            if self._waiting:
                table.merge(self._path, self._waiting, self._key)
            self._waiting = []
            self._due = time.monotonic() + (time.monotonic() - begun) / WRITING


@contextmanager
def _stopped_like_ctrl_c():
    """A polite kill (SIGTERM) ends the run as Ctrl-C does."""
    def stop(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _named(job, key):
    return ", ".join(f"{name} {job[name]}" for name in key)


def _message(wanted, done, failed, stopped, path):
    """What became of a run that did not do all that it should."""
    lines = [f"{done} of {wanted} jobs are done, their rows are in {path}."]
    if done + len(failed) < wanted:
        lines.insert(0, stopped)
        lines.append("The same command without --fresh goes on.")
    if failed:
        lines.append(f"{len(failed)} failed:")
        lines += [f"--- {name}\n{error}" for name, error in failed[:ERRORS_SHOWN]]
        lines += ["..."] * (len(failed) > ERRORS_SHOWN)
    return "\n".join(lines)
