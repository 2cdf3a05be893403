"""The packages that tests/integration/node/package.json pins, installed once under build/npm."""
import fcntl
import os
import shutil
import subprocess

from harness import HERE, ROOT

PINNED = os.path.join(HERE, "node")
FOLDER = os.path.join(ROOT, "build", "npm", "websocket")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def installed():
    """The folder for NODE_PATH; packages already installed from the same lock file are kept."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, "lock"), "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        done = os.path.join(FOLDER, "done")
        wanted = read(os.path.join(PINNED, "package-lock.json"))
        if read(done) != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(os.path.join(PINNED, name), FOLDER)
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True, timeout=200)
            shutil.copy(os.path.join(PINNED, "package-lock.json"), done)
    return os.path.join(FOLDER, "node_modules")
