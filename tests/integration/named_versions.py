"""The most important count: requests that name a version and are answered by another one. It must always be 0."""
import json
import os
import random
import signal
import threading
import time

from harness import merged
from http_client import request


class Figures:
    def __init__(self):
        self.asked = self.answered = self.wrong = self.refused = self.unanswered = 0
        self.shifts = self.reloads = self.kills = 0
        self.seconds = 0.0
        self.samples = []

    def __str__(self):
        return (f"{self.answered} requests answered in {self.seconds:.0f} s ({self.asked} asked), "
                f"{self.wrong} by the wrong version, {self.refused} refused, {self.unanswered} without an answer; "
                f"meanwhile {self.shifts} shifts, {self.reloads} reloads, {self.kills} router kills")


def one_way_of_naming(version, number):
    """Parameter, header and cookie in turn; also a user whom the weight would send to the other version."""
    user = f"uid={number}"
    if number % 3 == 0:
        return request(f"/?n={number}&version={version}", headers={"Cookie": user})
    if number % 3 == 1:
        return request(f"/?n={number}", headers={"X-Version": version, "Cookie": user})
    return request(f"/?n={number}", headers={"Cookie": f"{user}; version={version}"})


def press(daemon, wanted, figures, lock, seed):
    """Sends requests until `wanted` answers came; reopens a connection that ends, and counts its open request apart."""
    pick = random.Random(seed)
    client, done, number = None, 0, seed * 1_000_000
    while done < wanted:
        version = pick.choice(("v1", "v2"))
        number += 1
        response = None
        try:
            client = client or daemon.client()
            client.send(one_way_of_naming(version, number))
            response = client.response()
        except OSError:
            pass
        if response is None or response["connection"] == "close":
            if client:
                client.close()
            client = None
        with lock:
            count(figures, version, response)
        done += response is not None and response.status == 200


def count(figures, version, response):
    figures.asked += 1
    if response is None:
        figures.unanswered += 1
    elif response.status != 200:
        figures.refused += 1
        figures.samples = (figures.samples + [repr(response)])[:5]
    else:
        figures.answered += 1
        if {version} != {response["x-gray-version"], said_by(response)}:
            figures.wrong += 1


def said_by(response):
    """The version from the body of the worker, because the header of the router is under test."""
    return response["x-worker-version"] or json.loads(response.text)["version"]


def disturb(daemon, figures, stop, kills):
    """Shifts and reloads without end, and the router killed so many times."""
    weights, reloaded = [0, 5, 50, 100], False
    while not stop.is_set():
        done = daemon.ctl("shift", "web", "v2", str(weights[figures.shifts % 4]))
        figures.shifts += done.code == 0
        if figures.shifts % 5 == 1:
            reloaded = not reloaded
            change = {"service": {"web": {"limits": {"queue": 200 if reloaded else 300}}}}
            daemon.write_config(merged(daemon.config, change))
            figures.reloads += daemon.ctl("reload").code == 0
        if figures.kills < kills and figures.shifts > 6 * (figures.kills + 1):
            router = daemon.router()
            if router:
                os.kill(router, signal.SIGKILL)
                figures.kills += 1


def hunt(daemon, requests, connections=8, kills=1):
    """Sends `requests` that name v1 or v2 while the daemon is disturbed; returns the figures."""
    figures, lock, stop = Figures(), threading.Lock(), threading.Event()
    started = time.monotonic()
    share = requests // connections
    threads = [threading.Thread(target=press, args=(daemon, share, figures, lock, seed)) for seed in range(connections)]
    disturber = threading.Thread(target=disturb, args=(daemon, figures, stop, kills))
    for thread in [*threads, disturber]:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    disturber.join()
    figures.seconds = time.monotonic() - started
    return figures
