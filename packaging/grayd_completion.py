#!/usr/bin/env python3
"""Prints the completion of grayd for bash: its sub-commands and their options, from its own --help.

grayctl prints its completions itself, because it completes names of services, too.
"""
import argparse
import re

from manuals import Help, help_of

SCRIPT = """# completion of grayd for bash
_grayd() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} offered= one
  case $before in
{valued}
  esac
  offered="{top}"
  for one in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $one in
{verbs}
    esac
  done
  COMPREPLY=($(compgen -W "$offered" -- "$word"))
}}
complete -o default -F _grayd grayd
"""


def options_of(found):
    """Long options, and whether each takes a value."""
    entries = found.groups.get("Options", [])
    return {name: bool(value) for entry, _ in entries for name, value in re.findall(r"(--[\w-]+)( [A-Z]+)?$", entry)}


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grayd", help="the program")
    program = parser.parse_args().grayd
    top = Help(help_of(program, []))
    below = {verb: options_of(Help(help_of(program, [verb]))) for verb in top.verbs()}
    every = {**options_of(top), **{name: value for options in below.values() for name, value in options.items()}}
    valued = "|".join(sorted(name for name, value in every.items() if value))
    print(SCRIPT.format(
        valued=f"    {valued}|-c|-o) return ;;  # a file, by default", top=" ".join([*below, *options_of(top)]),
        verbs="\n".join(f"      {verb}) offered=\"{' '.join(options)}\" ;;" for verb, options in below.items())), end="")


if __name__ == "__main__":
    run()
