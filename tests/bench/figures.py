"""Calculates figures, tables and target checks from readings; pure."""

import statistics

BROWSER = "64+headers"
LOGGED = "grayd, log on"
PEERS = ("nginx", "haproxy")
EVENTS = ["instructions:u", "instructions:k", "cycles", "raw_syscalls:sys_enter"]  # in the words of perf


def parse_counters(text):
    """{event: count} of `perf stat -x,`; None for what could not be counted."""
    found = dict.fromkeys(EVENTS)
    for line in text.splitlines():
        value, _, event = (line.split(",") + ["", ""])[:3]
        if event in found and value.isdigit():
            found[event] = int(value)
    return found


def parse_machine(console, marks):
    """What an emulated machine said: its console, and the plugin's lines, two for each loop and load.

    `loop` is (instructions, charged) of the calibration; `cells` have, per request, `instructions`, `user` and `calls`.
    Two loads of different length were run: their difference is free of what is paid once.
    """
    marks = [int(line.split()[0]) for line in marks.splitlines()]
    loop, takes, calls, at = None, {}, {}, 0
    for line in console.splitlines():
        word, *values = line.split() or [""]
        if word == "LOOP":
            loop, at = tuple(map(int, values)), at + 2
        elif word == "TAKE":
            cell, requests, before, after = values[0], *map(int, values[1:])
            takes.setdefault(cell, []).append((requests, after - before, marks[at + 1] - marks[at]))
            at += 2
        elif word == "CALLS":
            cell, requests, before, after = values[0], *map(int, values[1:])
            calls.setdefault(cell, []).append((requests, after - before))
    return {"loop": loop, "cells": {cell: {"instructions": slope(takes[cell], 1), "user": slope(takes[cell], 2),
                                           "calls": slope(calls[cell], 1)} for cell in takes}}


def slope(readings, column):
    short, long = readings
    return (long[column] - short[column]) / (long[0] - short[0])


def middle(values):
    """The median; None where a value is missing."""
    return None if None in values else statistics.median(values)


def middles(samples):
    """The median of each figure over samples with the same keys."""
    return {key: middle([sample[key] for sample in samples]) for key in samples[0]}


def combine(counted, timed):
    """One cell's figures per request, from the emulated machine's (`counted`) and those of this one (`timed`); None for
    what neither has."""
    user, kernel = timed.get("instructions:u"), timed.get("instructions:k")
    total = None if user is None or kernel is None else user + kernel
    return {"instructions": counted.get("instructions", total), "user": counted.get("user", user),
            "calls": counted.get("calls", timed.get("raw_syscalls:sys_enter")), "cycles": timed.get("cycles"),
            "cpu_us": timed.get("cpu_us"), "rps": timed.get("rps")}


def row(label, cell, values):
    def text(value, digits=0):
        return None if value is None else f"{value:,.{digits}f}"

    total, user, cpu = values["instructions"], values["user"], values["cpu_us"]
    return {"proxy": label, "connections": cell, "instructions": text(total), "user": text(user),
            "kernel": None if total is None or user is None else text(total - user),
            "syscalls": text(values["calls"], 2), "cycles": text(values["cycles"]), "CPU us": text(cpu, 1),
            "per CPU second": None if not cpu else text(1e6 / cpu)}


def rows(all_figures):
    """Cell by cell, so that what is to be compared stands together."""
    cells = list(dict.fromkeys(cell for cells in all_figures.values() for cell in cells))
    return [row(label, cell, all_figures[label][cell]) for cell in cells for label in all_figures
            if cell in all_figures[label]]


def ratio(mine, other):
    return None if mine is None or not other else mine / other


def targets(all_figures):
    """(text, value, met) for each target that this run has the figures for."""
    def get(label, cell, key):
        return all_figures.get(label, {}).get(cell, {}).get(key)

    mine = get("grayd", "64", "instructions")
    logged = ratio(get(LOGGED, "64", "instructions"), mine)
    found = [("instructions per request, 64 connections, at most 38,000", mine, 38_000, "{:,.0f}")]
    for peer, limit in (("nginx", 0.75), ("haproxy", 0.65)):
        share = ratio(mine, get(peer, "64", "instructions"))
        found.append((f"instructions, of {peer}'s, at most {limit}", share, limit, "{:.3f}"))
    found.append(("instructions with 9 headers, of nginx's, at most 0.65",
                  ratio(get("grayd", BROWSER, "instructions"), get("nginx", BROWSER, "instructions")), 0.65, "{:.3f}"))
    found.append(("access log on, at most +5 %", None if logged is None else 100 * (logged - 1), 5, "{:+.1f} %"))
    for kind, limit in (("rules 500", 10), ("allowlist 1,000,000", 3)):
        for cell in ("64", BROWSER):
            share = ratio(get(f"grayd, {kind}", cell, "instructions"), get("grayd", cell, "instructions"))
            found.append((f"{kind}, {cell} connections, at most +{limit} %",
                          None if share is None else 100 * (share - 1), limit, "{:+.1f} %"))
    counted = get("grayd", "64", "cycles") is not None
    key, what = ("cycles", "cycles") if counted else ("cpu_us", "CPU time (for want of cycles)")
    of_peers = [get(peer, "64", key) for peer in PEERS]
    better = None if None in of_peers else min(of_peers)
    share = ratio(get("grayd", "64", key), better)
    found.append((f"{what}, of the better peer's, at most 0.85", share, 0.85, "{:.3f}"))
    return [(text, form.format(value), value <= limit) for text, value, limit, form in found if value is not None]
