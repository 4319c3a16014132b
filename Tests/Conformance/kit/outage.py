"""PostgreSQL taken away and given back."""

import glob
import os
import shlex
import subprocess


def _pg_ctl(folder, *arguments):
    binary = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"))[-1]
    owner = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run([*owner, binary, "-D", f"{folder}/data", "-w", "-t", "30", *arguments],
                   cwd="/", check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=60)


def stop(database, mode="immediate"):
    """Stops the server at once; the settings that it ran with."""
    options = (database.folder / "data/postmaster.opts").read_text()
    _pg_ctl(database.folder, "-m", mode, "stop")
    words = shlex.split(options)[1:]
    at = words.index("-D")
    return words[:at] + words[at + 2:]


def start(database, settings):
    _pg_ctl(database.folder, "-l", f"{database.folder}/server.log", "-o", shlex.join(settings),
            "start")
