"""npm packages that a package-lock.json of the tests pins, installed once under build/npm."""
import fcntl
import os
import shutil
import subprocess

from harness import HERE, ROOT

CACHE = os.path.join(ROOT, "build", "npm", "cache")  # of npm, so that `npm install` works without the network later


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def installed(pinned="node", name="websocket", cache=None):
    """The folder for NODE_PATH; packages already installed from the same lock file are kept. `pinned` is the folder
    with the lock file, `name` that below build/npm, `cache` the cache of npm if it is not the user's."""
    pinned, folder = os.path.join(HERE, pinned), os.path.join(ROOT, "build", "npm", name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        done = os.path.join(folder, "done")
        wanted = read(os.path.join(pinned, "package-lock.json"))
        if read(done) != wanted:
            for file in ("package.json", "package-lock.json"):
                shutil.copy(os.path.join(pinned, file), folder)
            env = {**os.environ, **({"npm_config_cache": cache} if cache else {})}
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True, timeout=200,
                           env=env)
            shutil.copy(os.path.join(pinned, "package-lock.json"), done)
    return os.path.join(folder, "node_modules")
