#!/usr/bin/env python3
"""Writes the manual pages grayctl.1, grayd.8 and grayd.toml.5 into a folder.

The pages of the programs are their own --help, verb by verb, so a page has every verb and every option. The page of the
configuration is config/reference.toml, which has every key with its default, unit and range.
"""
import argparse
import os
import pathlib
import re
import subprocess
import time

ENTRY = re.compile(r"^  (\S.*?)(?:\s{2,}(.*))?$")  # of a table: a name and what it is
CONTINUED = re.compile(r"^ {20,}(\S.*)$")
GROUP = re.compile(r"^(\w[\w ]*):$")
TABLES = ("Options", "Positionals")  # other groups list verbs
VERBATIM = ("Examples",)


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def help_of(program, words):
    return subprocess.run([program, *words, "--help"], check=True, text=True, stdout=subprocess.PIPE,
                          env={"PATH": "/usr/bin:/bin", "COLUMNS": "80"}).stdout


class Help:
    """The text of --help in parts: what it does, its usage, its groups of entries, and what follows them."""

    def __init__(self, text):
        self.about, self.usage, self.groups, self.rest = [], "", {}, []
        group = None
        for line in text.splitlines():
            begins = GROUP.match(line)
            if line.startswith("Usage: "):
                self.usage = line[len("Usage: "):]
            elif self.rest or (begins and begins[1] in VERBATIM) or line.startswith("Exit codes:"):
                self.rest.append(line)
            elif begins:
                group = self.groups.setdefault(begins[1], [])
            elif group is None:
                self.about.append(line)
            elif (more := CONTINUED.match(line)) and group:
                group[-1][1] += " " + more[1]
            elif entry := ENTRY.match(line):
                group.append([entry[1], entry[2] or ""])
            elif line.strip():
                self.rest.append(line)

    def verbs(self):
        return [name for group, entries in self.groups.items() if group not in TABLES for name, _ in entries]


def table(entries):
    return [line for name, what in entries for line in (".TP", f"\\fB{escaped(name)}\\fR", escaped(what) or "\\&")]


def verbatim(lines):
    return [".PP", ".nf", *[escaped(line) or "\\&" for line in lines], ".fi"]


def body(found):
    """The parts of a help text behind its usage."""
    lines = []
    for group, entries in found.groups.items():
        lines += [".PP", f"{escaped(group)}:", *table(entries)]
    return lines + (verbatim(found.rest) if found.rest else [])


def verbs_of(program, words, found):
    """A section for each verb, and for those below it."""
    lines = []
    for name in found.verbs():
        path = [*words, name]
        below = Help(help_of(program, path))
        lines += [f".SS {escaped(' '.join(path))}", escaped(" ".join(below.about).strip()), ".PP",
                  f"\\fB{escaped(below.usage)}\\fR", *body(below), *verbs_of(program, path, below)]
    return lines


def page(name, section, version, summary, parts):
    built = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    date = time.strftime("%Y-%m-%d", built)
    lines = [f'.TH {name.upper()} {section} "{date}" "grayd {version}" "grayd manual"', ".SH NAME",
             f"{escaped(name)} \\- {escaped(summary)}"]
    for title, content in parts:
        if content:
            lines += [f".SH {title}", *content[content[0] == ".PP":]]
    return "\n".join(lines) + "\n"


def program_page(program, name, section, see):
    found = Help(help_of(program, []))
    version = subprocess.run([program, "--version"], check=True, text=True, stdout=subprocess.PIPE).stdout.split()[-1]
    summary = " ".join(found.about).strip().rstrip(".")
    return page(name, section, version, summary[0].lower() + summary[1:], [
        ("SYNOPSIS", [f"\\fB{escaped(found.usage)}\\fR"]), ("DESCRIPTION", body(found)),
        ("VERBS", verbs_of(program, [], found)), ("SEE ALSO", [see])]), version


def reference_page(reference, version):
    """Comments are paragraphs, and keys are shown as they are written."""
    lines, keys = [], []

    def keys_end():
        if keys:
            lines.extend(verbatim(keys))
            keys.clear()

    for line in reference.read_text().splitlines():
        if line.startswith("#"):
            keys_end()
            text = line[1:] if line.startswith("#   ") else line[1:].strip()  # an indented line begins a line of a page
            lines.append(escaped(text) or ".PP")
        elif line.strip():
            keys.append(line)
        else:
            keys_end()
            lines.append(".PP")
    keys_end()
    tidy = [line for line, before in zip(lines, [".PP", *lines]) if line != ".PP" or before != ".PP"]
    while tidy and tidy[-1] == ".PP":
        tidy.pop()
    return page("grayd.toml", 5, version, "the configuration of grayd",
                [("DESCRIPTION", tidy), ("FILES", [".I /etc/grayd/grayd.toml"]),
                 ("SEE ALSO", [".BR grayd (8), ", ".BR grayctl (1)"])])


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grayd", required=True, help="the program")
    parser.add_argument("--grayctl", required=True, help="the program")
    parser.add_argument("--reference", required=True, type=pathlib.Path, help="config/reference.toml")
    parser.add_argument("folder", type=pathlib.Path)
    chosen = parser.parse_args()
    text, version = program_page(chosen.grayctl, "grayctl", 1, ".BR grayd (8), \n.BR grayd.toml (5)")
    (chosen.folder / "grayctl.1").write_text(text)
    text, _ = program_page(chosen.grayd, "grayd", 8, ".BR grayctl (1), \n.BR grayd.toml (5)")
    (chosen.folder / "grayd.8").write_text(text)
    (chosen.folder / "grayd.toml.5").write_text(reference_page(chosen.reference, version))


if __name__ == "__main__":
    run()
